"""Compare all results with the configuration, and name what is damaged, stale or foreign."""

import sys
from pathlib import Path

from torrey.config import load
from torrey.workflow.recipes import Recipes
from torrey.workflow.verification import verify

files = [Path(file) for file in snakemake.params.configuration]
report = verify(Recipes(load(files), Path(snakemake.scriptdir)))
print(report.text())
Path(snakemake.log[0]).write_text(f"{report.text()}\n", encoding="utf-8")
sys.exit(None if report.is_sound else 1)
