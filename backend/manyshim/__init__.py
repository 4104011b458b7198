"""Audit Linux wheels and write the manylinux or musllinux tag that their files prove."""

__version__ = "0.1.0"
