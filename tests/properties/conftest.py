"""One thread, and the exact solutions of `tests/physics` at hand."""

from __future__ import annotations

import os
import sys
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

# Behind everything else: this directory keeps its own conftest.
sys.path.append(str(Path(__file__).parents[1] / "physics"))
