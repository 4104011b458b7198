"""A report as text for a person, and as data for a machine."""
