"""Quantities at the border: texts, pint and plain numbers are one; what is refused is named."""

from __future__ import annotations

import math

import numpy as np
import pint
import pytest
import xarray

import torrey as tr
from torrey.base.units import UNITS, UnitError
from torrey.door.quantities import is_list, quantities

ureg = pint.UnitRegistry()
DISC = tr.Discs((tr.Disc((0.5, 0.5), 0.4),))


@pytest.mark.parametrize(
    ("kind", "number", "text", "other"),
    [
        ("length", 10.0, "10 um", 1e-5 * ureg.meter),
        ("time", 5.0, "5 ms", 5000 * ureg.us),
        ("diffusivity", 1.7, "1.7e-3 mm^2/s", ureg.Quantity(1.7e-9, "m^2/s")),
        ("b_value", 0.85, "850 s/mm^2", ureg.Quantity(850, "s/mm^2")),
        ("permeability", 0.05, "5e-5 m/s", ureg.Quantity(50, "um/s")),
        ("q", 0.2, "0.2 rad/um", ureg.Quantity(200, "rad/mm")),
        ("angle", 90.0, "90 deg", ureg.Quantity(90, "deg")),
    ],
)
def test_texts_pint_and_numbers_are_equal(kind, number, text, other):
    assert (
        tr.quantity(number, kind) == tr.quantity(text, kind) == tr.quantity(other, kind) == number
    )
    assert tr.quantity(np.float32(number), kind) == pytest.approx(number, rel=1e-7)


def test_a_gradient_is_G_or_gamma_G():
    gamma_G = tr.quantity("80 mT/m", "gradient")
    assert gamma_G == pytest.approx(2.6752218744e8 * 0.08 * 1e-9, rel=1e-11)
    assert tr.quantity(ureg.Quantity(80, "mT/m"), "gradient") == gamma_G
    assert tr.quantity(ureg.Quantity(gamma_G, "rad/um/ms"), "gradient") == gamma_G


@pytest.mark.parametrize(
    "values",
    [
        ["850 s/mm^2", "2000 s/mm^2"],
        (0.85, "2000 s/mm^2"),
        np.array([0.85, 2.0]),
        np.array(["850 s/mm^2", "2 ms/um^2"]),
        ureg.Quantity([850, 2000], "s/mm^2"),
        [ureg.Quantity(850, "s/mm^2"), 2],
        xarray.DataArray([0.85, 2.0], dims="b"),
    ],
    ids=lambda values: type(values).__name__,
)
def test_lists_of_all_kinds(values):
    assert is_list(values)
    assert quantities(values, "b_value") == (0.85, 2.0)


@pytest.mark.parametrize("one", ["850 s/mm^2", 0.85, np.float64(0.85), np.array(0.85)])
def test_one_value_is_no_list(one):
    assert not is_list(one)
    assert quantities(one, "b_value") == (0.85,)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (1000, "b_value"),  # meant in s/mm^2
        (3e-3, "diffusivity"),  # mm^2/s
        (5e-5, "permeability"),  # m/s
        (5e-3, "time"),  # s
        (80, "gradient"),  # mT/m
    ],
)
def test_numbers_of_another_habit_need_their_unit(value, kind):
    with pytest.raises(UnitError, match="without a unit, from"):
        tr.quantity(value, kind)
    least = f"{2 * UNITS[kind].least} {UNITS[kind].internal.replace('degree', 'deg')}"
    assert tr.quantity(least, kind) == 2 * UNITS[kind].least


@pytest.mark.parametrize("value", [True, None, math.nan, math.inf, "5", 1j, "5 ms ms", [1]])
def test_what_is_no_quantity(value):
    with pytest.raises(UnitError, match="a time with its unit"):
        tr.quantity(value, "time")


def test_what_is_no_kind():
    with pytest.raises(tr.InputError, match="kind: found"):
        tr.quantity("5 ms", "duration")


def test_each_value_stands_once():
    with pytest.raises(tr.InputError, match=r"\[1\]: found \"850 s/mm\^2\", the same as value 0"):
        quantities([0.85, "850 s/mm^2"], "b_value")
    with pytest.raises(tr.InputError, match="0 values"):
        quantities([], "b_value")


