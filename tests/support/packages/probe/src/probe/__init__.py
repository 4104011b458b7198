"""What a target is like, seen from C and from C++."""
