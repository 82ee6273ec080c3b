"""From tables of signals to ``fit.nc`` and the figures drawn from it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import xarray
from support.figure_checks import draw_checked, overlapping_texts, texts

from torrey.base import artifacts
from torrey.base.errors import InputError
from torrey.base.provenance import Provenance
from torrey.base.stored import Variable, group_of
from torrey.figures.drawing import FigureFiles
from torrey.figures.inversions import _mark_cut, _shown_parameters
from torrey.gradients.sweep import Product, Sweep, WaveformGrid
from torrey.inversion.files import read_data
from torrey.inversion.problem import Parameters
from torrey.inversion.run import run_karger
from torrey.inversion.study import PhysicalResult
from torrey.models.karger import Exchange, FinitePulseKarger

PROVENANCE = Provenance("test")
SIGMA = 0.05
#: A cell of 0.6 with |Gamma| = 2: eta_e = 0.25, eta_c = 1/6 per ms.
SHARE = np.array([0.4, 0.6])
TENSORS = {
    "theta": SHARE,
    "eta": np.array([[2.0 / 0.4], [2.0 / 0.6]]),
    "D": np.array([np.diag([0.9, 1.1]), np.zeros((2, 2))]),
}
TRUTH = Exchange(0.25, SIGMA * 2.0 / 0.6, 0.6, TENSORS["D"][0])
INVERSION = {
    "kind": "karger",
    "starts": [1, 3],
    "seed": 1,
    "spread": 0.5,
    "data": ["reference", "R0"],
    "constraint": True,
    "symmetric": False,
    "profile": True,
    "noise": ["rician", [50.0, 200.0], 4],
    "models": [],
    "parameters": [],
}


def sweep(Delta: float, kappas: tuple[float, ...] = (SIGMA,)) -> Sweep:
    shapes = WaveformGrid("pgse", (("delta", (3.0,)), ("Delta", (Delta,))))
    gradients = tuple(np.linspace(0.0, 0.375, 6).tolist())
    protocol = Product(shapes, "gradient", gradients, ((1.0, 0.0), (0.0, 1.0)))
    return Sweep((1.0,), "permeability", kappas, protocol)


SWEEPS = (sweep(5.0), sweep(12.0))


def write_signals(path: Path, points: Sweep, imaginary: float = 0.0, bad: bool = False) -> str:
    """A table of the exact signals, and of those with an error of the model."""
    exact = FinitePulseKarger(points.protocol.measurements).signal(TRUTH)
    biased = exact + 1e-3 * (1.0 - exact)
    cells = len(points.periods) * len(points.permeabilities)
    signal = np.stack([np.tile(s, cells).reshape(points.shape) for s in (biased, exact)])
    if bad:
        signal[1].flat[3] = np.nan
    dims = ("model", *points.axes())
    missing = {"allow_missing": True}
    group = {
        "model": Variable(("model",), np.array(["reference", "R0"]), "", "model"),
        "signal_real": Variable(dims, signal, "1", "real part", missing),
        "signal_imag": Variable(dims, np.full_like(signal, imaginary), "1", "imaginary part"),
        "numerical_error": Variable(dims, np.full_like(signal, 1e-7), "1", "error"),
    }
    artifacts.write(path, group, PROVENANCE)
    return str(path)


def write_tensors(path: Path) -> str:
    dims = {
        "theta": ("compartment",),
        "eta": ("compartment", "membrane"),
        "D": ("compartment", "axis_i", "axis_j"),
    }
    group = {name: Variable(dims[name], TENSORS[name], "1", name) for name in dims}
    artifacts.write(path, group, PROVENANCE)
    return str(path)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """The file of an inversion."""
    directory = tmp_path_factory.mktemp("inversion")
    files = [write_signals(directory / f"signals{i}.nc", s) for i, s in enumerate(SWEEPS)]
    tensors = write_tensors(directory / "tensors.nc")
    group = run_karger(json.dumps(INVERSION), SWEEPS, files, tensors)
    artifacts.write(directory / "fit.nc", group, PROVENANCE)
    return directory / "fit.nc"


def test_measurements_of_several_studies_follow_each_other(tmp_path):
    files = [write_signals(tmp_path / f"{i}.nc", s) for i, s in enumerate(SWEEPS)]
    data = read_data(files, SWEEPS, "R0")
    points = tuple(m for s in SWEEPS for m in s.protocol.measurements)
    np.testing.assert_allclose(data.signal, FinitePulseKarger(points).signal(TRUTH), rtol=1e-13)
    assert data.error.shape == data.signal.shape


def test_cells_of_a_sweep_are_the_first_axis(tmp_path):
    points = sweep(5.0, (0.02, 0.05, 0.1))
    data = read_data([write_signals(tmp_path / "s.nc", points)], [points], "reference")
    assert data.signal.shape == (3, 12)


@pytest.mark.parametrize(
    ("options", "model", "text"),
    [
        ({}, "R2", "no signals of R2"),
        ({"imaginary": 1e-3}, "R0", "complex signals"),
        ({"bad": True}, "R0", "not finite"),
    ],
)
def test_signals_that_cannot_be_fitted_are_refused(tmp_path, options, model, text):
    file = write_signals(tmp_path / "s.nc", SWEEPS[0], **options)
    with pytest.raises(InputError, match=text):
        read_data([file], SWEEPS[:1], model)


def test_a_fit_says_what_it_is(fitted):
    data = artifacts.open_dataset(fitted)
    names = ["eta_e", "eta_c", "theta_c", "D_e_xx", "D_e_xy", "D_e_yx", "D_e_yy"]
    assert list(data.parameter.values) == names
    assert list(data["data"].values) == ["reference", "R0"]
    np.testing.assert_array_equal(data.starts, [1, 3])
    np.testing.assert_array_equal(data.fitted, [1, 1, 0, 1, 1, 1, 1])
    np.testing.assert_allclose(data.truth, [0.25, SIGMA * 2 / 0.6, 0.6, 0.9, 0.0, 0.0, 1.1])
    assert dict(zip(names, data.parameter_unit.values, strict=True))["eta_c"] == "ms-1"
    assert all(variable.attrs["long_name"] for variable in data.variables.values())


def test_exact_signals_give_the_truth_and_others_a_bias_with_its_cause(fitted):
    data = artifacts.open_dataset(fitted)
    exact, biased = data.sel(data="R0"), data.sel(data="reference")
    seen = data.identifiable.isel(data=0).values == 1
    np.testing.assert_array_equal(seen, [1, 1, 1, 1, 0, 0, 1])
    assert float(exact.distance.max()) < 1e-7
    np.testing.assert_allclose(exact.bias[seen], 0.0, atol=1e-7)
    assert float(exact.model_error_rms) < 1e-14
    assert float(biased.model_error_max) == pytest.approx(1e-3, rel=0.3)
    # First order: what is left is of the second.
    np.testing.assert_allclose(biased.bias[seen], biased.predicted_bias[seen], rtol=0.1, atol=2e-4)
    assert np.all(np.abs(biased.bias[seen]) > biased.numerical_bias[seen])
    assert not np.any(data.at_bound)


def test_what_is_not_identifiable_keeps_its_start_and_has_no_error(fitted):
    data = artifacts.open_dataset(fitted).sel(parameter=["D_e_xy", "D_e_yx"])
    for name in ("reference", "R0"):
        np.testing.assert_array_equal(data.estimate.sel(data=name), data.initial_guess)
    assert np.isinf(data.standard_error).all()
    assert np.isinf(data.noise_standard_error).all()
    assert np.isnan(data.profile_value).all()


def test_of_more_starts_the_best_is_at_least_as_good(fitted):
    data = artifacts.open_dataset(fitted)
    for row, best in zip(data.residual.values, data.best_start.values, strict=True):
        assert best[0] == 0
        assert row[best[1]] == row.min()


def test_repeats_with_noise_are_kept(fitted):
    data = artifacts.open_dataset(fitted)
    assert data.noisy_estimate.dims == ("data", "snr", "repeat", "parameter")
    mean = data.noisy_estimate.mean("repeat") - data.truth
    np.testing.assert_allclose(data.noise_bias, mean.transpose(*data.noise_bias.dims))
    assert data.snr.attrs["noise"] == "rician"
    np.testing.assert_allclose(
        data.noise_standard_error.sel(parameter="eta_c").isel(data=1),
        data.standard_error_per_noise.sel(parameter="eta_c").isel(data=1).values / [50.0, 200.0],
    )


# ---- figures ----


def test_inversion_noise_shows_what_can_be_identified(fitted, tmp_path):
    files = FigureFiles({"fit": {"mine": str(fitted)}})
    drawing = draw_checked("inversion_noise", files, tmp_path)
    assert len(drawing.figure.axes) == 5
    assert not overlapping_texts(drawing.figure)
    assert any("Rician" in text for text in texts(drawing.figure))
    median = drawing.data["median"]
    assert np.shape(median.values)[-1] == 5


def test_one_diffusivity_stands_for_both_that_symmetry_makes_the_same(fitted):
    data = artifacts.open_dataset(fitted)
    both = {"D_e_xx", "D_e_yy"}
    assert both <= set(_shown_parameters(data))
    data["truth"] = data.truth.where(data.parameter != "D_e_yy", TENSORS["D"][0, 0, 0] + 1e-8)
    assert both & set(_shown_parameters(data)) == {"D_e_xx"}


def test_bars_that_the_axes_cut_have_arrows(fitted, tmp_path):
    drawing = draw_checked("inversion_noise", FigureFiles({"fit": {"mine": str(fitted)}}), tmp_path)
    ax = drawing.figure.axes[0]
    data = xarray.Dataset(
        {
            "low": (("data", "snr"), [[-0.5, -0.1, -0.1], [-0.1, -0.1, -0.1]]),
            "high": (("data", "snr"), [[0.5, 0.1, 0.1], [0.6, 0.1, 0.1]]),
        },
        {"data": ["reference", "R0"], "snr": [10.0, 20.0, 50.0]},
    )
    ax.set_ylim(-20.0, 20.0)
    before = len(ax.lines)
    _mark_cut(ax, data)
    arrows = {(line.get_marker(), line.get_color()): line for line in ax.lines[before:]}
    up, down = ("^", "#0072B2"), ("v", "#0072B2")
    assert set(arrows) == {up, down, ("^", "#D55E00")}
    assert arrows[up].get_ydata().tolist() == [20.0]
    assert arrows[down].get_ydata().tolist() == [-20.0]
    # As far aside as the bar is.
    np.testing.assert_allclose(arrows[up].get_xdata(), [10.0 / 1.06])


def physical(path: Path, names: tuple[str, ...], estimates: np.ndarray) -> str:
    """A file of recovered parameters; the first is kappa."""
    kappas = np.array([0.001, 0.01, 0.1])
    shape = (3, 3, len(names))
    values = np.ones(shape)
    values[..., 0] = estimates * kappas
    truth = np.ones(shape[1:])
    truth[:, 0] = kappas
    flags, table = np.zeros(shape, bool), np.full(shape[:2], 1e-3)
    result = PhysicalResult(
        ("R0", "R2", "P4"), tuple(kappas), 5.0, Parameters.of(names), truth, values,
        0.1 * values, values, ~flags, flags, table, table, table,
    )  # fmt: skip
    artifacts.write(path, group_of(result), PROVENANCE)
    return str(path)


def test_inversion_bias_shows_the_ratio_and_what_lies_beyond(tmp_path):
    ratio = np.array([[2.0, 1.5, 60.0], [0.9, 1.0, np.nan], [1.0, 1.0, 1.0]])
    files = {
        "alone": physical(tmp_path / "fit.nc", ("kappa",), ratio),
        "all": physical(tmp_path / "other.nc", ("kappa", "D_e", "D_c"), ratio),
    }
    drawing = draw_checked("inversion_bias", FigureFiles({"fit": files}), tmp_path)
    assert not overlapping_texts(drawing.figure)
    left, right = drawing.figure.axes
    assert "D_e" in right.get_title(loc="left")
    assert "D_e" not in left.get_title(loc="left")
    curves = {str(line.get_label()): line for line in left.lines}
    np.testing.assert_allclose(curves["R0"].get_ydata(), [2.0, 1.5, np.nan])
    np.testing.assert_allclose(curves["R0"].get_xdata(), [1e-6, 1e-5, 1e-4])
    assert "_beyond" in curves
    assert "_missing" in curves
    np.testing.assert_allclose(drawing.data["ratio_alone"].values, ratio)


def test_figures_refuse_what_they_cannot_show(fitted, tmp_path):
    with pytest.raises(ValueError, match="recovered permeabilities"):
        draw_checked("inversion_bias", FigureFiles({"fit": {"mine": str(fitted)}}), tmp_path)
    other = physical(tmp_path / "fit.nc", ("kappa",), np.ones((3, 3)))
    with pytest.raises(ValueError, match="signals with noise"):
        draw_checked("inversion_noise", FigureFiles({"fit": {"mine": other}}), tmp_path)
