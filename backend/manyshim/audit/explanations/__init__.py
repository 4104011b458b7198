"""What each kind of finding means, why it matters, and how to fix it: data, by subject."""
