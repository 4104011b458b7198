"""A simulation of the dynamic loader for the files of a wheel."""
