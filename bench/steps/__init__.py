"""Programs that the bench starts; each does one step and prints its measurement as JSON."""
