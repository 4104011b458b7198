"""Readers and writers of file formats; no other package reads or writes them."""
