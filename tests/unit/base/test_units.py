"""Quantities come in with their units, and equal quantities come out equal."""

from __future__ import annotations

import math

import pytest

from torrey.base.errors import InputError
from torrey.base.units import PROTON_GYROMAGNETIC_RATIO, UNITS, UnitError, parse


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("6 um", "length", 6.0),
        ("6 µm", "length", 6.0),  # micro sign
        ("6 μm", "length", 6.0),  # Greek letter
        ("6micrometer", "length", 6.0),
        ("0.006 mm", "length", 6.0),
        ("1e-5 m", "length", 10.0),
        ("-3 um", "length", -3.0),
        ("5 ms", "time", 5.0),
        ("+.005 s", "time", 5.0),
        ("80 ms", "relaxation_time", 80.0),
        ("3e-3 mm^2/s", "diffusivity", 3.0),
        ("3e-3 mm**2/s", "diffusivity", 3.0),
        ("3e-3 mm²/s", "diffusivity", 3.0),
        ("3e-9 m^2/s", "diffusivity", 3.0),
        ("1.7 um^2/ms", "diffusivity", 1.7),
        ("850 s/mm^2", "b_value", 0.85),
        ("850 s/mm**2", "b_value", 0.85),
        ("0 s/mm^2", "b_value", 0.0),
        ("1 ms/um^2", "b_value", 1.0),
        ("5e-5 m/s", "permeability", 0.05),
        ("2e-2 m/s", "permeability", 20.0),
        ("0.2 rad/um", "q", 0.2),
        ("200 rad/mm", "q", 0.2),
        ("15 rad/(mm ms)", "gradient", 0.015),
        ("15 rad/(mm*ms)", "gradient", 0.015),
        ("15 rad/mm/ms", "gradient", 0.015),
        # As they stand in tables, in the headers of files and in the attributes of NetCDF.
        ("3e-3 mm2/s", "diffusivity", 3.0),
        ("1.7 um2/ms", "diffusivity", 1.7),
        ("1.7 µm2/ms", "diffusivity", 1.7),
        ("3e-9 m2/s", "diffusivity", 3.0),
        ("3e-3 mm2 s-1", "diffusivity", 3.0),
        ("850 s/mm2", "b_value", 0.85),
        ("850s/mm2", "b_value", 0.85),
        ("1e3 s/mm2", "b_value", 1.0),
        ("850 s mm-2", "b_value", 0.85),
        ("1 ms um-2", "b_value", 1.0),
        ("5e-5 m s-1", "permeability", 0.05),
        ("0.2 rad um-1", "q", 0.2),
    ],
)
def test_quantities_are_read_exactly(text, kind, expected):
    assert parse(text, kind) == expected


def test_field_gradients_are_those_of_protons():
    assert parse("300 mT/m", "gradient") == pytest.approx(0.3 * PROTON_GYROMAGNETIC_RATIO * 1e-9)
    assert parse("0.3 T/m", "gradient") == parse("300 mT/m", "gradient")


def test_turns_are_not_radians():
    assert parse("1 turn/um", "q") == pytest.approx(2 * math.pi, rel=1e-11)
    with pytest.raises(UnitError):
        parse("1 um^-1", "q")


@pytest.mark.parametrize("kind", UNITS)
def test_the_ways_to_write_a_quantity_are_the_same_quantity(kind):
    values = {text: parse(text, kind) for text in UNITS[kind].ways}
    assert len(values) >= 2
    assert len(set(values.values())) == 1, values


@pytest.mark.parametrize("kind", UNITS)
def test_the_names_of_units_in_files_are_read(kind):
    assert parse(f"1 {UNITS[kind].cf}", kind) == 1.0


@pytest.mark.parametrize("kind", UNITS)
def test_examples_in_messages_are_accepted(kind):
    assert parse(UNITS[kind].example, kind) > 0
    assert parse(f"1 {UNITS[kind].internal}", kind) == 1.0


@pytest.mark.parametrize(
    ("text", "kind", "found"),
    [
        ("6", "length", '"6" (a bare number), accepted'),
        (6, "length", '"6" (a bare number), accepted'),
        ("1e3", "b_value", '"1e3" (a bare number), accepted'),
        ("1E-3", "diffusivity", '"1E-3" (a bare number), accepted'),
        (" 2.0 ", "length", '" 2.0 " (a bare number), accepted'),
        ("-.5", "length", '"-.5" (a bare number), accepted'),
        (1e3, "b_value", '"1000.0" (a bare number), accepted'),
        (True, "length", '"True", accepted'),
        (None, "length", '"None", accepted'),
        ("", "length", '"", accepted'),
        ("um", "length", '"um", accepted'),
        ("1/3 um", "length", '"1/3 um"'),
        ("nan um", "length", '"nan um"'),
        ("inf ms", "time", '"inf ms"'),
        ("1e999 um", "length", '"1e999 um" (not finite)'),
        ("5 ms", "length", '"5 ms" (a time)'),
        ("3 um^2/ms", "b_value", '"3 um^2/ms" (a diffusivity)'),
        ("15 rad/(mm ms)", "q", '"15 rad/(mm ms)" (a gradient)'),
        ("5 kg", "time", '"5 kg" (not a time)'),
        ("6 umm", "length", '(unknown unit "umm")'),
        ("6 um^", "length", '(unknown unit "um^")'),
        ("6 (um", "length", '(unknown unit "(um")'),
        ("6 um 2", "length", '(unknown unit "um 2")'),
        ("6 um2", "length", '"6 um2" (not a length)'),
        ("6 mm12", "length", '(unknown unit "mm12")'),
        ("3 mm2^2/s", "diffusivity", '(unknown unit "mm2^2/s")'),
        ("6 e3 um", "length", '"6 e3 um" (not a length)'),
        ("6 um**um", "length", '(unknown unit "um**um")'),
        ("6,5 um", "length", '(unknown unit ",5 um")'),
    ],
)
def test_what_is_not_a_quantity_is_refused_with_an_example(text, kind, found):
    with pytest.raises(UnitError) as refusal:
        parse(text, kind)
    assert found in str(refusal.value)
    assert f'such as "{UNITS[kind].example}"' in str(refusal.value)


def test_unit_errors_are_value_errors():
    assert issubclass(UnitError, InputError)
    assert issubclass(InputError, ValueError)
