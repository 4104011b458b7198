"""`python -m manyshim`."""

from __future__ import annotations

import sys

from manyshim.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
