"""Writes a report as text and as JSON."""
