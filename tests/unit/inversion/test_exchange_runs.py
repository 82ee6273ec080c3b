"""From tables of signals to ``fit.nc`` of kind exchange, and the figure of it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from support.cells import DISC
from support.figure_checks import draw_checked, overlapping_texts, texts

from torrey.base import artifacts
from torrey.base.errors import InputError
from torrey.base.provenance import Provenance
from torrey.base.stored import Variable
from torrey.cell.files import write_operators
from torrey.cell.material import Material
from torrey.figures.drawing import FigureFiles
from torrey.gradients.rules import Sphere
from torrey.gradients.sweep import Product, Sweep, WaveformGrid
from torrey.inversion.exact_rates import exact_exchange
from torrey.inversion.exchange_runs import run_exchange
from torrey.inversion.fit_settings import FitSettings
from torrey.inversion.study_tables import table_of_sweep
from torrey.inversion.table_models import table_model, table_signals

PROVENANCE = Provenance("test")
KAPPAS = (5e-3, 2e-2)
PERIODS = (2.0, 6.0)
PULSES = WaveformGrid("pgse", (("delta", (5.0,)), ("Delta", (12.0, 40.0))))
FILTERS = WaveformGrid(
    "filter-exchange",
    (
        ("delta", (5.0,)),
        ("Delta", (12.0,)),
        ("delta_filter", (5.0,)),
        ("Delta_filter", (12.0,)),
        ("b_filter", (0.0, 1.0)),
        ("mixing_time", (5.0, 40.0, 150.0)),
    ),
)
#: Parameters by which signals are made, and those that are held in the fit.
MODELS = {
    "karger": (PULSES, (2.0, 0.3, 0.4, 30.0), {}),
    "nexi": (PULSES, (1.2, 1.0, 0.5, 25.0), {"D_i": 1.2}),
    "fexi-axr": (FILTERS, (0.8, 0.5, 0.02), {}),
}


def sweep_of(model: str) -> Sweep:
    waveforms, *_ = MODELS[model]
    sphere = Sphere("lebedev", 5) if model == "nexi" else None
    directions = ((1.0, 0.0),) if sphere is None else tuple(map(tuple, sphere.rule.points.tolist()))
    b = (0.0, 0.8) if model == "fexi-axr" else (0.0, 1.0, 2.5, 5.0)
    return Sweep(PERIODS, "permeability", KAPPAS, Product(waveforms, "b", b, directions, sphere))


def write_signals(path: Path, model: str) -> Sweep:
    """The table of a study whose cells all have the signals of a model."""
    sweep, (_, x, _) = sweep_of(model), MODELS[model]
    signal = table_signals(model, table_of_sweep(sweep, model == "nexi"), x)[0]
    dims = ("model", *sweep.axes())
    shape = (1, *sweep.shape)
    full = np.resize(signal, shape) if model != "nexi" else np.zeros(shape)
    group = {"model": Variable(("model",), ["reference"], "", "model")}
    for key, values in (
        ("signal_real", full),
        ("signal_imag", 0 * full),
        ("numerical_error", 0 * full),
    ):
        group[key] = Variable(dims, values, "1", key)
    if model == "nexi":
        means = np.resize(signal, shape[:-1])
        group["spherical_mean"] = Variable(dims[:-1], means, "1", "mean")
        group["spherical_mean_error"] = Variable(dims[:-1], 1e-4 + 0 * means, "1", "error")
    artifacts.write(path, group, PROVENANCE)
    return sweep


def fitted(folder: Path, model: str, snr: float | None = 100.0) -> str:
    sweep = write_signals(folder / "signals.nc", model)
    write_operators(folder / "operators.nc", [DISC.operators(k).cell for k in (0, 1)], PROVENANCE)
    settings = FitSettings(model, fixed=MODELS[model][2], starts=2)
    plain = {"names": ["one"], "signals": "reference", "snr": snr, "settings": settings.to_json()}
    material = Material((3.0, 1.7))
    files = [folder / "signals.nc"], [folder / "operators.nc"]
    group = run_exchange(json.dumps(plain), [sweep], material, *files)
    artifacts.write(folder / "fit.nc", group, PROVENANCE)
    return str(folder / "fit.nc")


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, str]:
    return {model: fitted(tmp_path_factory.mktemp(model), model) for model in MODELS}


@pytest.mark.parametrize("model", MODELS)
def test_parameters_come_back_and_their_bias_is_said(files, model):
    data = artifacts.open_dataset(files[model])
    _, x, fixed = MODELS[model]
    true = dict(zip(table_model(model).names, x, strict=True))
    assert list(data.parameter.values) == [name for name in true if name not in fixed]
    for name in data.parameter.values:
        np.testing.assert_allclose(data.estimate.sel(parameter=name), true[name], rtol=1e-3)
    assert np.all(data.standard_error > 0.0)
    cells = [(L, kappa) for L in PERIODS for kappa in KAPPAS]
    exact = exact_exchange([DISC.operators(0), DISC.operators(1)], cells)
    np.testing.assert_allclose(data.exchange_time, [one.time for one in exact], rtol=1e-9)
    np.testing.assert_array_equal(data.period, np.repeat(PERIODS, 2))
    np.testing.assert_array_equal(data.permeability, np.tile(KAPPAS, 2))
    time = 1.0 / true["AXR"] if model == "fexi-axr" else true["t_ex"]
    np.testing.assert_allclose(data.fitted_exchange_time, time, rtol=1e-3)
    np.testing.assert_allclose(
        data.exchange_time_bias, data.fitted_exchange_time - data.exchange_time, rtol=1e-9
    )
    key = "AXR" if model == "fexi-axr" else "t_ex"
    told = data.sel(parameter=key)
    np.testing.assert_allclose(told.bias, told.estimate - told.truth, rtol=1e-9)
    relative = data.fitted_exchange_time_error / data.fitted_exchange_time
    np.testing.assert_allclose(told.standard_error / told.estimate, relative, rtol=1e-9)
    if "f" in data.parameter.values:
        share = np.pi * 0.2**2
        np.testing.assert_allclose(data.truth.sel(parameter="f"), share, rtol=1e-2)


def test_standard_errors_are_those_of_the_noise(files, tmp_path):
    calm = artifacts.open_dataset(fitted(tmp_path, "karger", 400.0))
    loud = artifacts.open_dataset(files["karger"])
    ratio = loud.standard_error.sel(parameter="t_ex") / calm.standard_error.sel(parameter="t_ex")
    np.testing.assert_allclose(ratio, 4.0, rtol=1e-2)


def test_a_mean_counts_as_many_signals_as_its_weights_say():
    sphere = Sphere("lebedev", 5).rule
    protocol = table_of_sweep(sweep_of("nexi"), powder=True)
    assert len(protocol) == 8
    assert protocol.powder
    np.testing.assert_allclose(protocol.weights, 1.0 / np.sum(sphere.weights**2))
    assert 0.5 * len(sphere.weights) < protocol.weights[0] <= len(sphere.weights)


def test_means_need_directions_all_over_the_sphere():
    with pytest.raises(InputError, match="lebedev"):
        table_of_sweep(sweep_of("karger"), powder=True)


def test_rows_of_filter_exchange_have_their_filter_and_mixing_time():
    protocol = table_of_sweep(sweep_of("fexi-axr"), powder=False)
    assert protocol.filter_exchange
    assert set(protocol.b_filter) == {0.0, 1.0}
    assert set(protocol.mixing_time) == {5.0, 40.0, 150.0}
    np.testing.assert_allclose(protocol.b, np.tile([0.0, 0.8], 6), atol=1e-12)


def test_the_figure_has_a_panel_for_each_model_and_says_which_cells(files, tmp_path):
    drawing = draw_checked("exchange_bias", FigureFiles({"fit": files}), tmp_path)
    figure = drawing.figure
    assert len(figure.axes) == 3
    said = texts(figure)
    assert any("karger" in text for text in said)
    assert sum(text == r"$L$ = 6 $\mu$m" for text in said) == 3
    assert any("SNR of 100" in text for text in said)
    assert overlapping_texts(figure) == []
    names = set(drawing.data)
    assert {"exchange_time_nexi", "exchange_time_bias_karger", "fitted_exchange_time_nexi"} <= names
