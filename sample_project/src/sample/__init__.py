"""A wave, drawn with a function of the C library and one of the maths library."""

from sample._wave import draw

__all__ = ["draw"]
