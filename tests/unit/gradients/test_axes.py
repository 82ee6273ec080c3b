"""Tables of a study: axes with units, and what each measurement is, for every protocol."""

from __future__ import annotations

import numpy as np
import pytest
from support.slab_files import write_slabs
from support.waveform_cases import PLANE_Q, PULSES

from torrey.base import artifacts
from torrey.base.provenance import Provenance
from torrey.base.stored import Group
from torrey.gradients.axes import AXIS_UNITS, coordinates, measurement_variables
from torrey.gradients.protocol import Measurement
from torrey.gradients.sweep import Acquisition, Product, Samples, Sweep, WaveformGrid
from torrey.gradients.waveforms import KINDS, DoublePgse, Pgse, SineOgse
from torrey.models.evaluation import ModelTable
from torrey.reference.files import write_reference
from torrey.reference.full import ReferenceSignal
from torrey.study.files import fit_kurtoses, gather_signals

PROVENANCE = Provenance("test")
DIRECTIONS = ((1.0, 0.0), (0.6, 0.8), (0.0, -1.0))
VALUES = {
    "delta": (2.0, 4.0),
    "Delta": (8.0, 12.0),
    "rise_time": (0.1, 0.15),
    "mixing_time": (0.0, 3.0),
    "angle": (0.0, 60.0, 90.0),
    "cycles": (1.0, 2.0),
}


def product_of(
    kind: str, encoding: str = "b", encodings: tuple[float, ...] = (0.5, 1.0)
) -> Product:
    names = KINDS[kind].parameter_names()
    grid = WaveformGrid(kind, tuple((name, VALUES[name]) for name in names))
    return Product(grid, encoding, encodings, DIRECTIONS)


ACQUISITION = Acquisition(
    "b",
    (
        Measurement(Pgse(4.0, 12.0), 0.0, (1.0, 0.0)),
        Measurement(Pgse(4.0, 12.0), 0.3, (0.6, 0.8)),
        Measurement(SineOgse(4.0, 14.0, 2.0), 0.4, (0.0, 1.0)),
        Measurement(DoublePgse(2.0, 8.0, 3.0, 60.0), 0.2, (0.0, 1.0)),
        Measurement(PULSES, 0.25, (0.6, -0.8)),
    ),
)
SAMPLES = Product(Samples(PLANE_Q), "q", (0.1, 0.2), DIRECTIONS)
PROTOCOLS = [
    *(product_of(kind) for kind in KINDS),
    product_of("pgse", "q", (0.1, 0.3)),
    product_of("pgse", "gradient", (0.01, 0.02)),
    SAMPLES,
    ACQUISITION,
]
NAMES = [*KINDS, "pgse-q", "pgse-gradient", "samples", "acquisition"]
every_protocol = pytest.mark.parametrize("protocol", PROTOCOLS, ids=NAMES)


def sweep_of(protocol: Product | Acquisition) -> Sweep:
    return Sweep((5.0, 10.0), "permeability", (0.05,), protocol)


@every_protocol
def test_every_axis_is_a_coordinate_with_its_unit(protocol):
    sweep = sweep_of(protocol)
    variables = coordinates(sweep)
    for name, values in sweep.axes().items():
        if name == "direction":
            continue
        assert variables[name].dims == (name,)
        assert (variables[name].units, variables[name].long_name) == AXIS_UNITS[name]
        np.testing.assert_array_equal(variables[name].values, values)
    assert set(variables) == {*sweep.axes(), "direction_vector"} - {"direction"}


def test_parameters_of_waveforms_have_the_units_of_their_quantities():
    units = {name: AXIS_UNITS[name][0] for cls in KINDS.values() for name in cls.parameter_names()}
    times = dict.fromkeys(("delta", "Delta", "rise_time", "mixing_time"), "ms")
    assert units == {**times, "cycles": "1", "angle": "degree"}


@every_protocol
def test_directions_are_vectors_along_their_axis(protocol):
    variable = coordinates(sweep_of(protocol))["direction_vector"]
    if isinstance(protocol, Acquisition):
        assert variable.dims == ("measurement", "axis")
        np.testing.assert_array_equal(variable.values, [m.direction for m in protocol.rows])
    else:
        assert variable.dims == ("direction", "axis")
        np.testing.assert_array_equal(variable.values, DIRECTIONS)


def at(variables: Group, name: str, index: dict[str, int]) -> np.ndarray:
    """Values of a variable at an index along some of its dimensions."""
    variable = variables[name]
    return np.asarray(variable.values)[tuple(index.get(dim, slice(None)) for dim in variable.dims)]


@every_protocol
def test_tables_hold_what_each_measurement_is(protocol):
    axes = protocol.axes()
    variables = measurement_variables(sweep_of(protocol))
    shape = tuple(map(len, axes.values()))
    for i, m in zip(np.ndindex(shape), protocol.measurements, strict=True):
        index = dict(zip(axes, i, strict=True))
        assert at(variables, "b_value", index) == m.b
        assert at(variables, "q", index) == m.q
        assert at(variables, "echo_time", index) == m.waveform.echo_time
        np.testing.assert_array_equal(at(variables, "b_tensor", index), m.b_tensor)
        assert np.trace(at(variables, "b_tensor", index)) == pytest.approx(m.b, rel=1e-13)


