"""Every command that users know is understood, and makes the files that it promises."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import netCDF4
import numpy as np
import pytest
from support.project import CONFIG, ROOT, Job, Project

from torrey.base import artifacts, seals
from torrey.config import load
from torrey.figures.catalogue import CATALOGUE, paper_of
from torrey.tables import catalogue as tables

PAPERS = sorted({paper_of(figure) for figure in CATALOGUE})


# ---- commands ----


@pytest.fixture(scope="module")
def papers(origin: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project with the papers' configuration, without results; for dry runs only."""
    return Project.create(tmp_path_factory.mktemp("papers") / "project", origin=origin)


#: Too long for all figures; made by its name.
ON_REQUEST = {"chl14_fig6_1_full"}
#: They have nothing to show without data of the user's.
OF_DATA = {
    name
    for name, entry in CATALOGUE.items()
    if entry.needs.fits is not None and entry.needs.fits.kind in ("measured", "volumes")
}


def drawn(jobs: set[Job]) -> set[str]:
    return {job.wildcards.removeprefix("figure=") for job in jobs if job.rule == "draw_figure"}


def written(jobs: set[Job]) -> set[str]:
    return {job.wildcards.removeprefix("table=") for job in jobs if job.rule == "write_table"}


def test_figures_are_all_of_the_papers_and_the_default(papers):
    figures = papers.plan("figures", config="")
    assert written(figures) == set(load([papers.path("config/default.yaml")]).tables)
    assert written(figures) == set(tables.CATALOGUE)
    asked = load([papers.path("config/default.yaml")]).figures.values()
    assert {figure.name for figure in asked} == set(CATALOGUE) - OF_DATA
    assert {figure.name for figure in asked if figure.on_request} == ON_REQUEST
    assert drawn(figures) == set(CATALOGUE) - ON_REQUEST - OF_DATA
    default = papers.dry_run(config="")
    assert default.code == 0, default.text
    assert default.jobs == figures


@pytest.mark.parametrize("paper", PAPERS)
def test_a_paper_is_a_target(papers, paper):
    jobs = papers.plan(paper, config="")
    figures = {figure for figure in CATALOGUE if paper_of(figure) == paper}
    assert drawn(jobs) == figures - ON_REQUEST - OF_DATA
    assert written(jobs) == {name for name in tables.CATALOGUE if tables.paper_of(name) == paper}


def test_a_file_of_one_study_is_a_target(papers):
    jobs = papers.plan("results/studies/kl23_fig7/signals.nc", config="")
    assert {job.wildcards for job in jobs if job.rule == "gather_signals"} == {"study=kl23_fig7"}
    assert {job.rule for job in jobs} == {
        "build_mesh",
        "assemble_operators",
        "build_basis",
        "solve_projected",
        "evaluate_models",
        "gather_signals",
    }


@pytest.mark.parametrize("config", ["config/minimal.yaml", CONFIG])
def test_studies_of_ones_own_do_not_need_the_papers(fresh, config):
    fresh.path("config/default.yaml").unlink()
    jobs = fresh.plan("studies", config=config)
    studies = load([fresh.path(config)]).studies
    gathered = {
        job.wildcards.removeprefix("study=") for job in jobs if job.rule == "gather_signals"
    }
    assert gathered == set(studies)


@pytest.mark.slow
def test_a_cluster_does_the_same_jobs(papers):
    run = papers.dry_run("--workflow-profile=profiles/slurm", "figures", config="")
    assert run.code == 0, run.text
    assert run.jobs == papers.plan("figures", config="")


def test_profiles_agree_on_what_is_run_again():
    # A profile replaces the other one, it does not extend it.
    settings = ("show-failed-logs", "rerun-incomplete", "keep-going", "rerun-triggers")
    texts = [(ROOT / f"profiles/{name}/config.yaml").read_text() for name in ("default", "slurm")]
    for setting in settings:
        lines = {tuple(re.findall(rf"^{setting}:.*$", text, re.M)) for text in texts}
        assert len(lines) == 1
        assert len(lines.pop()) == 1


