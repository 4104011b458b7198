"""Audit Linux wheels and give them the manylinux or musllinux tag that they have earned."""

__version__ = "0.1.0"
