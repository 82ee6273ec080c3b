"""Inversions in a configuration: what they mean, and what is refused with its place."""

from __future__ import annotations

import json

import pytest
from support.configurations import GOOD, line_of

from torrey.workflow import layout as paths
from torrey.workflow.layout import Layout

INVERSIONS = """\
inversions:
  exchange:
    kind: karger
    studies: one
    data: [reference, R0]
    constraint: true
    starts: [10, 20]
    noise: {kind: rician, snr: [20, 50], repeats: 8}
  water:
    kind: physical
    studies: [sweep]
    models: [R0, R2, P4]
"""
ONE = """\
  one: &one
    geometry: tissue
    diffusivity: {outside: 2.5e-3 mm^2/s, inside: 1.2e-3 mm^2/s}
    period: 6 um
    permeability: 8e-5 m/s
    waveform: {kind: pgse, delta: 4 ms, Delta: 12 ms}
    gradient: [15 rad/(mm ms), 30 rad/(mm ms)]
    directions: [[1, 0], [0, 1]]
    models: [reference, R0]
  sweep:
    <<: *one
    permeability: [8e-5 m/s, 2e-4 m/s]
figures:
"""
WITH = GOOD.replace("figures:\n", ONE, 1) + INVERSIONS


def edited(old: str, new: str, text: str = WITH) -> str:
    assert text.count(old) == 1, f"{old!r} must stand once in the file"
    return text.replace(old, new)


def test_an_inversion_says_what_is_fitted(read):
    exchange = read(WITH).inversions["exchange"]
    assert exchange.kind == "karger"
    assert exchange.studies == ("one",)
    assert exchange.data == ("reference", "R0")
    assert exchange.starts == (10, 20)
    assert exchange.constraint is True
    assert (exchange.symmetric, exchange.profile, exchange.seed) == (False, False, 1)
    assert exchange.noise == ("rician", (20.0, 50.0), 8)


def test_physical_parameters_are_all_fitted_unless_some_are_named(read):
    assert read(WITH).inversions["water"].parameters == ("kappa", "D_e", "D_c")
    some = read(edited("    models: [R0, R2, P4]", "    models: P4\n    parameters: kappa"))
    assert some.inversions["water"].parameters == ("kappa",)
    assert some.inversions["water"].models == ("P4",)


def test_what_a_job_depends_on_does_not_change_with_its_name(read):
    one = read(WITH).inversions["exchange"]
    other = read(edited("  exchange:", "  renamed:")).inversions["renamed"]
    assert one.to_json() == other.to_json()
    assert json.loads(one.to_json())["starts"] == [10, 20]
    assert one.to_json() != read(edited("[10, 20]", "[10, 30]")).inversions["exchange"].to_json()


def test_fits_read_signals_and_what_tells_the_truth(read):
    config = read(WITH)
    layout = Layout(config)
    exchange = layout.inversion_inputs(config.inversions["exchange"])
    assert exchange == {
        "signals": ["results/studies/one/signals.nc"],
        "tensors": "results/tensors/tissue/De2.5_Di1.2/tensors.nc",
    }
    water = layout.inversion_inputs(config.inversions["water"])
    assert water["operators"] == paths.OPERATORS.format(geometry="tissue")


def test_a_figure_may_show_inversions(read):
    text = edited("  plot: {studies: [mine]}", "  plot: {inversions: [exchange, water]}")
    assert read(text).figures["plot"].inversions == ("exchange", "water")


REFUSED = {
    "no kind": (("    kind: karger\n", ""), "exchange.kind", "karger or physical"),
    "another kind": (("kind: karger", "kind: neural"), "exchange.kind", "karger or physical"),
    "an unknown key": (("constraint: true", "constrain: true"), "constrain", "did you mean"),
    "an unknown study": (("studies: one", "studies: ones"), "exchange.studies", "did you mean"),
    "an unknown model": (("[reference, R0]\n    con", "[R7]\n    con"), "data[0]", "study one"),
    "starts below one": (("[10, 20]", "[0]"), "starts", "at least 1"),
    "starts twice": (("[10, 20]", "[10, 10]"), "starts[1]", "each value once"),
    "a negative ratio": (("snr: [20, 50]", "snr: [-20]"), "noise.snr", "above 0"),
    "a ratio twice": (("snr: [20, 50]", "snr: [20, 20]"), "noise.snr[1]", "each value once"),
    "one repeat": (("repeats: 8", "repeats: 1"), "noise.repeats", "at least 2"),
    "another noise": (("kind: rician", "kind: pink"), "noise.kind", "gaussian or rician"),
    "a sweep of cells": (
        ("studies: one", "studies: sweep"),
        "exchange.studies",
        "one permeability",
    ),
    "other cells": (("studies: one", "studies: [one, mine]"), "studies[1]", "one geometry"),
    "two studies": (("[sweep]", "[sweep, one]"), "water.studies", "one, which may sweep"),
    "a lumped model": (("[R0, R2, P4]", "[lumped-R0]"), "models[0]", "R0, R1, R2"),
    "order four": (("[R0, R2, P4]", "[R4]"), "models[0]", "R0, R1, R2"),
}