def test_the_workflow_is_clean():
    check = subprocess.run(
        [sys.executable, "-m", "snakefmt", "--check", "Snakefile", "workflow"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert check.returncode == 0, check.stderr


def test_the_workflow_has_no_lint(papers):
    run = papers.run("--lint", config="")
    assert run.code == 0, run.text
    assert "good condition" in run.text


# ---- files ----

# Every kind of geometry, permeability and encoding that the project above has not.
VARIETY = """\
geometries:
  sheets:
    kind: layers
    thicknesses: [0.6, 0.4]
    dimension: 2
    mesh: &coarse {size: 0.25, refinements: 1}
  layer: {kind: layers, thicknesses: [1], mesh: *coarse}
  stones:
    kind: discs
    cells: [{center: [0.5, 0.5], radius: 0.3}]
    interior: obstacle
    mesh: *coarse
  plain: {kind: discs, cells: [], mesh: *coarse}

studies:
  sheets_q: &study
    geometry: sheets
    diffusivity: {outside: 2e-3 mm^2/s, inside: 1e-3 mm^2/s}
    period: [3 um, 4 um]
    sigma0: [1e-2 m/s]
    waveform: {kind: pgse, delta: 2 ms, Delta: 6 ms}
    q: [0.1 rad/um, 0.2 rad/um, 0.3 rad/um]
    directions: [[1, 0], [0, 1]]
    models: [R0, reference]
    tolerance: 1e-2
  layer_gradient:
    geometry: layer
    diffusivity: {outside: 2e-3 mm^2/s}
    period: 4 um
    permeability: 5e-5 m/s
    waveform: {kind: pgse, delta: 2 ms, Delta: 6 ms}
    gradient: [200 mT/m, 400 mT/m]
    directions: [[1]]
    models: [reference, R0, R2]
    tolerance: 1e-2
  stones: &impermeable
    geometry: stones
    diffusivity: {outside: 2e-3 mm^2/s}
    period: 4 um
    permeability: 0 m/s
    waveform: {kind: pgse, delta: 2 ms, Delta: 6 ms}
    b: [0 s/mm^2, 400 s/mm^2]
    directions: [[1, 0]]
    models: [reference, R0]
    tolerance: 1e-2
  plain:
    <<: *impermeable
    geometry: plain
  models_alone:
    <<: *impermeable
    models: [R2]
"""

DIMS = {
    "sheets_q": ("model", "period", "sigma0", "delta", "Delta", "q", "direction"),
    "layer_gradient": (
        "model",
        "period",
        "permeability",
        "delta",
        "Delta",
        "gradient",
        "direction",
    ),
    "stones": ("model", "period", "permeability", "delta", "Delta", "b", "direction"),
    "plain": ("model", "period", "permeability", "delta", "Delta", "b", "direction"),
    "models_alone": ("model", "period", "permeability", "delta", "Delta", "b", "direction"),
}


@pytest.fixture(scope="module")
def variety(origin: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with these studies, complete."""
    project = Project.create(tmp_path_factory.mktemp("variety") / "project", VARIETY, origin)
    run = project.run("--cores=2", "studies")
    assert run.code == 0, run.text
    return project


def groups(path: Path) -> Iterator[netCDF4.Group]:
    """The root and the groups of a file."""
    with netCDF4.Dataset(path) as file:
        yield file
        yield from file.groups.values()


def assert_self_describing(project: Project) -> None:
    for path in project.results().values():
        for group in groups(path):
            for name, variable in group.variables.items():
                assert variable.long_name, f"{path}: {name}"
                assert variable.dtype is str or variable.units, f"{path}: {name}"


def assert_ugrid(mesh: Path, dimension: int) -> None:
    """The conventions' way from the topology to the coordinates and the corners of the elements."""
    with netCDF4.Dataset(mesh) as file:
        (topology,) = file.get_variables_by_attributes(cf_role="mesh_topology")
        assert topology.topology_dimension == dimension
        coordinates = [file[name] for name in topology.node_coordinates.split()]
        assert len(coordinates) == dimension
        role = {1: "edge", 2: "face"}[dimension] + "_node_connectivity"
        elements = file[topology.getncattr(role)]
        assert elements.cf_role == role
        assert elements.start_index == 0
        assert elements.shape[1] == dimension + 1
        points = np.column_stack([np.ma.getdata(axis[...]) for axis in coordinates])
        corners = points[np.ma.getdata(elements[...])]
        edges = corners[:, 1:] - corners[:, :1]
        assert np.sum(np.linalg.det(edges) / dimension) == pytest.approx(
            np.sum(file["compartment_measure"][...]), abs=0.05
        )


def test_files_describe_themselves(finished):
    assert_self_describing(finished)


def test_files_say_what_made_them(finished):
    for name, path in finished.results().items():
        attributes = artifacts.attributes(path)
        assert attributes["Conventions"].startswith("CF-")
        assert attributes["torrey_version"]
        assert re.fullmatch("[0-9a-f]{16}", attributes["code_digest"])
        assert isinstance(json.loads(attributes["parameters"]), dict)
        inputs = json.loads(attributes["input_digests"])
        assert bool(inputs) == (attributes["stage"] != "build_mesh")
        for file, digest in inputs.items():
            assert seals.check(finished.path(file)).content == digest, f"{file} of {name}"


def test_every_job_logs_its_wall_time(finished):
    logs = list(finished.path("results/logs").rglob("*.log"))
    # A batch has one log for all of its slabs.
    alone = [name for name in finished.results() if "/slabs/" not in name]
    rules = {log.relative_to(finished.path("results/logs")).parts[0] for log in logs}
    assert len(logs) > len(alone)
    assert {"solve_projected", "evaluate_models"} < rules
    assert all(re.search(r"\d s wall time$", log.read_text().strip()) for log in logs)


@pytest.mark.parametrize(
    ("rule", "part"),
    [
        ("solve_reference", r"full system with [\d,]+ unknowns, \d+ steps per ramp"),
        ("build_basis", r"basis of projected models on a mesh with [\d,]+ unknowns"),
        ("solve_projected", r"slabs \(1\)"),
        ("evaluate_models", r"models on a mesh with [\d,]+ unknowns"),
    ],
)
def test_long_jobs_log_what_they_do(finished, rule, part):
    logs = list(finished.path(f"results/logs/{rule}").rglob("*.log"))
    assert logs
    assert any(re.match(rf"{part}: begins\n", log.read_text()) for log in logs)


@pytest.mark.parametrize(
    ("geometry", "dimension", "compartments"),
    [("cell", 2, ["outside", "cell_1"]), ("walls", 1, ["layer_0", "layer_1"])],
)
def test_meshes_can_be_read_by_others(finished, geometry, dimension, compartments):
    mesh = finished.path(f"results/geometry/{geometry}/mesh.nc")
    assert_ugrid(mesh, dimension)
    data = artifacts.read(mesh)
    assert list(data["compartment"]) == compartments
    assert np.sum(data["compartment_measure"]) == pytest.approx(1)
    assert {"membrane_measure", "node_periodic", "facet_membrane"} < set(data)


def test_signals_have_the_dimensions_of_the_sweep(finished):
    data = artifacts.open_dataset(finished.path("results/studies/sweep/signals.nc"))
    dims = ("model", "period", "permeability", "delta", "Delta", "b", "direction")
    for name in ("signal_real", "signal_imag", "numerical_error"):
        assert data[name].dims == dims
        assert data[name].shape == (2, 2, 2, 1, 2, 2, 1)
    assert data.model.values.tolist() == ["reference", "R0"]
    assert data.period.values.tolist() == [2.0, 3.0]
    assert data.permeability.values.tolist() == [0.03, 0.05]
    assert data.b.values.tolist() == [0.2, 0.5]
    np.testing.assert_allclose(data.b_value, np.broadcast_to(data.b, data.b_value.shape))
    assert data.q.dims == data.b_value.dims == ("delta", "Delta", "b")
    assert data.direction_vector.values.tolist() == [[1.0, 0.0]]
    assert data.direction.values.tolist() == ["1,0"]
    reference = data.sel(model="reference")
    assert float(reference.signal_real.max()) < 1
    assert (reference.numerical_error <= 0.01 * reference.signal_real).all()
    assert (abs(data.signal_real.diff("model")) < 0.05).all()


def test_orders_have_the_dimensions_of_the_sweep_but_the_period(finished):
    data = artifacts.open_dataset(finished.path("results/studies/sweep/convergence.nc"))
    line = ("model", "permeability", "delta", "Delta", "b", "direction")
    assert data.order.dims == data.order_standard_error.dims == line
    assert data.error.dims == data.used.dims == ("model", "period", *line[1:])
    assert data.model.values.tolist() == ["R0"]


def test_tensors_are_named_by_compartments_and_axes(finished):
    data = artifacts.open_dataset(finished.path("results/tensors/cell/De3_Di1.5/tensors.nc"))
    assert {"D", "S", "T", "B", "I", "Z"} < set(data.data_vars)
    assert {"theta", "eta", "psi_jump", "omega_jump"} < set(data.data_vars)
    assert data.D.dims == ("compartment", "axis_i", "axis_j")
    assert data.theta.dims == ("compartment",)
    assert data.eta.dims == ("compartment", "membrane")
    assert data.compartment.values.tolist() == ["outside", "cell_1"]
    assert data.axis_i.values.tolist() == ["x", "y"]
    assert float(data.theta.sum()) == pytest.approx(1, abs=1e-3)
    assert 0 < float(data.D.sel(compartment="outside", axis_i="x", axis_j="x")) < 3


def test_figures_come_with_their_data(finished):
    for figure in load([finished.path(CONFIG)]).figures:
        for kind, start in {"pdf": b"%PDF", "png": b"\x89PNG", "nc": b"\x89HDF"}.items():
            path = finished.path(f"results/figures/{figure}.{kind}")
            assert path.read_bytes().startswith(start)


def test_tables_come_as_csv_markdown_and_data(finished):
    for table in load([finished.path(CONFIG)]).tables:
        paths = {kind: finished.path(f"results/tables/{table}.{kind}") for kind in ("csv", "md")}
        rows = paths["csv"].read_text().splitlines()
        data = artifacts.open_dataset(finished.path(f"results/tables/{table}.nc"))
        assert len(rows) == data.sizes["row"] + 1
        assert paths["md"].read_text().startswith("# ")


@pytest.mark.slow
@pytest.mark.parametrize(("study", "dims"), DIMS.items())
def test_every_kind_of_study_is_complete(variety, study, dims):
    data = artifacts.open_dataset(variety.path(f"results/studies/{study}/signals.nc"))
    assert data.signal_real.dims == data.signal_imag.dims == data.numerical_error.dims == dims
    assert np.isfinite(data.signal_real).all()
    encoding = dims[5]
    assert data.b_value.dims == ("delta", "Delta", encoding)
    assert (data.q.dims == ("q",)) == (encoding == "q")
    if "reference" in data.model:
        reference = data.signal_real.sel(model="reference")
        error = abs(data.signal_real - reference)
        assert float(error.max()) < 0.1
        assert float(reference.max()) <= 1


@pytest.mark.slow
def test_water_without_walls_decays_as_it_must(variety):
    data = artifacts.open_dataset(variety.path("results/studies/plain/signals.nc"))
    expected = np.exp(-2.0 * data.b)
    assert abs(data.signal_real - expected).max() < 1e-8


@pytest.mark.slow
def test_orders_are_fitted_where_the_period_is_swept(variety):
    files = variety.path("results/studies").glob("*/convergence.nc")
    assert [path.parent.name for path in files] == ["sheets_q"]


@pytest.mark.slow
def test_files_of_every_kind_describe_themselves(variety):
    assert_self_describing(variety)
    for geometry, dimension in {"sheets": 2, "layer": 1, "stones": 2, "plain": 2}.items():
        assert_ugrid(variety.path(f"results/geometry/{geometry}/mesh.nc"), dimension)


@pytest.mark.slow
def test_the_small_example_runs(fresh):
    run = fresh.run("--cores=2", "studies", config="config/minimal.yaml")
    assert run.code == 0, run.text
    data = artifacts.open_dataset(fresh.path("results/studies/first/signals.nc"))
    assert data.sizes["period"] == 2
    assert data.sizes["b"] == 3
