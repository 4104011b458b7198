"""The software bill of materials of the copied libraries (PEP 770)."""
