"""Measure the cost of manyshim and its peers, as paired ratios (`python -m bench --help`)."""