def layered(**changes):
    return tr.Cell(**({"shape": DISC, "diffusivity": 2.0, "period": 10} | changes))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: layered(period="10 ms"),
            r'Cell(period=...): found "10 ms" (a time), accepted: a len',
        ),
        (lambda: layered(period=0), "Cell(period=...): found 0, accepted: a length"),
        (lambda: layered(shape="disc"), "Cell(shape=...): found"),
        (lambda: layered(permeability=[1, 1]), "Cell(permeability=...): found 2 values"),
        (lambda: layered(permeability=[-1]), "Cell(permeability=...)[0]: found -1"),
        (
            lambda: layered(surface_relaxivity=[1, 1]),
            "Cell(surface_relaxivity=...): found 2 values",
        ),
        (
            lambda: layered(diffusivity={"outside": 2}),
            "Cell(diffusivity=...): found nothing for ce",
        ),
        (
            lambda: layered(diffusivity={"inside": 2}),
            "Cell(diffusivity=...): found nothing for outs",
        ),
        (lambda: layered(diffusivity={"around": 2}), 'Cell(diffusivity=...): found "around"'),
        (lambda: layered(diffusivity=[1, 2, 3]), "Cell(diffusivity=...): found 3 values"),
        (lambda: layered(diffusivity=[2, -1]), "Cell(diffusivity=...)[1]: found -1"),
        (lambda: layered(diffusivity=np.eye(4)), "Cell(diffusivity=...)[0]: found a matrix of 4"),
        (lambda: layered(T2={"outside": 80, "inside": "8 um"}), "Cell(T2=...).inside: found"),
        (lambda: layered(density="1"), "Cell(density=...): found"),
        (lambda: layered(mesh="fine"), "Cell(mesh=...): found"),
        (lambda: layered(mesh=0.7), "Cell(mesh=...).size: found 0.7"),
        (lambda: layered(mesh=tr.MeshOptions(0.1, 0)), "Cell(mesh=...): found"),
        (lambda: layered().with_(period="x"), "Cell.with_(period=...): found"),
        (lambda: layered().with_(perod=1), 'Cell.with_(...): found "perod"'),
        (lambda: tr.Pgse("5 um", 25), 'Pgse(delta=...): found "5 um" (a length)'),
        (lambda: tr.Pgse(5, 2), "Pgse(delta=...): found delta = 5 ms with Delta = 2 ms"),
        (lambda: tr.Pgse(5, 25, echo_time=2), "Pgse(echo_time=...): found echo_time = 2 ms"),
        (lambda: tr.SineOgse(20, 30, 1.5), "SineOgse(cycles=...): found cycles = 1.5"),
        (lambda: tr.SineOgse(20, 30, "2"), "SineOgse(cycles=...): found"),
        (lambda: tr.read_waveform("nowhere.csv"), "read_waveform(path=...)"),
    ],
)
def test_errors_name_the_argument(make, message):
    with pytest.raises(tr.InputError) as caught:
        make()
    assert str(caught.value).startswith(message)


PGSE = tr.Pgse("5 ms", "25 ms")
GOOD = {"waveform": PGSE, "b": 1.0, "direction": (0, 1)}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"b": "1 mm"}, "Cell.signal(b=...): found"),
        ({"b": [1, "x"]}, "Cell.signal(b=...)[1]: found"),
        ({"b": -1}, "Cell.signal(b=...): found -1"),
        ({"b": None}, "Cell.signal(...): found no strength of the gradients"),
        ({"q": 1.0}, "Cell.signal(...): found b and q, accepted: exactly one"),
        ({"b": "9e5 s/mm^2"}, "Cell.signal(b=...): found b D up to"),
        ({"direction": None}, "Cell.signal(direction=...): found no direction"),
        ({"direction": (1, 0, 0, 0)}, "Cell.signal(direction=...): found"),
        (
            {"direction": [(1, 0), (0, 0)]},
            "Cell.signal(direction=...)[1]: found a vector of length 0",
        ),
        ({"direction": [(1, 0), (2, 0)]}, "Cell.signal(direction=...)[1]: found"),
        ({"waveform": "pgse"}, "Cell.signal(waveform=...): found"),
        ({"waveform": [PGSE, PGSE]}, "Cell.signal(waveform=...)[1]: found pgse-5-25 a second time"),
        ({"model": "R"}, "Cell.signal(model=...): found"),
        ({"model": ["R0", "Pade"]}, "Cell.signal(model=...)[1]: found Pade, accepted: R2: "),
        ({"model": []}, "Cell.signal(model=...): found no model"),
        ({"tolerance": 0}, "Cell.signal(tolerance=...): found 0"),
        ({"method": "fast"}, "Cell.signal(method=...): found"),
    ],
)
def test_errors_of_a_signal_name_the_argument(cell, changes, message):
    with pytest.raises(tr.InputError) as caught:
        cell.signal(**(GOOD | changes))
    assert str(caught.value).startswith(message)
