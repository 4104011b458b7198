"""What was copied into a wheel, as a software bill of materials (PEP 770)."""
