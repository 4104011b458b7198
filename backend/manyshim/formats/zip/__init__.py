"""Reads and writes the zip archive format for wheels."""
