"""Signals, fits, tensors, bands: the library's own numbers, with units and coordinates."""

from __future__ import annotations

import numpy as np
import pytest
import threadpoolctl
import xarray

import torrey as tr
from torrey.bloch.bands import band_basis, band_set
from torrey.door import averages as door_averages
from torrey.door import signals as door_signals
from torrey.gradients.protocol import Point
from torrey.gradients.sweep import Acquisition, Sweep
from torrey.models.evaluation import build_models, evaluate_models
from torrey.models.tensors import papers_tensors
from torrey.reference.full import reference_signal
from torrey.study.fits import fit_kurtosis

PGSE = tr.Pgse("5 ms", "25 ms")
LATER = tr.Pgse("5 ms", "35 ms")
TOLERANCE = 1e-3


def full(cell, b, direction, waveform=PGSE):
    point = Point(cell.period, cell.permeability, waveform, waveform.q_of_b(b), direction)
    return reference_signal(cell.medium.levels, point, TOLERANCE)


def test_one_point_is_the_full_reference(cell):
    S = cell.signal(PGSE, b="2000 s/mm^2", direction=(0, 3), tolerance=TOLERANCE)
    own = full(cell, 2.0, (0.0, 1.0))
    assert S.item() == pytest.approx(own.signal.real, rel=1e-12)
    assert S.numerical_error.item() == pytest.approx(own.error, rel=1e-6)
    assert (S.dims, S.dtype, S.attrs["method"]) == ((), np.float64, "full")
    assert S.attrs["units"] == "1"


def test_units_do_not_change_a_signal(cell):
    q = PGSE.q_of_b(1.0)
    S = cell.signal(PGSE, b=1, direction=(1, 0), tolerance=TOLERANCE)
    for strength in (
        {"b": "1000 s/mm^2"},
        {"q": f"{q} rad/um"},
        {"gradient": PGSE.gradient_of_q(q)},
        {"gradient": f"{PGSE.gradient_of_q(q)} rad/um/ms"},
    ):
        other = cell.signal(PGSE, **strength, direction=(1, 0), tolerance=TOLERANCE)
        assert other.item() == pytest.approx(S.item(), rel=1e-10)
        assert other.b.item() == pytest.approx(1.0, rel=1e-10)


def test_lists_are_dimensions_and_the_rest_are_scalars(cell):
    S = cell.signal(
        [PGSE, LATER],
        b=[0, "1000 s/mm^2"],
        direction=[(1, 0), (1, 1)],
        model=["reference", "R2"],
        tolerance=TOLERANCE,
    )
    assert S.dims == ("model", "waveform", "b", "direction")
    assert S.shape == S.numerical_error.shape == S.growth_rate.shape == (2, 2, 2, 2)
    assert S.shape == S.amplification.shape == S.validity.shape
    assert S.model.values.tolist() == ["reference", "R2"]
    assert S.b.values.tolist() == [0.0, 1.0]
    assert S.b.attrs["units"] == "ms um-2"
    assert S.Delta.dims == ("waveform",)
    assert S.Delta.values.tolist() == [25.0, 35.0]
    assert S.direction.values.tolist() == ["1,0", "0.707,0.707"]
    np.testing.assert_allclose(S.direction_y, [0.0, np.sqrt(0.5)])
    assert S.q.dims == ("waveform", "b")
    np.testing.assert_allclose(S.q, [[0.0, PGSE.q_of_b(1.0)], [0.0, LATER.q_of_b(1.0)]])
    assert (S.period.item(), S.period.attrs["units"]) == (10.0, "um")
    assert np.isnan(S.growth_rate.sel(model="reference")).all()
    assert (S.amplification.sel(model="reference") == 1.0).all()
    assert (S.validity == 0).all()
    assert (S.sel(b=0).round(9) == 1.0).all()
    one = full(cell, 1.0, (1.0, 0.0), LATER)
    here = S.sel(model="reference", b=1).isel(waveform=1, direction=0)
    assert abs(here.item() - one.signal) <= here.numerical_error.item() + one.error


