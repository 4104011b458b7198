"""The ELF format, read as the dynamic loader reads it."""
