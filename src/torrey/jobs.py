"""What every script of the workflow does around its one library call."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torrey.errors import TorreyError
from torrey.provenance import Provenance, input_digests


@contextmanager
def job(snakemake: Any) -> Iterator[Provenance]:
    """Time a job, log how it went, and say where it stopped.

    Parameters
    ----------
    snakemake : object
        With ``rule``, ``wildcards``, ``input``, ``params.recipe`` (a flat dict with the digest of
        the code under ``code``) and ``log``.

    Yields
    ------
    Provenance
        For the file that the job writes. It holds no time: files made twice are the same bytes;
        the wall time is in the log.
    """
    recipe = dict(snakemake.params.recipe)
    code = str(recipe.pop("code"))
    where = ", ".join(f"{name} {value}" for name, value in dict(snakemake.wildcards).items())
    log = Path(snakemake.log[0])
    log.parent.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    try:
        yield Provenance(snakemake.rule, recipe, code, input_digests(snakemake.input))
    except TorreyError as error:
        log.write_text(f"{snakemake.rule} ({where}): {error}\n")
        sys.exit(f"{snakemake.rule} ({where}): {error}")
    except Exception:
        log.write_text(f"{snakemake.rule} ({where}):\n{traceback.format_exc()}")
        raise
    seconds = time.perf_counter() - start
    log.write_text(f"{snakemake.rule} ({where}): {seconds:.2f} s wall time\n")
