"""The pure core: facts in, findings and a tag out. Reads no file but its own data."""
