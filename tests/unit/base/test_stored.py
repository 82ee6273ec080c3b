"""Objects become variables of a file and come back; what a file says stands at their fields."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from numpy.typing import NDArray

from torrey.base import artifacts
from torrey.base.provenance import Provenance
from torrey.base.stored import Variable, group_of, nested, object_of, stacked, stored


@dataclass(frozen=True)
class Line:
    number: tuple[int, ...] = field(metadata=stored(("axis",), "1", "number", dtype=np.int32))
    width: float = field(metadata=stored((), "rad um-1", "width"))


@dataclass(frozen=True)
class Scales:
    period: float = field(metadata=stored((), "um", "period L"))


@dataclass(frozen=True)
class Whole:
    signal: complex = field(metadata=stored((), "1", "signal S", dtype=complex))
    field_m: NDArray[np.complex128] = field(
        metadata=stored(
            ("node",), "1", ("Re m", "Im m"), name=("m", "m_imag"), dtype=complex, kind="field"
        )
    )
    level: int = field(metadata=stored((), "1", "mesh", name="mesh_level", dtype=np.int32))
    rates: NDArray[np.float64] = field(
        metadata=stored(("node", "axis"), "ms-1", "rate", allow_missing=True)
    )
    lines: tuple[Line, ...] = field(metadata=nested("line_", along="line"))
    scales: Scales = field(metadata=nested())
    names: tuple[str, ...] = field(metadata=stored(("node",), "", "name of the node"))
    extra: float | None = field(default=None, metadata=stored((), "1", "where there is one"))
    note: str = "not stored"


WHOLE = Whole(
    signal=0.5 + 0.25j,
    field_m=np.array([1.0 + 2.0j, 3.0 - 1.0j]),
    level=2,
    rates=np.array([[1.0, np.nan], [2.0, 3.0]]),
    lines=(Line((1, 0), 2.0), Line((1, 1), 3.0), Line((0, 1), 4.0)),
    scales=Scales(5.0),
    names=("a", "b"),
)


def test_a_group_has_the_variables_that_the_fields_say():
    group = group_of(WHOLE)
    assert {name: (v.dims, v.units, v.long_name) for name, v in group.items()} == {
        "signal_real": ((), "1", "signal S, real part"),
        "signal_imag": ((), "1", "signal S, imaginary part"),
        "m": (("node",), "1", "Re m"),
        "m_imag": (("node",), "1", "Im m"),
        "mesh_level": ((), "1", "mesh"),
        "rates": (("node", "axis"), "ms-1", "rate"),
        "line_number": (("line", "axis"), "1", "number"),
        "line_width": (("line",), "rad um-1", "width"),
        "period": ((), "um", "period L"),
        "names": (("node",), "", "name of the node"),
    }
    assert group["m_imag"].attributes == {"kind": "field"}
    assert group["rates"].attributes == {"allow_missing": True}
    assert np.asarray(group["mesh_level"].values).dtype == np.int32
    assert np.asarray(group["line_number"].values).dtype == np.int32
    np.testing.assert_array_equal(group["m_imag"].values, [2.0, -1.0])
    np.testing.assert_array_equal(group["line_width"].values, [2.0, 3.0, 4.0])


def test_an_object_comes_back_from_its_file(tmp_path):
    artifacts.write(tmp_path / "whole.nc", group_of(WHOLE), Provenance("test"))
    again = object_of(Whole, artifacts.read(tmp_path / "whole.nc"))
    assert again.signal == WHOLE.signal
    np.testing.assert_array_equal(again.field_m, WHOLE.field_m)
    np.testing.assert_array_equal(again.rates, WHOLE.rates)
    assert (again.level, again.lines, again.scales) == (2, WHOLE.lines, WHOLE.scales)
    assert type(again.level) is int
    assert (again.names, again.extra, again.note) == (("a", "b"), None, "not stored")


@dataclass(frozen=True)
class Counts:
    n: NDArray[np.int64] = field(metadata=stored(("i",), "1", "count", dtype=np.int32))


def test_integers_that_are_narrower_in_the_file_come_back_with_64_bits():
    assert object_of(Counts, {"n": np.array([1, 2], np.int32)}).n.dtype == np.int64


def test_a_variable_that_is_missing_is_named():
    with pytest.raises(KeyError, match="width"):
        object_of(Line, {"number": np.array([1, 2])})


@dataclass(frozen=True)
class Steps:
    begin: NDArray[np.float64] = field(
        metadata=stored(("{rule}_step",), "ms", "beginning, {rule}; int_{Y} u", name="{rule}_begin")
    )


@dataclass(frozen=True)
class Table:
    signal: NDArray[np.float64] = field(
        metadata=stored(("model", "*sweep"), "1", "signal with {noise} noise", noise="{noise}")
    )
    rules: dict[str, Steps] = field(metadata=nested(over="rule"))


def test_what_depends_on_the_object_is_given():
    rules = {rule: Steps(np.zeros(n)) for rule, n in (("floor", 2), ("ceil", 3))}
    table = Table(np.zeros((1, 2, 3)), rules)
    group = group_of(table, sweep=("b", "direction"), noise="rician")
    assert group["signal"].dims == ("model", "b", "direction")
    assert group["signal"].long_name == "signal with rician noise"
    assert group["signal"].attributes == {"noise": "rician"}
    assert group["ceil_begin"].dims == ("ceil_step",)
    assert group["floor_begin"].long_name == "beginning, floor; int_{Y} u"


def test_objects_are_stacked_along_a_new_dimension():
    group = stacked([Scales(1.0), Scales(2.0)], "cell")
    assert list(group) == ["period"]
    found = group["period"]
    assert isinstance(found, Variable)
    assert (found.dims, found.units, found.long_name) == (("cell",), "um", "period L")
    np.testing.assert_array_equal(found.values, [1.0, 2.0])
