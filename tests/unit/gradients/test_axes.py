"""Tables of a study: axes with units, and what each measurement is, for every protocol."""

from __future__ import annotations

import numpy as np
import pytest
from support.slab_files import write_slabs
from support.waveform_cases import PLANE_Q, PULSES, TRIANGLES

from torrey.base import artifacts
from torrey.base.fields import declarations
from torrey.base.provenance import Provenance
from torrey.base.stored import Group
from torrey.gradients.axes import coordinates, direction_labels, measurement_variables
from torrey.gradients.protocol import Measurement
from torrey.gradients.sweep import Acquisition, Product, Samples, Sweep, WaveformGrid
from torrey.gradients.waveforms import KINDS, DoublePgse, Pgse, SineOgse
from torrey.models.evaluation import ModelTable
from torrey.reference.files import write_reference
from torrey.reference.full import ReferenceSignal
from torrey.study.files import fit_kurtoses, fit_orders, gather_signals

PROVENANCE = Provenance("test")
# Unit and long name of every axis in the files.
LABELS = {
    "period": ("um", "physical size of the cell"),
    "permeability": ("um ms-1", "membrane permeability kappa"),
    "sigma0": ("um ms-1", "sigma0, where kappa = sigma0 * period / (1 mm)"),
    "surface_relaxivity": ("um ms-1", "relaxivity of the surfaces of obstacles"),
    "delta": ("ms", "duration of a gradient pulse, or of a train of them"),
    "Delta": ("ms", "time between the beginnings of the two pulses or trains"),
    "rise_time": ("ms", "time in which the gradient rises from zero"),
    "mixing_time": ("ms", "time between two blocks of pulses"),
    "b_delta": ("1", "anisotropy of the b-tensor: 1 linear, 0 spherical, -0.5 planar"),
    "tau": ("ms", "time between the first two pulses of a stimulated echo, half its echo time TE"),
    "delta_filter": ("ms", "duration of a pulse of the filter"),
    "Delta_filter": ("ms", "time between the beginnings of the two pulses of the filter"),
    "b_filter": ("ms um-2", "b-value of the filter"),
    "waveform": ("", "file of the waveform"),
    "angle": ("degree", "angle between the gradients of the two blocks"),
    "cycles": ("1", "periods in a train of oscillating gradients"),
    "b": ("ms um-2", "b-value (1 ms um-2 is 1000 s mm-2)"),
    "q": ("rad um-1", "largest wave number; gamma G delta of rectangular pulses"),
    "gradient": ("rad um-1 ms-1", "largest gradient gamma G"),
    "measurement": ("1", "number of the measurement in its acquisition, from 0"),
}
DIRECTIONS = ((1.0, 0.0), (0.6, 0.8), (0.0, -1.0))
VALUES = {
    "delta": (2.0, 4.0),
    "Delta": (8.0, 12.0),
    "rise_time": (0.1, 0.15),
    "mixing_time": (0.0, 3.0),
    "angle": (0.0, 60.0, 90.0),
    "cycles": (1.0, 2.0),
    "b_delta": (0.5, 1.0),
    "tau": (4.0, 6.0),
    "delta_filter": (1.0, 2.0),
    "Delta_filter": (6.0,),
    "b_filter": (0.0, 1.5),
}
SPACE = ((1.0, 0.0, 0.0), (0.6, 0.8, 0.0), (0.0, -1.0, 0.0))


def product_of(
    kind: str, encoding: str = "b", encodings: tuple[float, ...] = (0.5, 1.0)
) -> Product:
    names = KINDS[kind].parameter_names()
    grid = WaveformGrid(kind, tuple((name, VALUES[name]) for name in names))
    in_space = max(w.n_components for w in grid.waveforms) > 2
    return Product(grid, encoding, encodings, SPACE if in_space else DIRECTIONS)


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
SAMPLES = Product(Samples((PLANE_Q,)), "q", (0.1, 0.2), DIRECTIONS)
SEVERAL = Product(Samples((PULSES, TRIANGLES)), "b", (0.1, 0.2), DIRECTIONS)
PROTOCOLS = [
    *(product_of(kind) for kind in KINDS),
    product_of("pgse", "q", (0.1, 0.3)),
    product_of("pgse", "gradient", (0.01, 0.02)),
    SAMPLES,
    SEVERAL,
    ACQUISITION,
]
NAMES = [*KINDS, "pgse-q", "pgse-gradient", "samples", "several", "acquisition"]
every_protocol = pytest.mark.parametrize("protocol", PROTOCOLS, ids=NAMES)


def sweep_of(protocol: Product | Acquisition) -> Sweep:
    return Sweep((5.0, 10.0), "permeability", (0.05,), protocol)


@every_protocol
def test_every_axis_is_a_coordinate_with_its_unit(protocol):
    sweep = sweep_of(protocol)
    variables = coordinates(sweep)
    for name, values in sweep.axes().items():
        assert variables[name].dims == (name,)
        if name == "direction":
            labels = ["1,0", "0.6,0.8", "0,-1"]
            in_space = len(protocol.directions[0]) > 2
            assert list(variables[name].values) == [f"{x},0" if in_space else x for x in labels]
            continue
        assert (variables[name].units, variables[name].long_name) == LABELS[name]
        np.testing.assert_array_equal(variables[name].values, values)
    angle = ["fibre_angle"] if protocol.n_axes > 2 else []
    assert set(variables) == {*sweep.axes(), "direction_vector", *angle}


