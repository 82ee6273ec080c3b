"""Blocks of a sweep: together they are the whole, and each is as large as a job wants."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from torrey.gradients.blocks import block_shape, blocks_of
from torrey.gradients.sweep import Product, Sweep, WaveformGrid

SHAPES = WaveformGrid("pgse", (("delta", (2.0,)), ("Delta", (5.0, 8.0))))
SWEEP = Sweep(
    tuple(np.linspace(2.0, 8.0, 7)),
    "sigma0",
    tuple(np.linspace(0.01, 0.05, 5)),
    Product(SHAPES, "b", (0.0, 0.5, 1.0), ((1.0, 0.0),)),
)


@pytest.mark.parametrize("most", [1, 6, 13, 30, 65, 1000])
def test_blocks_are_the_whole_once(most):
    count = np.zeros(SWEEP.shape, dtype=int)
    for block in blocks_of(SWEEP, most):
        count[block.place] += 1
        assert block.sweep.periods == SWEEP.periods[block.place[0]]
        assert block.sweep.permeabilities == SWEEP.permeabilities[block.place[1]]
        assert block.sweep.size <= max(most, 6)
        assert all(np.less_equal(block.sweep.shape[:2], block_shape(SWEEP, most)))
    assert (count == 1).all()


def test_names_tell_all_values_and_no_place():
    blocks = list(blocks_of(SWEEP, 30))
    assert len({block.name for block in blocks}) == len(blocks) == 7
    more = replace(SWEEP, periods=(*SWEEP.periods, 9.0))
    assert [b.name for b in blocks_of(more, 30)][:7] == [b.name for b in blocks]
    other = replace(SWEEP, permeabilities=(*SWEEP.permeabilities[:-1], 0.06))
    assert {b.name for b in blocks_of(other, 30)}.isdisjoint(b.name for b in blocks)
