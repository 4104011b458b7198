"""Facts about the target, from C and from C++."""
