"""Words of `snakemake verify`; what it finds is tested with whole runs in tests/workflow."""

from __future__ import annotations

import pytest

from torrey.workflow.verification import _shortened

SWEEP = '{"periods": [8.0], "permeabilities": [0.02], "strengths": [0.0, 0.5, 1.0], "models": []}'


@pytest.mark.parametrize(
    ("before", "now", "shown"),
    [
        (1e-3, 1e-4, ("0.001", "0.0001")),
        (None, "R2", ("nothing", "R2")),
        (
            SWEEP,
            SWEEP.replace("1.0", "1.2"),
            (
                '...: [0.0, 0.5, 1.0], "models": []}',
                '...: [0.0, 0.5, 1.2], "models": []}',
            ),
        ),
        (SWEEP, "[" + SWEEP, (SWEEP[:40] + "...", "[" + SWEEP[:39] + "...")),
    ],
)
def test_values_are_cut_where_they_differ(before, now, shown):
    assert _shortened(before, now) == shown
