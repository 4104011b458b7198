"""Putting external libraries into the wheel."""
