"""Compiler commands that take GCC's arguments and call zig."""
