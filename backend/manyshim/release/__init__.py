"""A whole release: the sdist, and every wheel of a matrix of Pythons and platforms, from it."""