@pytest.mark.parametrize("case", REFUSED, ids=str)
def test_what_cannot_be_is_refused_with_its_place(messages, case):
    edit, key, accepted = REFUSED[case]
    found = [text for text in messages(edited(*edit)) if "inversions." in text]
    assert found
    assert any(key in text and accepted in text for text in found), found
    assert all(text.startswith("mine.yaml:") for text in found)


def test_an_unknown_parameter_is_refused(messages):
    text = edited("    models: [R0, R2, P4]", "    models: P4\n    parameters: [kappa, T2]")
    (message,) = messages(text)
    assert message.startswith(f"mine.yaml:{line_of(text, 'parameters:')}: ")
    assert "one or more of kappa, D_e, D_c" in message


RADIUS = edited("    models: [R0, R2, P4]", "    models: P4\n    parameters: [kappa, radius]")
SECOND = "      - {center: [0.72, 0.66], radius: 0.17}\n"
OUTSIDE = "diffusivity: {outside: 2.5e-3 mm^2/s}, permeability: 0 m/s"
LAYERED = OUTSIDE.replace("}", ", inside: 1e-3 mm^2/s, layer: 1e-5 mm^2/s}")


def other_study(geometry: str, changes: str) -> str:
    """A study of another geometry, of which the radius is asked for."""
    study = (
        f"  other: {{<<: *one, geometry: {geometry}, {changes}, models: [reference]}}\nfigures:\n"
    )
    coated = "  coated: {kind: discs, cells: [{center: [0.5, 0.5], radius: 0.3}], layer: 0.02}\n"
    text = edited("figures:\n", study, edited("studies: [sweep]", "studies: other", RADIUS))
    return edited("studies:\n  mine:", f"{coated}studies:\n  mine:", text)


def test_the_radius_of_one_disc_may_be_fitted(read):
    inversion = read(edited(SECOND, "", RADIUS)).inversions["water"]
    assert inversion.parameters == ("kappa", "radius")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (RADIUS, "of 2 discs"),
        (other_study("stones", OUTSIDE), "of obstacles"),
        (other_study("coated", LAYERED), "of discs with layers"),
        (other_study("layers", "directions: [[1]]"), "of layers"),
    ],
    ids=["several", "obstacle", "layer", "layers"],
)
def test_a_radius_is_that_of_one_disc_or_sphere(messages, text, found):
    (message,) = [m for m in messages(text) if "radius in study" in m]
    assert message.startswith(f"mine.yaml:{line_of(text, 'parameters:')}: ")
    assert "inversions.water.parameters[1]" in message
    assert found in message
    assert "one disc or one sphere, with water inside and no layer" in message


def test_an_impermeable_cell_cannot_be_inverted(messages):
    text = edited("    permeability: 8e-5 m/s", "    permeability: 0 m/s")
    assert any("permeabilities are above zero" in message for message in messages(text))


def test_relaxation_stands_in_the_way(messages):
    old = "    gradient: [15 rad"
    text = edited(old, f"    T2: {{outside: 80 ms, inside: 60 ms}}\n{old}")
    assert any("without T2" in message for message in messages(text))


def test_a_reference_is_what_physical_parameters_are_fitted_to(messages):
    text = edited("    models: [reference, R0]\n  sweep:", "    models: [R0]\n  sweep:")
    assert any("one with a reference" in message for message in messages(text))


def test_layers_let_water_through_to_the_next_period(messages):
    old = "  one: &one\n    geometry: tissue"
    flat = edited("thicknesses: [0.6, 0.4]", "thicknesses: [0.6, 0.4], dimension: 2")
    text = edited(old, "  one: &one\n    geometry: layers", flat)
    assert any("discs or spheres" in message for message in messages(text))