def test_a_list_of_one_is_a_dimension(cell):
    S = cell.signal([PGSE], b=[1.0], direction=[(1, 0)], model=["R0"])
    assert S.dims == ("model", "waveform", "b", "direction")
    assert S.shape == (1, 1, 1, 1)
    along_q = cell.signal([PGSE, LATER], q=[0.1, 0.2], direction=(1, 0), model="R0")
    assert (along_q.dims, along_q.b.dims) == (("waveform", "q"), ("waveform", "q"))


def test_results_of_several_cells_join_along_what_differs(cell):
    sizes = [
        cell.with_(period=L).signal(PGSE, b=1.0, direction=(1, 0), model="R0") for L in (5, 10)
    ]
    joined = xarray.concat(sizes, "period", coords="different", compat="equals")
    assert joined.period.values.tolist() == [5.0, 10.0]
    assert joined.sel(period=10).item() == sizes[1].item()


@pytest.mark.parametrize("model", ["R0", "R2", "P3", "lumped-R0"])
def test_models_are_those_of_the_library_on_the_finest_mesh(cell, model):
    S = cell.signal(PGSE, b=[0.5, 1.0], direction=(0, 1), model=model)
    rows = tuple(
        Point(10.0, 0.05, PGSE, PGSE.q_of_b(b), (0.0, 1.0)).measurement for b in (0.5, 1.0)
    )
    sweep = Sweep((10.0,), "permeability", (0.05,), Acquisition("b", rows))
    table = evaluate_models(cell.medium.levels, sweep, [model])
    np.testing.assert_allclose(S, table.signal[0, -1].ravel().real, rtol=1e-12)
    np.testing.assert_allclose(S.numerical_error, table.space_error().ravel(), rtol=1e-6)
    np.testing.assert_allclose(S.growth_rate, table.growth.ravel(), rtol=1e-12)
    np.testing.assert_allclose(S.amplification, table.amplification.ravel(), rtol=1e-12)
    again = cell.model(model).signal(PGSE, b=[0.5, 1.0], direction=(0, 1))
    xarray.testing.assert_allclose(again, S)


def test_pade_is_for_impermeable_cells(cell):
    closed = cell.with_(permeability=0)
    S = closed.signal(PGSE, b=0.1, direction=(1, 0), model=["Pade", "R2"])
    assert S.sel(model="Pade").item() == pytest.approx(S.sel(model="R2").item(), abs=1e-3)


def test_a_model_shows_its_matrices_and_its_growth(cell):
    model = cell.model("R2")
    (own,) = build_models(cell.medium.levels[-1], np.array([[1.0, 0.0]]), ["R2"])
    for mine, other in zip(model.system((1, 0)).rates, own.rates, strict=True):
        assert mine.keys() == other.keys()
        assert all(np.allclose(mine[powers], other[powers], rtol=1e-9) for powers in mine)
    found = model.stability(PGSE, b=[0.1, 8.0, 40.0], direction=(1, 0))
    assert found.amplification.values[0] == 1.0 < found.amplification.values[1]
    assert found.validity.values.tolist() == [0, 1, 2]
    assert found.validity.attrs["flag_meanings"] == "sound amplified exceeds_one overflowed"
    assert found.validity.attrs["flag_values"].tolist() == [0, 1, 2, 3]
    growth = model.growth_rate(PGSE, b=[0.1, 8.0], direction=(1, 0))
    assert growth.attrs["units"] == "ms-1"
    assert growth.values.tolist() == found.growth_rate.values[:2].tolist()
    assert growth[0] == 0.0 < growth[1]
    assert "numerical_error" not in growth.coords
    assert repr(model) == "R2 of a cell of discs, period 10 um, permeability 0.05 um/ms"
    with pytest.raises(tr.InputError, match=r"Cell.model\(name=...\): found reference"):
        cell.model("reference")


