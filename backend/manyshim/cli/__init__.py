"""The command line: an entry point, with one module a command."""
