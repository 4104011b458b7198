"""The rules for macOS and iOS wheels: what their tags promise, and what dyld finds."""
