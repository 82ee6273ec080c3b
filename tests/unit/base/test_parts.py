"""Files that are written part by part hold what they would hold written whole."""

from __future__ import annotations

import numpy as np
import pytest

from torrey.base import artifacts
from torrey.base.provenance import Provenance
from torrey.base.stored import Variable

VALUES = np.arange(35.0).reshape(5, 7)
EMPTY = {"x": Variable(("i", "j"), np.broadcast_to(np.float64(0.0), (5, 7)), "1", "numbers")}
HALVES = [slice(0, 3), slice(3, 5)]


def write(path, parts) -> None:
    axes = {"i": Variable(("i",), np.arange(5), "1", "rows")}
    artifacts.write_in_parts(path, axes, EMPTY, (3, 4), parts, Provenance("test"))


def test_parts_are_the_whole(tmp_path):
    path = tmp_path / "whole.nc"
    write(path, (((half,), {"x": VALUES[half]}) for half in HALVES))
    assert (artifacts.read(path)["x"] == VALUES).all()
    again = tmp_path / "again.nc"
    write(again, (((half,), {"x": VALUES[half]}) for half in HALVES))
    assert path.read_bytes() == again.read_bytes()


def test_what_is_left_empty_or_not_finite_is_refused(tmp_path):
    path = tmp_path / "half.nc"
    with pytest.raises(ValueError, match="leave 14 values"):
        write(path, [((HALVES[0],), {"x": VALUES[HALVES[0]]})])
    with pytest.raises(ValueError, match="1 values are not finite"):
        write(path, [((HALVES[0],), {"x": np.where(VALUES[:3] == 2.0, np.nan, VALUES[:3])})])
    assert list(tmp_path.iterdir()) == []