def test_a_signal_is_complex_where_it_is():
    layers = tr.Cell(tr.Layers((0.6, 0.4)), [3, 1], 10, 0.05, density=[1, 0.2])
    sloped = tr.Cell(
        tr.Discs((tr.Disc((0.3, 0.4), 0.2),)), [3, 1], 10, 0.05, density=[1, 0.2], mesh=0.3
    )
    for one, direction in ((layers, None), (sloped, (1, 0))):
        S = one.signal(PGSE, b=1.0, direction=direction, tolerance=TOLERANCE)
        assert S.dtype in (np.float64, np.complex128)
        assert abs(S.item()) <= 1.0
    kicked = door_averages.real_where_it_is(np.array([0.5 + 1e-3j]), np.array([1e-5]))
    assert kicked.dtype == np.complex128
    rounded = door_averages.real_where_it_is(np.array([0.5 + 1e-6j, np.inf]), np.array([1e-5, 1.0]))
    assert rounded.tolist() == [0.5, np.inf]


@pytest.mark.parametrize(
    ("b", "directions", "method"),
    [
        ([0, 1], [(1, 0)], "full"),
        ([1, 2], [(1, 0)], "projected"),
        ([1], [(1, 0), (0, 1)], "full"),
        ([1, 2], [(1, 0), (0, 1)], "projected"),
    ],
)
def test_the_cheapest_way_is_taken(cell, b, directions, method):
    S = cell.signal(PGSE, b=b, direction=directions, tolerance=TOLERANCE)
    assert S.attrs["method"] == method
    other = "full" if method == "projected" else "projected"
    O = cell.signal(PGSE, b=b, direction=directions, tolerance=TOLERANCE, method=other)
    assert (abs(S - O) <= S.numerical_error.values + O.numerical_error.values).all()


def test_fits_along_b(cell):
    b = [0, 0.2, 0.4, 0.6]
    asked = {"b": b, "direction": [(1, 0), (1, 1)], "model": "R2"}
    S = cell.signal(PGSE, **asked)
    own = fit_kurtosis(b, S.isel(direction=1), S.numerical_error.isel(direction=1))
    D, K = cell.adc(PGSE, **asked), cell.kurtosis(PGSE, **asked)
    assert D.dims == K.dims == ("direction",)
    assert (D[1].item(), K[1].item()) == pytest.approx((own.adc, own.kurtosis), rel=1e-9)
    assert D.numerical_error[1].item() == pytest.approx(own.adc_error, rel=1e-6)
    assert (D.attrs["units"], K.attrs["units"]) == ("um2 ms-1", "1")
    assert "b" not in D.coords
    fit = tr.fit_kurtosis(S)
    xarray.testing.assert_allclose(fit.adc, D.drop_vars("numerical_error"))
    with pytest.raises(tr.InputError, match="found signals at 2 b-values"):
        cell.adc(PGSE, b=[1, 2], direction=(1, 0), model="R0")
    negative = S.copy(data=np.where(S.direction_x < 1, -1.0, S))
    assert np.isnan(tr.fit_kurtosis(negative).adc).values.tolist() == [False, True]


def test_tensors_are_those_of_the_papers(cell):
    found, own = cell.tensors(), papers_tensors(cell.medium.levels[-1])
    for name in ("D", "S", "T", "B", "I", "Z", "psi_jump", "omega_jump"):
        np.testing.assert_allclose(found[name], getattr(own, name), rtol=1e-10, atol=1e-12)
    assert found.D.dims == ("compartment", "axis_i", "axis_j")
    assert found.D.attrs["units"] == "um2 ms-1"
    inside = found.D.sel(compartment="cell_1", axis_i="x", axis_j="x")
    assert inside.item() == pytest.approx(0.0, abs=1e-9)
    with pytest.raises(tr.InputError, match=r"Cell.tensors\(\): found membrane_0, with the same"):
        tr.Cell(tr.Layers((1.0,)), 2, 10).tensors()


