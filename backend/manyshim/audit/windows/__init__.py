"""The rules for Windows wheels: what their tags promise, and what the loader finds."""
