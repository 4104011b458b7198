"""The dynamic loader, simulated inside a wheel."""
