"""Dry runs of Snakemake without the start-up of Python, which is more than half of their time.

A process that has imported Snakemake, but nothing of this project, forks for each of them.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
from pathlib import Path

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["snakemake.cli", "pydantic", "pint", "yaml"])


def snakemake(
    directory: Path, environment: dict[str, str], arguments: list[str]
) -> tuple[int | None, str]:
    """Exit code and output of one call of Snakemake in a directory."""
    with tempfile.NamedTemporaryFile() as output:
        process = _CONTEXT.Process(
            target=_call, args=(directory, environment, arguments, output.name)
        )
        process.start()
        process.join()
        return process.exitcode, Path(output.name).read_text(encoding="utf-8")


def _call(directory: Path, environment: dict[str, str], arguments: list[str], output: str) -> None:
    from snakemake.cli import main

    os.chdir(directory)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[:0] = environment["PYTHONPATH"].split(os.pathsep)
    stream = os.open(output, os.O_WRONLY)
    os.dup2(stream, 1)
    os.dup2(stream, 2)
    sys.argv = ["snakemake", *arguments]
    main(arguments)