def test_shares_of_the_water_are_shares_on_any_lattice():
    oblique = tr.Discs((tr.Disc((0.5, 0.5), 0.3),), lattice=((1, 0), (0.5, 0.866)))
    theta = tr.Cell(oblique, [2, 1], 10, mesh=0.3).tensors().theta
    assert theta.sum() == pytest.approx(1.0, rel=1e-12)
    assert theta.sel(compartment="cell_1") == pytest.approx(np.pi * 0.09 / 0.866, rel=1e-4)
    stone = tr.Discs((tr.Disc((0.5, 0.5), 0.3),), interior="obstacle")
    (outside,) = tr.Cell(stone, 2, 10, mesh=0.3).tensors().theta
    assert outside == pytest.approx(1.0 - np.pi * 0.09, rel=1e-4)


def test_gradients_in_several_directions_at_once(cell):
    double = tr.DoublePgse("3 ms", "15 ms", "10 ms", "90 deg")
    S = cell.signal([PGSE, double], b=1, direction=(1, 0), model="R0")
    assert S.dims == ("waveform",)
    assert np.isnan(S.mixing_time[0])
    assert S.mixing_time[1] == 10.0
    with pytest.raises(tr.InputError, match="lumped models take gradients along one direction"):
        cell.signal(double, b=1, direction=(1, 0), model="lumped-R0")


def test_bands_are_those_of_the_library(cell):
    found = cell.bands((2, 0), pulses=4)
    basis = band_basis(cell.medium.levels[-1], 10.0, 0.05, [(1.0, 0.0)], 1.0)
    own = band_set(basis, (1.0, 0.0), 4)
    np.testing.assert_allclose(found.value, own.values[:, : own.n_bands], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.p, np.pi / 10 * np.array([0, 0.5, 1.0]))
    assert found.p.attrs["units"] == "rad um-1"
    assert found.value.attrs["units"] == "ms-1"
    wide = cell.bands((1, 0), pulses=4, resolution="2 um")
    assert wide.sizes["band"] < found.sizes["band"]
    with pytest.raises(tr.InputError, match=r"Cell.bands\(direction=...\): found direction"):
        cell.bands((1, 0.3333))


def test_spectra_are_complex_tables():
    free = tr.Cell(tr.Discs((tr.Disc((0.5, 0.5), 0.3),), interior="obstacle"), 1, 1, mesh=0.3)
    found = free.spectrum((1, 0), gradient=[20.0 / 3, 5.0], count=1)
    mu = found.eigenvalue
    assert mu.dims == ("branch", "gradient")
    assert mu.dtype == np.complex128
    assert {5.0, round(20.0 / 3, 11)} <= set(found.gradient.values.round(11))
    assert (np.diff(mu.real[0]) > 0).all()
    assert "band_value" in found
    with pytest.raises(tr.InputError, match=r"Cell.spectrum\(gradient=...\)"):
        free.spectrum((1, 0), gradient=0)


def threads() -> dict[str, int]:
    return {pool["filepath"]: pool["num_threads"] for pool in threadpoolctl.threadpool_info()}


def test_computations_take_one_thread_and_give_back_what_was_set(cell, monkeypatch):
    seen = []
    solve = door_signals.reference_signal
    monkeypatch.setattr(
        door_signals, "reference_signal", lambda *args: seen.append(threads()) or solve(*args)
    )
    with threadpoolctl.threadpool_limits(2):
        before = threads()
        cell.signal(PGSE, b=1.0, direction=(1, 0), tolerance=TOLERANCE)
        assert threads() == before
        with pytest.raises(tr.InputError):
            cell.signal(PGSE, b="x", direction=(1, 0))
        assert threads() == before
    # A library that was built for one thread keeps one.
    assert 2 in before.values()
    assert set(seen[0].values()) == {1}


