"""Compare patched files with their originals and the plan."""
