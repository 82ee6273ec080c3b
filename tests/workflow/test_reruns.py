"""A change recomputes what depends on it, and nothing else.

Every test starts from a project that is complete, changes one thing and asks which jobs that
triggers: by a dry run, or by a run where the results matter too.
"""

from __future__ import annotations

import ast
import os
from pathlib import Path

import pytest
from support.project import CONFIG, ROOT, SHORT, TARGETS, TINY, Job, Project, points, slabs

MESHES = {
    geometry: {
        Job("build_mesh", f"geometry={geometry}"),
        Job("assemble_operators", f"geometry={geometry}"),
    }
    for geometry in ("cell", "walls")
}


def wall_points(*bs: float) -> set[Job]:
    """Reference signals of the study `wall`."""
    point = "L4_kappa0.05_pgse-2-6_b{}_n1_tol0.01"
    return {
        Job("solve_reference", f"geometry=walls, material=De2_Di1, point={point.format(b)}")
        for b in bs
    }


# Those that something asks for: a table, and an inversion.
TENSORS = {
    "walls": {Job("extract_tensors", "geometry=walls, material=De2_Di1")},
    "exchange": {Job("extract_tensors", "geometry=cell, material=De3_Di1.5")},
}
TRACED = {Job("trace_eigenvalues", "study=sweep")}
MODELS = {
    "sweep": slabs("sweep") | TRACED,
    "wall": slabs("wall"),
    # Two of the three b-values in other words: another table of strengths.
    "projected": slabs("projected"),
}
# A page of each study, from its signals and its cell.
OVERVIEWS = {
    study: {Job("draw_overview", f"study={study}")}
    for study in ("sweep", "wall", "projected", "exchange")
}
ALL_OVERVIEWS = set().union(*OVERVIEWS.values())
FITTED = {Job("gather_signals", "study=exchange"), Job("fit_inversion", "inversion=rates")}
FITTED |= OVERVIEWS["exchange"]
EXCHANGE = slabs("exchange") | FITTED
BLOCH = {Job("solve_bloch", "bloch=zone, kind=bands")}
BASIS = {Job("build_basis", "geometry=walls, material=De2_Di1, span=n1_rungs7")}
SOLVED = slabs("projected", "reference")
PROJECTED = BASIS | SOLVED
CHECK = {Job("check_projected", "study=projected")}
PICTURES = {
    geometry: {Job("draw_cell", f"geometry={geometry}, picture=cell")}
    for geometry in ("cell", "walls")
}
ALL_PICTURES = set().union(*PICTURES.values())
DRAWN_FROM_MESH = {Job("draw_figure", "figure=kl23_fig1")}
DRAWN_FROM_SIGNALS = {Job("draw_figure", "figure=kl23_fig6")}
WRITTEN = {Job("write_table", "table=khm19_table_tensors")}
# What reads the signals of a study's points and models.
TABLES = {
    "sweep": {
        Job("gather_signals", "study=sweep"),
        Job("fit_orders", "study=sweep"),
        Job("fit_kurtosis", "study=sweep"),
    }
    | OVERVIEWS["sweep"],
    "wall": {Job("gather_signals", "study=wall")}
    | DRAWN_FROM_SIGNALS
    | WRITTEN
    | OVERVIEWS["wall"],
    "projected": {Job("gather_signals", "study=projected")} | OVERVIEWS["projected"],
}
ALL_TABLES = set().union(*TABLES.values()) | CHECK
ALL_MODELS = set().union(*MODELS.values())
ALL_POINTS = points() | wall_points(0, 0.4)
ALL_TENSORS = set().union(*TENSORS.values())
FROM_OPERATORS = ALL_POINTS | PROJECTED | ALL_TENSORS | ALL_MODELS | ALL_TABLES | EXCHANGE | BLOCH
EVERYTHING = MESHES["cell"] | MESHES["walls"] | FROM_OPERATORS | DRAWN_FROM_MESH | ALL_PICTURES

