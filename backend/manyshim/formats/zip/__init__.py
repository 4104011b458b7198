"""The zip archive format, read and written for wheels."""