def test_cumulants_are_what_signals_at_small_b_tend_to():
    cell = tr.Cell(tr.Layers((0.4, 0.6)), [2.0, 1.0], "8 um", "5e-5 m/s")
    pulses = [tr.Pgse("5 ms", "15 ms"), tr.Pgse("5 ms", "30 ms")]
    found = cell.cumulants(pulses, model=["reference", "R2"])
    assert found.adc.dims == ("model", "waveform")
    assert "b" not in found.coords
    b = [0.02, 0.04, 0.08]
    S = cell.signal(pulses, b=b, tolerance=1e-8)
    for i in range(2):
        slopes = -np.log(S.values[i]) / b
        series = np.polynomial.polynomial.polyfit(b, slopes, 2)
        exact = found.sel(model="reference").isel(waveform=i)
        assert exact.adc.item() == pytest.approx(series[0], rel=1e-4)
        assert exact.kurtosis.item() == pytest.approx(-6 * series[1] / series[0] ** 2, rel=2e-2)
        assert exact.adc_error.item() < 1e-4 * exact.adc.item()
    with pytest.raises(tr.InputError, match="model"):
        cell.cumulants(pulses, model="R99")


def test_dispersion_goes_from_the_mean_to_resistances_in_a_row():
    cell = tr.Cell(tr.Layers((0.4, 0.6)), [2.0, 1.0], "8 um", "5e-5 m/s")
    found = cell.dispersion(times=["1 ms", "10 s"], frequencies=["1 Hz", "1 kHz"])
    assert found.D_fast.item() == pytest.approx(1.4)
    assert found.D_slow.item() == pytest.approx(8 / (8 * 0.8 + 2 / 0.05), rel=1e-6)
    assert found.D_time.dims == ("time",)
    assert found.D_time.values[0] > found.D_time.values[1] > found.D_slow.item()
    assert found.rate.item() < found.karger_rate.item()
    relaxing = tr.Cell(tr.Layers((0.4, 0.6)), 2.0, "8 um", "5e-5 m/s", T2=["80 ms", "40 ms"])
    with pytest.raises(tr.InputError, match="without T2"):
        relaxing.dispersion(times="1 ms", frequencies="1 Hz")


def layered(period: str = "8 um", permeability: str = "5e-5 m/s", **more: object) -> tr.Cell:
    return tr.Cell(tr.Layers((0.4, 0.6)), [2.0, 1.0], period, permeability, **more)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"T2": "0.01 ms"}, "Cell(T2=...): found an echo after"),
        ({"period": "0.01 um"}, "Cell(period=...): found D t / L^2 up to"),
        (
            {"permeability": "1 m/s", "period": "2 mm"},
            "Cell(permeability=...): found kappa L / D up to 2e+06",
        ),
    ],
)
def test_cumulants_and_dispersion_refuse_what_signals_refuse(changes, message):
    cell = layered(**changes)
    with pytest.raises(tr.InputError) as caught:
        cell.cumulants(PGSE)
    assert str(caught.value).startswith(message)
    with pytest.raises(tr.InputError) as of_signal:
        cell.signal(PGSE, b=1.0)
    assert str(of_signal.value) == str(caught.value)
    if "T2" not in changes:
        with pytest.raises(tr.InputError) as caught:
            cell.dispersion(times=["1 ms", "30 ms"], frequencies="1 Hz")
        assert str(caught.value).startswith(message)


def test_cumulants_of_long_echoes_in_wide_cells_are_no_strong_gradients():
    # At q = 1 rad/um, to which they do not belong, b D and q L would be too large.
    found = layered("2 mm").cumulants(tr.Pgse("5 ms", "900 ms"), model="R0")
    # To R0 the membranes of the layers are walls, across which nothing spreads.
    assert found.adc.item() == pytest.approx(0.0, abs=1e-12)


def test_growth_rates_need_no_signals(cell, monkeypatch):
    monkeypatch.setattr("torrey.door.signals.evaluate_models", None)
    growth = cell.model("R2").growth_rate([PGSE], b=[0.1, 8.0], direction=[(1, 0), (0, 1)])
    assert growth.dims == ("waveform", "b", "direction")
    assert growth.coords["model"].item() == "R2"
    assert np.all(growth.sel(b=8.0) > 0.0)