@every_protocol
def test_tables_have_the_dimensions_on_which_they_depend(protocol):
    variables = measurement_variables(sweep_of(protocol))
    dims = tuple(name for name in protocol.axes() if name != "direction")
    for name, units in {"b_value": "ms um-2", "q": "rad um-1", "echo_time": "ms"}.items():
        assert variables[name].dims == dims
        assert variables[name].units == units
        assert np.shape(variables[name].values) == tuple(len(protocol.axes()[d]) for d in dims)
    assert variables["b_tensor"].dims == (*protocol.axes(), "axis", "axis_2")
    assert variables["b_tensor"].units == "ms um-2"


def test_the_swept_quantity_is_what_was_asked_for():
    for kind in KINDS:
        values = np.asarray(measurement_variables(sweep_of(product_of(kind)))["b_value"].values)
        np.testing.assert_allclose(values, np.broadcast_to([0.5, 1.0], values.shape), rtol=1e-13)


# ---- the table of a study ----


def signal(model: str, period: float, m: Measurement) -> complex:
    """Another number for every model and point."""
    x = {"reference": 0.0, "R0": 1e-3, "P3": 1e-5}[model]
    return complex(np.exp(-0.7 * m.b) + x * period**2, 0.01 * m.q + x)


@pytest.fixture
def gathered(tmp_path):
    """Gathers the signals of a sweep from files of its points and models, and writes them."""

    def gather(protocol: Product | Acquisition):
        sweep = sweep_of(protocol)
        references = {}
        models = ("R0", "P3")
        table = np.empty((2, 2, *sweep.shape), dtype=complex)
        for index, point in sweep.points().items():
            S = signal("reference", point.period, point.measurement)
            references[index] = tmp_path / f"{len(references)}.nc"
            reference = ReferenceSignal(S, 1e-6, 2e-6, 1, 12, S - 1e-4, 3e-7)
            write_reference(references[index], reference, point, PROVENANCE)
            for i, model in enumerate(models):
                table[(i, slice(None), *index)] = signal(model, point.period, point.measurement)
        growth = np.zeros((2, *sweep.shape))
        slabs = write_slabs(tmp_path, sweep, ModelTable(models, table, growth), PROVENANCE)
        files = list(references.values())
        group = gather_signals(sweep, ("reference", *models), files, slabs)
        artifacts.write(tmp_path / "signals.nc", group, PROVENANCE)
        return tmp_path / "signals.nc", sweep

    return gather


@pytest.mark.parametrize(
    "protocol", [product_of("double-pgse"), PROTOCOLS[6], SAMPLES, ACQUISITION], ids=str
)
def test_a_study_has_signals_and_measurements_in_one_table(gathered, protocol):
    path, sweep = gathered(protocol)
    data = artifacts.read(path)
    axes = tuple(sweep.axes())
    assert artifacts.dimensions(path, "signal_real") == ("model", *axes)
    assert artifacts.dimensions(path, "model_error_floor") == axes
    for index, point in sweep.points().items():
        for i, model in enumerate(data["model"]):
            found = data["signal_real"][(i, *index)] + 1j * data["signal_imag"][(i, *index)]
            assert found == signal(model, point.period, point.measurement)
        assert data["numerical_error"][(0, *index)] == pytest.approx(3e-6)
        measured = index[2:]
        m = point.measurement
        np.testing.assert_array_equal(data["b_tensor"][measured], m.b_tensor)
        without = measured if "measurement" in axes else measured[:-1]
        assert data["b_value"][without] == m.b
        assert data["echo_time"][without] == m.waveform.echo_time
        q = data["q"][without[-1]] if axes[-2] == "q" else data["q"][without]
        assert q == m.q
    assert ("q" in sweep.axes()) == (artifacts.dimensions(path, "q") == ("q",))


@pytest.mark.parametrize("kind", ["trapezoid-ogse", "double-pgse"])
def test_kurtoses_are_fitted_for_every_waveform(gathered, kind):
    names = KINDS[kind].parameter_names()
    grid = WaveformGrid(kind, tuple((name, VALUES[name]) for name in names))
    # The same wave numbers are other b-values for other waveforms.
    path, sweep = gathered(Product(grid, "q", (0.0, 0.1, 0.2), DIRECTIONS[:2]))
    fitted = fit_kurtoses(path)
    lines = ("model", "period", "permeability", *names, "direction")
    assert fitted["adc"].dims == lines
    adc = np.asarray(fitted["adc"].values)
    assert adc.shape == (3, 2, 1, *(len(VALUES[name]) for name in names), 2)
    # The reference is exp(-0.7 b) everywhere.
    np.testing.assert_allclose(adc[0], 0.7, rtol=1e-6)
    assert set(fitted) > {*lines} - {"direction"}
    assert sweep.shape == (2, 1, *adc.shape[3:-1], 3, 2)