@pytest.mark.parametrize("kind", ["sigma0", "surface_relaxivity"])
def test_permeabilities_of_every_kind_are_coordinates(kind):
    variable = coordinates(Sweep((5.0,), kind, (0.05,), product_of("pgse")))[kind]
    assert (variable.units, variable.long_name) == LABELS[kind]


def test_all_labels_are_seen_here():
    seen = {name for protocol in PROTOCOLS for name in sweep_of(protocol).axes()}
    assert {*seen, "sigma0", "surface_relaxivity"} == {*LABELS, "direction"}


def test_a_parameter_has_the_same_unit_in_every_kind_of_waveform():
    units: dict[str, set[str | None]] = {}
    for cls in KINDS.values():
        assert tuple(declarations(cls)) == cls.parameter_names()
        for name, declaration in declarations(cls).items():
            units.setdefault(name, set()).add(declaration.unit)
    assert {len(found) for found in units.values()} == {1}


# ---- directions ----


@pytest.mark.parametrize(
    ("directions", "labels"),
    [
        ([(1.0, 0.0, 0.0), (0.0, -1.0, 0.0)], ["1,0,0", "0,-1,0"]),
        ([(0.5**0.5, 0.5**0.5, 0.0)], ["0.707,0.707,0"]),
        ([(1.0,), (-1.0,)], ["1", "-1"]),
        # What rounding would make the same is told apart.
        ([(1.0, 0.0), (1.0, 2e-5), (0.8, 0.6)], ["1,0", "1,2e-5", "0.8,0.6"]),
        ([(1.0, -2e-4), (0.0, 1.0)], ["1,0", "0,1"]),
    ],
)
def test_labels_of_directions_are_short_and_differ(directions, labels):
    assert list(direction_labels(directions)) == labels


def test_a_table_is_asked_for_a_direction_by_its_label(gathered):
    path, sweep = gathered(product_of("pgse"))
    table = artifacts.open_dataset(path)
    assert table.direction.values.tolist() == ["1,0", "0.6,0.8", "0,-1"]
    for i, label in enumerate(table.direction.values):
        one = table.sel(direction=label)
        assert tuple(one.direction_vector.values) == sweep.protocol.directions[i]
        np.testing.assert_array_equal(one.signal_real, table.signal_real.isel(direction=i))
    both = table.sel(direction=["0,-1", "1,0"])
    np.testing.assert_array_equal(both.direction_vector, [[0.0, -1.0], [1.0, 0.0]])
    # The vector itself is no label: numbers of entries must not come back in its place.
    for nonsense in ([1, 0], 1, "1, 0", [1.0, 0.0]):
        with pytest.raises(KeyError):
            table.sel(direction=nonsense)


def test_fits_along_a_table_keep_its_directions(gathered, tmp_path):
    path, _ = gathered(product_of("pgse", "b", (0.0, 0.5, 1.0)))
    for name, group in {
        "convergence.nc": fit_orders(path, ["R0"]),
        "kurtosis.nc": fit_kurtoses(path),
    }.items():
        artifacts.write(tmp_path / name, group, PROVENANCE)
        found = artifacts.open_dataset(tmp_path / name)
        assert found.direction.values.tolist() == ["1,0", "0.6,0.8", "0,-1"]
        assert found.sel(direction="0.6,0.8").sizes == found.isel(direction=1).sizes
        with pytest.raises(KeyError):
            found.sel(direction=[1, 0])


@every_protocol
def test_directions_are_vectors_along_their_axis(protocol):
    variable = coordinates(sweep_of(protocol))["direction_vector"]
    if isinstance(protocol, Acquisition):
        assert variable.dims == ("measurement", "axis")
        np.testing.assert_array_equal(variable.values, [m.direction for m in protocol.rows])
    else:
        assert variable.dims == ("direction", "axis")
        np.testing.assert_array_equal(variable.values, protocol.directions)


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
        # The b-value of filter exchange is that of its second block.
        total = m.b + m.waveform.parameters.get("b_filter", 0.0)
        assert np.trace(at(variables, "b_tensor", index)) == pytest.approx(total, rel=1e-13)


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
        still = np.zeros((2, *sweep.shape))
        found = ModelTable(models, table, still, still + 1.0)
        slabs = write_slabs(tmp_path, sweep, found, PROVENANCE)
        files = list(references.values())
        group = gather_signals(sweep, ("reference", *models), files, slabs)
        artifacts.write(tmp_path / "signals.nc", group, PROVENANCE)
        return tmp_path / "signals.nc", sweep

    return gather


@pytest.mark.parametrize(
    "protocol",
    [
        pytest.param(product_of("double-pgse"), marks=pytest.mark.slow),
        PROTOCOLS[6],
        SAMPLES,
        ACQUISITION,
    ],
    ids=str,
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


@pytest.mark.parametrize(
    "kind", ["trapezoid-ogse", pytest.param("double-pgse", marks=pytest.mark.slow)]
)
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
    assert set(fitted) > {*lines}
    assert sweep.shape == (2, 1, *adc.shape[3:-1], 3, 2)
