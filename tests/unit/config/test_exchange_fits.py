"""Models of measured tables fitted to studies: what a configuration says, and what is refused."""

from __future__ import annotations

import json

import pytest
from support.configurations import GOOD

from torrey.workflow.layout import Layout

STUDIES = """\
  across: &across
    geometry: tissue
    diffusivity: {outside: 2.5e-3 mm^2/s, inside: 1.2e-3 mm^2/s}
    period: [3 um, 6 um]
    permeability: [8e-5 m/s, 2e-4 m/s]
    waveform: {kind: pgse, delta: 4 ms, Delta: [12 ms, 30 ms]}
    b: [0 s/mm^2, 1000 s/mm^2, 2000 s/mm^2, 4000 s/mm^2]
    directions: [[1, 0]]
    models: [reference, R0]
  powder: {<<: *across, directions: {lebedev: 5}}
figures:
"""
INVERSIONS = """\
inversions:
  times:
    kind: exchange
    model: karger
    studies: across
    snr: 50
    fixed: {D_c: 0 um^2/ms}
    bounds: {t_ex: [2 ms, 2 s]}
  sticks: {kind: exchange, model: nexi, studies: powder, signals: R0, anisotropic: true}
"""
WITH = GOOD.replace("figures:\n", STUDIES, 1) + INVERSIONS


def edited(old: str, new: str, text: str = WITH) -> str:
    assert text.count(old) == 1, f"{old!r} must stand once in the file"
    return text.replace(old, new)


def test_an_inversion_says_what_is_fitted_to_which_signals(read):
    config = read(WITH)
    times, sticks = config.inversions["times"], config.inversions["sticks"]
    assert (times.kind, times.studies, times.data, times.snr) == (
        "exchange",
        ("across",),
        ("reference",),
        50.0,
    )
    assert times.settings is not None
    assert times.settings.fixed == {"D_c": 0.0}
    assert times.settings.bounds == {"t_ex": (2.0, 2000.0)}
    assert sticks.settings is not None
    assert (sticks.data, sticks.snr) == (("R0",), None)
    assert sticks.settings.options == {"anisotropic": True}
    inputs = Layout(config).inversion_inputs(times)
    assert inputs == {
        "signals": ["results/studies/across/signals.nc"],
        "operators": ["results/geometry/tissue/operators.nc"],
    }


def test_the_words_of_other_inversions_are_what_they_were(read):
    text = edited("  times:", "  water: {kind: physical, studies: one, models: R0}\n  times:")
    one = "  one: {<<: *across, period: 3 um}\nfigures:\n"
    plain = json.loads(read(text.replace("figures:\n", one, 1)).inversions["water"].to_json())
    assert not {"settings", "snr"} & set(plain)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("snr: 50", "snr: 60"),
        ("[2 ms, 2 s]", "[2 ms, 3 s]"),
        ("    model: karger\n", "    model: karger\n    seed: 2\n"),
        ("    model: karger\n", "    model: karger\n    signals: R0\n"),
    ],
)
def test_what_is_fitted_is_among_the_parameters_of_the_job(read, old, new):
    before, after = (read(text).inversions["times"].to_json() for text in (WITH, edited(old, new)))
    assert before != after


WALLS = edited("permeability: [8e-5 m/s, 2e-4 m/s]", "permeability: [0 m/s, 2e-4 m/s]")
REFUSED = {
    "no permeability": (WALLS, "permeabilities are above zero"),
    "no such model": (edited("model: karger", "model: kargr"), "karger"),
    "no such signals": (edited("snr: 50", "signals: R2"), "one with R2 among its models"),
    "means": (edited("studies: powder", "studies: across"), "lebedev"),
    "time held": (edited("{D_c: 0 um^2/ms}", "{t_ex: 20 ms}"), "which is asked for"),
    "no such parameter": (edited("{t_ex: [2 ms, 2 s]}", "{T: [2 ms, 2 s]}"), "t_ex"),
    "a filter": (edited("model: karger", "model: fexi-axr").replace(
        "    fixed: {D_c: 0 um^2/ms}\n    bounds: {t_ex: [2 ms, 2 s]}\n", ""), "mixing_time"),
    "two materials": (edited("studies: across", "studies: [across, powder]"), "one diffusivity"),
    "no such study": (edited("studies: across", "studies: acros"), "entry of studies"),
    "too few rows": (edited("1000 s/mm^2, 2000 s/mm^2, 4000 s/mm^2", "900 s/mm^2"), "unknowns"),
    "no ratio": (edited("snr: 50", "snr: 0"), "above 0"),
    "relaxation": (edited("    directions: [[1, 0]]\n    models: [reference, R0]\n  powder",
        "    directions: [[1, 0]]\n    T2: {outside: 80 ms, inside: 40 ms}\n"
        "    models: [reference, R0]\n  powder"), "without T2"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_fitted_is_refused_with_what_is_accepted(messages, text, said):
    found = messages(text)
    assert any(said in problem and "inversions." in problem for problem in found), found
