"""A Slurm of one node for all tests of this folder, and a project that has run without it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.slurm import Slurm, why_not


@pytest.fixture(scope="session")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slurm]:
    """Daemons that are stopped at the end, whatever happens."""
    reason = why_not()
    if reason is not None:
        pytest.skip(reason)
    daemons = Slurm(tmp_path_factory.mktemp("slurm"))
    try:
        daemons.start()
        yield daemons
    finally:
        daemons.stop()
