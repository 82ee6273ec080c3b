"""The line of a tenth of bias of fitted exchange times: where it lies, and what it needs."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure
from support.configurations import GOOD, load_texts

from torrey.base import artifacts
from torrey.base.provenance import Provenance
from torrey.base.stored import Variable
from torrey.figures import catalogue
from torrey.figures.fitted_times import bias_group, draw_bias, explained_bias, read_bias
from torrey.figures.sources import SourceFiles

PERIODS = np.geomspace(1.0, 16.0, 5)
KAPPAS = np.geomspace(1e-3, 1e-1, 4)
#: Period at which the bias is a tenth.
BORDER = 4.0


def write_fit(path, lost: int = 0, cells: int = 20) -> str:
    """Fits whose bias is 0.1 (L/BORDER)^2; the last ones have no value."""
    period, kappa = (a.ravel() for a in np.meshgrid(PERIODS, KAPPAS, indexing="ij"))
    true = period / kappa
    fitted = true * (1.0 - 0.1 * (period / BORDER) ** 2 * np.where(kappa < 0.01, 1.0, -1.0))
    error = np.full(20, 1.0)
    error[20 - lost :] = np.nan
    columns = {
        "period": (period, "um"),
        "permeability": (kappa, "um ms-1"),
        "exchange_time": (true, "ms"),
        "fitted_exchange_time": (fitted, "ms"),
        "fitted_exchange_time_error": (error, "ms"),
    }
    group = {
        name: Variable(("cell",), values[:cells], unit, name, {"allow_missing": True})
        for name, (values, unit) in columns.items()
    }
    group["model"] = Variable((), "karger", "", "model")
    group["snr"] = Variable((), 100.0, "1", "ratio")
    path.parent.mkdir(parents=True, exist_ok=True)
    artifacts.write(path, group, Provenance("test"))
    return str(path)


def test_the_line_is_where_the_bias_is_a_tenth(tmp_path):
    bias = read_bias(write_fit(tmp_path / "fit.nc"))
    np.testing.assert_allclose(bias, np.outer(0.1 * (PERIODS / BORDER) ** 2, np.ones(4)))
    ax = Figure().subplots()
    ax.set(xscale="log", yscale="log", xlim=(1e-2, 10.0), ylim=(1e-3, 1.0))
    draw_bias(ax, bias, product=10.0, diffusivity=2.0)
    (line,) = ax.collections
    points = np.concatenate([path.vertices for path in line.get_paths()])
    np.testing.assert_allclose(points[:, 0], 10.0 / BORDER**2, rtol=1e-6)
    assert points[:, 1].min() == pytest.approx(KAPPAS[0] * BORDER / 2.0)
    assert ax.get_xlim() == (1e-2, 10.0)
    assert "10 % bias of Karger's exchange time" in str(explained_bias(bias).get_label())
    group = bias_group(bias)
    assert group["exchange_time_bias"].dims == ("fitted_period", "fitted_permeability")


def test_a_fit_without_a_value_is_biased_without_end(tmp_path):
    bias = read_bias(write_fit(tmp_path / "fit.nc", lost=2))
    assert np.isinf(bias.values[-1, -2:]).all()
    assert np.isfinite(bias.values[-1, :2]).all()


def test_cells_are_a_grid(tmp_path):
    with pytest.raises(ValueError, match="several periods and permeabilities"):
        read_bias(write_fit(tmp_path / "fit.nc", cells=19))


def test_fits_are_named_by_their_folders(tmp_path):
    path = write_fit(tmp_path / "grid" / "fit.nc")
    files = SourceFiles({"signals": {"map": "s.nc"}}).with_fits([path])
    assert files.files["fit"] == {"grid": path}
    assert files.files["signals"] == {"map": "s.nc"}


WATER = (
    "inversions:\n  water: {kind: physical, studies: mine, models: R0}\n"
    "  times: {kind: exchange, model: karger, studies: mine}\n"
)


@pytest.mark.parametrize(
    ("figure", "said"),
    [
        ("kl23_fig1: {geometries: [tissue], fits: [times]}", "this figure does not show"),
        ("validity_map: {studies: [mine], fits: [water]}", "accepted: one of kind exchange"),
    ],
)
def test_what_shows_no_such_fits_is_refused(tmp_path, figure, said):
    text = GOOD[: GOOD.index("figures:")].replace("period: [6 um, 12 um]", "period: 6 um")
    strengths = "b: [0 ms/um^2, 0.5 ms/um^2, 1 ms/um^2, 2 ms/um^2, 4 ms/um^2]"
    text = text.replace("b: [0.5 ms/um^2, 1000 s/mm^2]", strengths)
    config = load_texts(tmp_path, f"{text}{WATER}figures:\n  {figure}\n")
    assert any(".fits: " in problem and said in problem for problem in catalogue.problems(config))