FIRST_MESH = "mesh: {size: 0.25, refinements: 1}\n  walls"
FIRST_TOLERANCE = "tolerance: 1e-2\n\n  wall"
A_MODEL_MORE = (f"R0]\n    {FIRST_TOLERANCE}", f"R0, R2]\n    {FIRST_TOLERANCE}")
# The sweep has two values along each of four axes: half of its 16 points, and of its 8 slabs if the
# value is no strength, have the one that changes.
CHANGED_VALUES = {
    "Delta": ("8 ms", "9 ms", points(Deltas=[9]), "pgse-2-9"),
    "kappa": ("5e-5 m/s]", "6e-5 m/s]", points(kappas=[0.06]), "kappa0.06"),
    "period": ("3 um]", "4 um]", points(periods=[4]), "L4"),
    "b": ("500 s/mm^2]", "600 s/mm^2]", points(bs=[0.6]), ""),
    "direction": ("[[1, 0]]\n    models: [reference, R0]\n    tolerance: 1e-2\n\n  wall",
                  "[[0, 1]]\n    models: [reference, R0]\n    tolerance: 1e-2\n\n  wall",
                  points(direction="0_1"), ""),
    "diffusivity": ("1.7e-3", "1.6e-3", points(material="De3_Di1.6"), ""),
    "a Delta more": (", 8 ms]", ", 8 ms, 9 ms]", points(Deltas=[9]), "pgse-2-9"),
    "a value more": ("500 s/mm^2]", "500 s/mm^2, 600 s/mm^2]", points(bs=[0.6]), ""),
    "a value less": (", 8 ms]", "]", set(), "nothing"),
    "other order": ("[200 s/mm^2, 500 s/mm^2]", "[500 s/mm^2, 200 s/mm^2]", set(), "nothing"),
    "a model more": (*A_MODEL_MORE, set(), "R2.nc"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "solved", "having"), CHANGED_VALUES.values(), ids=CHANGED_VALUES.keys()
)
def test_a_value_of_a_sweep_recomputes_its_points_and_what_reads_them(
    project, old, new, solved, having
):
    project.edit(CONFIG, old, new)
    evaluated = slabs("sweep", config=TINY.replace(old, new), having=having)
    assert project.plan() == solved | evaluated | TRACED | TABLES["sweep"]


def test_a_figure_is_drawn_again_from_new_signals(project):
    project.edit(CONFIG, "400 s/mm^2]", "500 s/mm^2]")
    evaluated = slabs("wall", config=TINY.replace("400 s/mm^2]", "500 s/mm^2]"))
    assert project.plan() == wall_points(0.5) | evaluated | TABLES["wall"]


def test_a_tolerance_recomputes_the_references_and_no_model(project):
    project.edit(CONFIG, FIRST_TOLERANCE, FIRST_TOLERANCE.replace("1", "2"))
    assert project.plan() == points(tolerance=0.02) | TABLES["sweep"]


@pytest.mark.parametrize(
    ("old", "new"),
    [("radius: 0.3", "radius: 0.31"), (FIRST_MESH, FIRST_MESH.replace("0.25", "0.2"))],
    ids=["radius", "mesh size"],
)
def test_a_geometry_recomputes_all_that_is_in_it(project, old, new):
    project.edit(CONFIG, old, new)
    meshed = MESHES["cell"] | PICTURES["cell"] | DRAWN_FROM_MESH
    assert project.plan() == (
        meshed
        | points()
        | TENSORS["exchange"]
        | MODELS["sweep"]
        | TABLES["sweep"]
        | EXCHANGE
        | BLOCH
    )


def test_a_study_more_computes_only_the_points_that_no_other_study_has(project):
    twin = TINY[TINY.index("  sweep:") : TINY.index("  wall:")].replace("sweep:", "twin:")
    twin = twin.replace("[2 um, 3 um]", "[3 um, 5 um]")
    project.edit(CONFIG, "figures:", f"{twin}figures:")
    tables = {Job(rule, "study=twin") for rule in ("gather_signals", "fit_orders", "draw_overview")}
    evaluated = slabs("sweep", config=TINY.replace("[2 um, 3 um]", "[3 um, 5 um]"), having="L5")
    assert project.plan() == points(periods=[5]) | evaluated | tables


def test_nothing_changed_nothing_done(project):
    assert project.plan() == set()
    # The same values in other words, and what is not asked for any more.
    project.edit(CONFIG, "8 ms]", "8000 us]")
    project.edit(CONFIG, "[3e-5 m/s, 5e-5 m/s]", "{start: 0.03 um/ms, stop: 50 nm/ms, num: 2}")
    project.edit(CONFIG, "  kl23_fig1: {geometries: [cell]}\n", "")
    project.write(CONFIG, f"# a comment\n{project.path(CONFIG).read_text()}")
    assert project.plan() == set()


def imported_modules(script: Path) -> set[str]:
    """Modules of the library that a script imports by themselves or takes something from."""
    found = set()
    for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            inside = ROOT / "src" / "torrey"
            names = {alias.name for alias in node.names}
            modules = {name for name in names if (inside / f"{name}.py").exists()}
            found |= {f"torrey.{name}" for name in modules if node.module == "torrey"}
            found |= {node.module} - {"torrey"}
    return found


