"""What the index and installers ask beyond the audit."""
