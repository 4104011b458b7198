"""The bench: what manyshim costs beside its peers, as paired ratios; `python -m bench --help`."""
