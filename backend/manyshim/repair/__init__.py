"""Copy external libraries into a wheel."""
