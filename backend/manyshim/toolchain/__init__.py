"""Compiles for an older glibc, for musl or for another architecture; loaded only when asked for."""
