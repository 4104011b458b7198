"""The wheel format: WHEEL, RECORD, and the facts of a whole wheel."""
