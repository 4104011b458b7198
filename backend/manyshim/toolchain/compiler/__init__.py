"""What stands between a build and zig: compiler drivers that take GCC arguments."""
