"""Derives findings and a tag from the facts of a wheel. Reads no files except its own data."""
