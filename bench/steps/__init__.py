"""Programs that the bench starts: each does one step and prints what it measured as JSON."""
