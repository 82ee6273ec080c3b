"""Slabs: parts of a sweep that know nothing of the whole, and come together again."""

from __future__ import annotations

import numpy as np
import pytest

from torrey.gradients.protocol import Measurement
from torrey.gradients.slabs import join, slabs_of
from torrey.gradients.sweep import Acquisition, Product, Sweep, WaveformGrid
from torrey.gradients.waveforms import Pgse

X, Y = (1.0, 0.0), (0.0, 1.0)


def sweep(periods=(5.0, 8.0), kappas=(0.03,), Deltas=(10.0, 20.0), bs=(0.5, 2.0, 1.0), n=(Y, X)):
    grid = WaveformGrid("pgse", (("delta", (4.0,)), ("Delta", Deltas)))
    return Sweep(periods, "permeability", kappas, Product(grid, "b", bs, n))


def acquired(kind="b"):
    long, short = Pgse(4.0, 20.0), Pgse(4.0, 10.0)
    rows = (
        Measurement(long, 0.3, X),
        Measurement(short, 0.2, Y),
        Measurement(long, 0.1, Y),
        Measurement(short, 0.2, X),
    )
    return Sweep((5.0, 8.0), "permeability", (0.03, 0.05), Acquisition(kind, rows))


@pytest.mark.parametrize("whole", [sweep(), sweep(kappas=(0.0, 0.1)), acquired()])
def test_slabs_hold_every_point_once(whole):
    slabs = slabs_of(whole)
    places = [place for slab in slabs for place in slab.places]
    points = list(whole.points().values())
    assert sorted(places) == list(range(len(points)))
    for slab in slabs:
        assert list(slab.sweep.points().values()) == [points[place] for place in slab.places]
        assert (
            len({(p.period, p.permeability, p.waveform) for p in slab.sweep.points().values()}) == 1
        )


def test_values_of_slabs_come_together():
    for whole in (sweep(), acquired()):
        slabs = slabs_of(whole)
        values = np.arange(np.prod(whole.shape)).reshape(whole.shape)
        parts = [values.ravel()[list(slab.places)].reshape(slab.sweep.shape) for slab in slabs]
        np.testing.assert_array_equal(join(whole, slabs, parts), values)


def test_a_name_depends_on_what_is_in_the_slab_alone():
    names = {slab.name for slab in slabs_of(sweep())}
    assert names < {slab.name for slab in slabs_of(sweep(periods=(5.0, 6.0, 8.0)))}
    assert names < {slab.name for slab in slabs_of(sweep(Deltas=(20.0, 15.0, 10.0)))}
    assert names < {slab.name for slab in slabs_of(sweep(kappas=(0.01, 0.03)))}
    # The order of strengths and directions does not count, what they are does.
    assert names == {slab.name for slab in slabs_of(sweep(bs=(0.5, 1.0, 2.0), n=(X, Y)))}
    for other in (sweep(bs=(0.5, 2.0)), sweep(bs=(0.5, 2.0, 1.5)), sweep(n=(X,))):
        assert not names & {slab.name for slab in slabs_of(other)}


def test_sigma0_and_permeability_share_slabs():
    one = sweep(periods=(8.0,), kappas=(0.04,))
    other = Sweep((8.0,), "sigma0", (5.0,), one.protocol)
    assert other.kappa(8.0, 5.0) == 0.04
    assert [s.name for s in slabs_of(one)] == [s.name for s in slabs_of(other)]


def test_a_name_is_readable():
    (first, *_) = slabs_of(sweep())
    assert first.name.startswith("L5_kappa0.03_pgse-4-10_")
