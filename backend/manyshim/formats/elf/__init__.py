"""Reads the ELF format as the dynamic loader does."""
