"""A patched file, compared with its original and the plan."""
