"""Its modules say what the compilers have found."""
