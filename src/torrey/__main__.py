"""``python -m torrey``: the same as ``torrey``."""

from __future__ import annotations

import sys

from torrey.command.main import main

if __name__ == "__main__":
    sys.exit(main())
