"""Compile for an older glibc, for musl or for another architecture; loaded only on request."""