IMPORTS = {
    script: imported_modules(script)
    for script in (ROOT / "workflow" / "scripts").glob("*.py")
    if script.stem != "verify"
}

LIBRARY = {
    "reference/full.py": ALL_POINTS | SOLVED | ALL_TABLES,
    "cell/krylov.py": ALL_POINTS | SOLVED | ALL_TABLES,
    "models/expansion.py": ALL_MODELS | PROJECTED | ALL_TABLES | EXCHANGE | BLOCH,
    "models/integration.py": ALL_MODELS | PROJECTED | ALL_TABLES | EXCHANGE | BLOCH,
    "reference/ladder.py": PROJECTED | TABLES["projected"] | CHECK,
    # The paths of what figures read know the waveforms.
    "gradients/waveforms/segments.py": (FROM_OPERATORS - ALL_TENSORS)
    | DRAWN_FROM_MESH
    | ALL_PICTURES,
    "geometry/meshing.py": EVERYTHING,
    "cell/assembly.py": FROM_OPERATORS
    | {Job("assemble_operators", f"geometry={geometry}") for geometry in MESHES},
    "models/tensors.py": ALL_TENSORS | ALL_MODELS | (ALL_TABLES - CHECK) | EXCHANGE,
    "base/artifacts.py": EVERYTHING,
    # What compares projected signals with full ones fits nothing.
    "study/fits.py": (ALL_TABLES - CHECK) | FITTED,
    "figures/kl23.py": DRAWN_FROM_SIGNALS,
    "figures/kl23_cells.py": DRAWN_FROM_MESH,
    "figures/drawing.py": DRAWN_FROM_MESH | DRAWN_FROM_SIGNALS | ALL_PICTURES | ALL_OVERVIEWS,
    "figures/solid_cells.py": ALL_PICTURES | ALL_OVERVIEWS,
    "figures/overview.py": ALL_OVERVIEWS,
    "workflow/layout.py": set(),
    "tables/khm19.py": WRITTEN,
    "tables/writing.py": WRITTEN,
    # What stands around jobs makes nothing.
    "workflow/jobs.py": set(),
    "workflow/recipes.py": set(),
}


SELDOM = (
    "models/expansion.py",
    "gradients/waveforms/segments.py",
    "base/artifacts.py",
    "cell/krylov.py",
    "models/integration.py",
    "cell/assembly.py",
    "models/tensors.py",
    "study/fits.py",
    "figures/drawing.py",
    "figures/kl23_cells.py",
    "reference/ladder.py",
    "tables/writing.py",
    "workflow/layout.py",
    "workflow/recipes.py",
)


@pytest.mark.parametrize(
    ("module", "jobs"),
    [
        pytest.param(*item, id=item[0], marks=pytest.mark.slow if item[0] in SELDOM else ())
        for item in LIBRARY.items()
    ],
)
def test_a_module_recomputes_what_it_made(project, module, jobs):
    project.append(f"src/torrey/{module}", "\nADDED = 1\n")
    assert project.plan() == jobs


#: Rules that the small project has no job of; `tests/unit/workflow` holds what their jobs carry.
ABSENT = {
    "place_discs",
    "solve_magnetisation",
    "draw_film",
    "expand_cumulants",
    "derive_signals",
    "bound_parameters",
    "solve_dictionary",
    "evaluate_dictionary",
    "gather_dictionary",
    "read_data",
    "fit_chunk",
    "gather_fit",
    "write_maps",
    "mesh_voxel",
    "solve_voxel",
    "homogenise_voxel",
    "gather_voxel",
}
PRESENT = {script.stem: found for script, found in IMPORTS.items() if script.stem not in ABSENT}
# Scripts by the modules of the library that they import; `workflow` writes no result.
IMPORTERS = {
    module: {script for script, found in PRESENT.items() if module in found}
    for module in sorted(set().union(*PRESENT.values()))
    if not module.startswith("torrey.workflow")
}


@pytest.mark.slow
@pytest.mark.parametrize(("module", "scripts"), IMPORTERS.items(), ids=IMPORTERS)
def test_a_script_runs_again_after_an_edit_to_anything_that_it_imports(project, module, scripts):
    base = project.path("src").joinpath(*module.split("."))
    file = base / "__init__.py" if base.is_dir() else base.with_suffix(".py")
    project.append(str(file.relative_to(project.root)), "\nADDED = 1\n")
    assert scripts <= {job.rule for job in project.plan()}


