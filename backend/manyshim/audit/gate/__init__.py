"""Rules of the package index and of installers, which the audit does not check."""
