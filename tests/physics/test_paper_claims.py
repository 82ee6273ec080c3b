"""Numbers of docs/papers.md that no other test holds: how far models are from the reference.

Cells, sweeps and models are those of config/default.yaml. The numbers are the largest errors over
b, to the digits of the document.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import xarray

import torrey as tr

CONFIG = Path(__file__).parents[2] / "config" / "default.yaml"
PAPERS = Path(__file__).parents[2] / "docs" / "papers.md"


@cache
def signals(
    study: str, permeability: str = "", period: str = "", **waveform: float
) -> xarray.DataArray:
    """Signals of a study's models and the reference, at one period and permeability."""
    found = tr.load_study(CONFIG, study)
    cell = found.cell(period or None, permeability or None)
    measurements = [
        m
        for m in found.definition.sweep.protocol.measurements
        if all(getattr(m.waveform, name) == value for name, value in waveform.items())
    ]
    (form,) = {m.waveform for m in measurements}
    b = [f"{x} ms/um^2" for x in sorted({round(m.b, 9) for m in measurements})]
    names = [name for name in found.definition.models if name.startswith(("R", "r"))]
    return cell.signal(form, b=b, direction=measurements[0].direction, model=names, tolerance=1e-4)


def largest(found: xarray.DataArray, model: str, log: bool = False) -> float:
    """Largest distance of a model from the reference."""
    values, exact = found.sel(model=model).values, found.sel(model="reference").values
    return float(np.max(np.abs(np.log(values / exact) if log else values - exact)))


def said(number: str) -> None:
    """The document prints a number."""
    assert number in PAPERS.read_text(encoding="utf-8"), f"docs/papers.md does not print {number}"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("study", "permeability", "r0", "r2"),
    [
        ("kl23_fig6_Delta25", "5e-5 m/s", "0.155", "0.079"),
        ("kl23_fig6_Delta25", "7e-5 m/s", "0.150", "0.059"),
        ("kl23_fig6_Delta25", "1e-4 m/s", "0.139", "0.036"),
        ("kl23_fig6_Delta50", "5e-5 m/s", "0.081", "0.028"),
    ],
)
def test_errors_of_kl23_figure_6(study, permeability, r0, r2):
    found = signals(study, permeability)
    for model, number in (("R0", r0), ("R2", r2)):
        assert f"{largest(found, model):.3f}" == number
        said(number)


@pytest.mark.slow
def test_errors_of_kl23_figure_8():
    for permeability, r0, r2 in (("3e-4 m/s", 4.0, (3.6, 3.8)), ("6e-4 m/s", 7.0, (12.3, 12.7))):
        found = [signals("kl23_fig8", permeability, Delta=D) for D in (5.0, 10.0, 15.0)]
        errors = [largest(x, "R2") * 1e3 for x in found]
        assert min(errors) > r2[0] - 0.05
        assert max(errors) < r2[1] + 0.05
        assert [largest(x, "R0") * 1e2 for x in found] == pytest.approx([r0] * 3, abs=0.05)
    for number in ("3.6e-3 to 3.8e-3", "4.0e-2", "1.2e-2 to 1.3e-2", "7.0e-2"):
        said(number)


@pytest.mark.slow
def test_errors_of_chl14_figure_4_1():
    found = [signals("chl14_fig4_1", Delta=D) for D in (5.0, 15.0, 25.0, 35.0)]
    errors = [largest(x, "R0") for x in found]
    assert (min(errors), max(errors)) == pytest.approx((0.041, 0.045), abs=5e-4)
    assert largest(found[0], "R0", log=True) == pytest.approx(0.085, abs=5e-4)
    assert largest(found[-1], "R0", log=True) == pytest.approx(0.15, abs=5e-3)
    said("0.041 to 0.045")


@pytest.mark.slow
def test_errors_of_khm19_figures_2_and_3():
    for D, r2, r0 in ((2.5, "0.026", "0.086"), (5.0, "0.054", "0.071")):
        found = signals("khm19_fig3", Delta=D)
        assert (f"{largest(found, 'R2'):.3f}", f"{largest(found, 'R0'):.3f}") == (r2, r0)
        said(r2), said(r0)
    for period, better in (("7 um", True), ("10 um", False)):
        found = signals("khm19_fig2b", period=period)
        assert (largest(found, "R2") < largest(found, "R0")) is better
    assert largest(found, "R2") == pytest.approx(0.18, abs=5e-3)
    assert largest(found, "R0") == pytest.approx(0.06, abs=5e-3)