def test_comments_and_docstrings_recompute_nothing(project):
    for path in sorted(project.path("src/torrey").rglob("*.py")):
        path.write_text(reworded(path.read_text(encoding="utf-8")), encoding="utf-8")
    assert project.plan() == set()


def reworded(text: str) -> str:
    """Other comments, docstrings and blank lines in a module."""
    lines = text.splitlines()
    documented = ast.Module | ast.FunctionDef | ast.ClassDef
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, documented) and ast.get_docstring(node):
            i = node.body[0].lineno - 1
            lines[i] = lines[i].replace('"""', '"""Reworded: ', 1)
    return "# A comment.\n\n" + "\n".join(lines) + "\n\n# The end.\n"


@pytest.mark.parametrize(
    ("script", "jobs"),
    [
        ("solve_reference", ALL_POINTS | CHECK | TABLES["sweep"] | TABLES["wall"]),
        ("build_basis", PROJECTED | CHECK | TABLES["projected"]),
        ("fit_orders", {Job("fit_orders", "study=sweep")}),
        ("draw_cell", ALL_PICTURES),
        ("draw_figure", DRAWN_FROM_MESH | DRAWN_FROM_SIGNALS),
        ("draw_overview", ALL_OVERVIEWS),
        ("write_table", WRITTEN),
    ],
)
def test_a_script_recomputes_what_it_made(project, script, jobs):
    project.append(f"workflow/scripts/{script}.py", "\nADDED = 1\n")
    assert project.plan() == jobs


def test_a_script_that_is_only_newer_recomputes_what_it_made(project):
    # Snakemake looks at the time of a script, not at what is in it.
    os.utime(project.path("workflow/scripts/fit_orders.py"))
    assert project.plan() == {Job("fit_orders", "study=sweep")}


def test_deleted_files_are_made_again_when_they_are_needed(project):
    (point,) = points(periods=[2], kappas=[0.05], Deltas=[8], bs=[0.2])
    file = "results/reference/cell/De3_Di1.7/L2_kappa0.05_pgse-2-8_b0.2_n1_0_tol0.01.nc"
    project.path(file).unlink()
    assert project.plan() == set()
    project.path("results/studies/sweep/signals.nc").unlink()
    assert project.plan() == {point} | TABLES["sweep"]


@pytest.mark.slow
def test_a_model_more_solves_nothing_again(project):
    before = times(project)
    project.edit(CONFIG, *A_MODEL_MORE)
    run = project.run("--cores=2", *TARGETS)
    assert run.code == 0, run.text
    evaluated = slabs("sweep", "R2", config=TINY.replace(*A_MODEL_MORE))
    assert run.jobs == evaluated | TRACED | TABLES["sweep"]
    assert project.plan() == set()
    assert {name for name in changed(before, times(project)) if "/slabs/" not in name} == {
        "results/studies/sweep/convergence.nc",
        "results/studies/sweep/eigenvalues.nc",
        "results/studies/sweep/kurtosis.nc",
        "results/studies/sweep/overview.nc",
        "results/studies/sweep/signals.nc",
    }


@pytest.mark.slow
def test_what_is_kept_and_what_is_new_fit_together(short, origin, tmp_path):
    project, other = short.copy(tmp_path / "project"), SHORT.replace("Delta: 6", "Delta: 7")
    project.write(CONFIG, other)
    plan = project.plan()
    assert not {"build_mesh", "assemble_operators"} & {job.rule for job in plan}
    run = project.run("--cores=2", *TARGETS)
    assert run.code == 0, run.text
    assert run.jobs == plan
    scratch = Project.create(tmp_path / "scratch", other, origin)
    assert scratch.run("--cores=2", *TARGETS).code == 0
    results = project.results()
    for name, path in scratch.results().items():
        assert results[name].read_bytes() == path.read_bytes(), name


@pytest.mark.slow
def test_an_edit_to_a_solver_changes_its_results(project):
    before = {name: path.read_bytes() for name, path in project.results().items()}
    project.edit("src/torrey/reference/full.py", "_FEWEST_STEPS = 6", "_FEWEST_STEPS = 7")
    run = project.run("--cores=2", *TARGETS)
    assert run.code == 0, run.text
    assert run.jobs == ALL_POINTS | SOLVED | ALL_TABLES
    references = [name for name in before if name.startswith("results/reference/")]
    assert references
    for name in references:
        assert project.path(name).read_bytes() != before[name], name


def times(project: Project) -> dict[str, int]:
    return {name: path.stat().st_mtime_ns for name, path in project.results().items()}


def changed(before: dict[str, int], after: dict[str, int]) -> set[str]:
    return {name for name, time in after.items() if before.get(name) != time}
