"""The floors of the library: nobody imports upward, and a job loads only what it needs."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import torrey
from torrey.base import provenance
from torrey.models import registry

LIBRARY = Path(torrey.__file__).parent
ROOT = LIBRARY.parents[1]
SCRIPTS = sorted((ROOT / "workflow" / "scripts").glob("*.py"))

# The rooms from the ground up: nobody imports from a room above the own one.
ROOMS = [
    "base",
    "geometry",
    "gradients",
    "cell",
    "models",
    "bloch",
    "reference",
    "voxel",
    "study",
    "inversion",
    "config",
    "figures",
    "tables",
    "door",
    "workflow",
    "command",
]
FLOOR_OF = {name: floor for floor, name in enumerate(ROOMS)}
# The floors of each room, likewise: a module imports from those below its own.
INNER = {
    "base": [
        "errors keys lazy memory progress rosenbrock sources stored",
        "budgets limited provenance seals",
        "artifacts nearest units",
        "fields",
    ],
    "geometry": [
        "balls.random_discs boxes flips membranes outer_faces outlines.curves "
        "outlines.label_images outlines.sizes outlines.svg_outlines own.mesh_files pieces",
        "balls.radius_laws bodies.lines lattices mesh outlines.files outlines.sided_curves "
        "outlines.smoothing outlines.surroundings own.surface_files sizes",
        "drawing grading outlines.boxes outlines.image_outlines own.conforming own.surface_scenes",
        "outlines.drawing own.own_faces shapes",
        "checks extraction files interiors layers",
        "balls.base bodies.base outlines.base own.own_cells refinement",
        "balls.neighbours balls.placing bodies.cylinder_shapes bodies.ellipsoid_shapes "
        "meshing outlines.ellipses outlines.polygons own.own_mesh",
        "balls.shell_drawing balls.sizes bodies.cylinder_drawing bodies.ellipsoid_drawing "
        "outlines.images own.surface_meshing",
        "balls.coats bodies.ellipsoids own.surfaces",
        "balls.drawing",
        "balls.packing",
        "balls.discs balls.spheres",
        "balls.random_packing bodies.extrusion",
        "balls.packing_files bodies.cylinders",
        "registry",
        "levels",
    ],
    "gradients": [
        "acquisition.text rules waveforms.segments",
        "waveforms.base waveforms.merging",
        "waveforms.closing",
        "waveforms.echo waveforms.pulses waveforms.sampled",
        "waveforms.oscillating waveforms.stored waveforms.tensors",
        "acquisition.timings instants protocol",
        "acquisition.columns acquisition.headers acquisition.rasters acquisition.reader "
        "orientations shapes",
        "sweep",
        "acquisition.samples acquisition.shapes acquisition.tables axes blocks derivable slabs",
        "acquisition.dvs acquisition.fsl acquisition.mrtrix acquisition.pulseq "
        "acquisition.scheme_waveforms",
        "acquisition.bids acquisition.scheme listing",
        "acquisition.named_columns",
    ],
    "cell": [
        "cell_operators factors material pattern quadrature refinement symmetric",
        "corners krylov motion radial",
        "operators",
        "assembly folding layers system",
        "build files radii",
        "demand",
    ],
    "models": [
        "cell_problems cumulants karger model polynomials reduced validity",
        "energy integration moments registry tensors",
        "densities openings stability taylor tensor_files",
        "adjoint opened_slopes rates",
        "expansion lumped",
        "kurtosis projection",
        "evaluation resolvents sensitivities",
        "files",
    ],
    "bloch": [
        "dispersion fields laws modes sampling zone_lines",
        "bands folded_basis",
        "files folded_signals narrow_pulses shared_bands",
        "pulse_tables",
        "visited",
        "echo_runs narrow_runs spectrum",
        "branches eigenmodes",
        "spectrum_runs",
        "runs",
    ],
    "reference": [
        "estimates flow ladder_files methods span",
        "outcome",
        "cumulants full ladder",
        "files magnetisation projected",
        "derivatives ladder_levels shared trained",
        "folded",
        "sensitive tables",
        "slab",
        "slab_files",
    ],
    "voxel": [
        "blocks exchange medium results",
        "arcs",
        "triangulation",
        "quadratic",
        "assembly",
        "layers multigrid spaces window",
        "steps",
        "checkpoints files homogenised",
        "meshes signals",
    ],
    "study": [
        "averages cell_derivatives comparison cumulants dictionary fits orders",
        "derivatives files model_blocks reference_blocks",
    ],
    "inversion": [
        "batched criteria design_settings fit_settings likelihood map_names measured nifti problem "
        "sphere",
        "data_keys design exchange_kernel fit physical signal_tables table_model",
        "cell_table exchange_models noise profiles protocol_design radius voxel_data voxel_problem",
        "design_files study study_tables table_models voxel_profiles",
        "exact_rates voxel_fit",
        "files report table_checks",
        "run study_signals",
        "cell_runs exchange_runs",
        "table_runs",
        "table_report",
    ],
    "config": [
        "domain problems quantities registered yaml_errors",
        "material_models nodes waveform_models",
        "data_models findings gradient_documentation voxel_models",
        "acquisitions cells declared_models designs inversions",
        "bloch data_fits figure_models geometries",
        "documentation exchange_fits models",
        "axis_values derivatives materials protocols scales schema",
        "data own_places studies voxels",
        "dictionaries own_cuts",
        "own_figures",
        "load",
    ],
    "figures": [
        "captions cell_colors fields films fitted_times isosurfaces needs rendering sources",
        "cell_sections entries solid_cells",
        "own_kinds",
        "catalogue",
        "drawing",
        "style",
        "profile_curves",
        "cells dispersion exchange_bias fits inversions khm19_domain panels words",
        "chl14 chl14_voxel khm19 kl23 kl23_cells kl23_cumulants kl23_orders layers "
        "mmg20_cells mmg20_pulses mmg20_signals mmg20_spectrum mmg20_volume own own_axes "
        "plane_cells",
        "own_cumulants own_errors own_magnetisation own_signals own_sphere",
        "own_angles own_orders",
        "cell_pictures mmg20_maps",
        "own_geometry overview",
    ],
    "tables": [
        "captions catalogue chl14_published writing",
        "chl14 khm19 khm19_kurtosis",
    ],
    "door": [
        "drawing medium quantities shapes threads",
        "materials orientations samples",
        "waveforms",
        "given gradients",
        "labels",
        "averages derivatives fits measured site",
        "signals tensors",
        "description model periodic small_gradients",
        "cell",
        "dictionaries studies",
    ],
    "workflow": [
        "alarms captions clocks pictured places processes progress stage",
        "layout stages",
        "closing derivatives dictionaries films fits jobs opening runs voxels",
        "recipes",
        "targets",
        "batches report verification",
        "costs",
    ],
    "command": [
        "arguments examples text",
        "check lists main show template",
        "export new",
    ],
}
INNER_FLOOR_OF = {
    f"{room}.{name}": number
    for room, floors in INNER.items()
    for number, names in enumerate(floors)
    for name in names.split()
}
MODULES = sorted(
    ".".join(path.relative_to(LIBRARY).with_suffix("").parts).removesuffix(".__init__")
    for path in LIBRARY.rglob("*.py")
    # The door, and what ``python -m torrey`` runs, stand above all rooms.
    if path.parent != LIBRARY
)
PACKAGES = {m for m in MODULES if any(other.startswith(f"{m}.") for other in MODULES)}


def floor_of(module: str) -> int:
    return FLOOR_OF[module.split(".")[0]]


def source(module: str) -> ast.Module:
    base = LIBRARY.joinpath(*module.split("."))
    path = base / "__init__.py" if base.is_dir() else base.with_suffix(".py")
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports(module: str) -> set[str]:
    """Full names of all that a module imports, wherever in it the import stands."""
    names = set()
    for node in ast.walk(source(module)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a relative import is not followed by the digests of the code"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@cache
def imported_modules(module: str) -> frozenset[str]:
    """Modules of the library among the imports."""
    inside = {
        name.removeprefix("torrey.") for name in imports(module) if name.startswith("torrey.")
    }
    ways = {
        ".".join(name.split(".")[:end]) for name in inside for end in range(1, name.count(".") + 2)
    }
    return frozenset(ways & set(MODULES))


def test_every_module_has_a_floor():
    assert {module.split(".")[0] for module in MODULES} <= set(FLOOR_OF)


@pytest.mark.parametrize("module", MODULES)
def test_nobody_imports_upward(module):
    upward = {name for name in imported_modules(module) if floor_of(name) > floor_of(module)}
    assert upward == set()


def through_faces(module: str) -> set[str]:
    """Modules that a module imports, also those whose names a package only hands on."""
    found = set(imported_modules(module)) - {module}
    faces = {face for face in found & PACKAGES if not module.startswith(f"{face}.")}
    for face in faces:
        found |= imported_modules(face) - {module}
    return found - PACKAGES


@pytest.mark.parametrize("module", [m for m in MODULES if m not in PACKAGES])
def test_nobody_imports_upward_within_a_room(module):
    own = module.split(".")[0]
    inside = {name for name in through_faces(module) if name.split(".")[0] == own}
    floor = INNER_FLOOR_OF[module]
    assert {name for name in inside if INNER_FLOOR_OF[name] >= floor} == set()


def test_every_module_has_an_inner_floor_and_every_floor_its_modules():
    assert set(INNER_FLOOR_OF) == set(MODULES) - PACKAGES


def test_modules_do_not_import_each_other_in_a_circle():
    above = {module: imported_modules(module) - {module} for module in MODULES}
    # A package imports from its modules, and they from each other: that is no circle.
    above = {module: found - PACKAGES for module, found in above.items() if module not in PACKAGES}
    while free := {module for module, found in above.items() if not found & set(above)}:
        above = {module: found for module, found in above.items() if module not in free}
    assert above == {}


def test_what_builds_models_is_imported_by_name_where_they_are_evaluated():
    # The digest of the code behind a job follows import statements, not the registry.
    followed = imported_modules("models.evaluation")
    built = {kind.build.module for kind in registry.kinds() if kind.build}
    assert {module.removeprefix("torrey.") for module in built} <= followed
    assert len(built) == 4


@pytest.mark.parametrize("module", [m for m in MODULES if not f"{m}.".startswith("door.")])
def test_nobody_but_the_first_file_imports_the_door(module):
    assert {name for name in imported_modules(module) if name.startswith("door")} == set()


@pytest.mark.parametrize("module", MODULES)
def test_the_library_does_not_know_the_workflow(module):
    assert not any(name.split(".")[0] == "snakemake" for name in imports(module))


def modules_after(statements: str) -> set[str]:
    """Modules in memory after some statements in a new interpreter."""
    call = f"{statements}\nimport sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", call], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def loaded_after(statements: str) -> set[str]:
    """Top-level packages in memory after some statements in a new interpreter."""
    return {name.split(".")[0] for name in modules_after(statements)}


def imports_of(script: Path) -> str:
    """The import statements of a script of the workflow."""
    tree = ast.parse(script.read_text(encoding="utf-8"))
    return "\n".join(
        ast.unparse(node) for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)
    )


DRAWING = {"matplotlib", "seaborn", "pandas"}
MESHING = {"gmsh", "pygmsh", "meshio", "skfem"}
# What a configuration needs; a job gets plain values.
PARSING = {"pydantic", "pint", "yaml"}
# A quarter of the imports of a job that has no use for them.
FITTING = {"scipy.optimize", "scipy.special"}

NOT_LOADED = {
    "solve_reference": DRAWING | MESHING | PARSING | FITTING | {"xarray"},
    "solve_magnetisation": DRAWING | MESHING | PARSING | FITTING | {"xarray"},
    "build_basis": DRAWING | MESHING | PARSING | FITTING | {"xarray"},
    "solve_dictionary": DRAWING | MESHING | PARSING | FITTING | {"xarray"},
    "evaluate_dictionary": DRAWING | MESHING | PARSING | FITTING | {"xarray"},
    "gather_dictionary": DRAWING | MESHING | PARSING | {"scipy", "xarray"},
    "solve_projected": DRAWING | MESHING | PARSING | FITTING | {"xarray"},
    "check_projected": DRAWING | MESHING | PARSING | FITTING | {"xarray"},
    "evaluate_models": DRAWING | MESHING | PARSING | FITTING | {"xarray"},
    "extract_tensors": DRAWING | MESHING | PARSING | FITTING | {"xarray"},
    "trace_eigenvalues": DRAWING | MESHING | PARSING | FITTING | {"xarray"},
    "gather_signals": DRAWING | MESHING | PARSING | FITTING | {"xarray"},
    "fit_orders": DRAWING | MESHING | PARSING | FITTING | {"xarray"},
    "write_table": DRAWING | MESHING | {"xarray"},
    "fit_inversion": DRAWING | MESHING | PARSING | {"xarray"},
    "expand_cumulants": DRAWING | MESHING | PARSING | FITTING | {"xarray"},
    "bound_parameters": DRAWING | MESHING | PARSING | {"scipy", "xarray"},
    "derive_signals": DRAWING | MESHING | PARSING | FITTING | {"xarray"},
    "fit_kurtosis": DRAWING | MESHING | PARSING | FITTING | {"xarray"},
    "assemble_operators": DRAWING | PARSING | {"gmsh", "xarray"},
    "solve_bloch": DRAWING | MESHING | PARSING | {"xarray"},
    "build_mesh": DRAWING | PARSING | {"xarray"},
    "mesh_voxel": DRAWING | MESHING | PARSING | {"xarray"},
    "solve_voxel": DRAWING | PARSING | {"gmsh", "xarray"},
    "homogenise_voxel": DRAWING | PARSING | {"xarray"},
    "gather_voxel": DRAWING | MESHING | PARSING | {"xarray"},
    "read_data": DRAWING | MESHING | PARSING | {"nibabel", "scipy", "xarray"},
    "fit_chunk": DRAWING | MESHING | PARSING | {"nibabel", "xarray"},
    "gather_fit": DRAWING | MESHING | PARSING | {"nibabel", "xarray"},
    "write_maps": DRAWING | MESHING | PARSING | {"xarray"},
    "place_discs": DRAWING | MESHING | PARSING | {"xarray"},
}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_scripts_load_what_they_need_and_no_more(script):
    modules = modules_after(imports_of(script))
    assert "torrey" in modules
    assert "torrey.door" not in modules
    packages = {m.split(".")[0] for m in modules}
    assert (packages | modules) & NOT_LOADED.get(script.stem, set()) == set()


def test_the_workflow_reads_its_configuration_without_loading_a_solver():
    rules = (ROOT / "workflow" / "rules" / "common.smk").read_text(encoding="utf-8")
    lines = [line for line in rules.splitlines() if line.startswith("from torrey")]
    assert lines
    heavy = DRAWING | MESHING | {"nibabel", "scipy", "xarray", "netCDF4"}
    assert loaded_after("\n".join(lines)) & heavy == set()


def test_what_reads_configurations_knows_no_solver() -> None:
    """Figures carry the digest of it: an edit to a solver must not draw them all anew."""
    known: set[Path] = set()
    provenance._follow(provenance._path("torrey.config"), known)
    names = {path.relative_to(ROOT / "src" / "torrey").as_posix() for path in known}
    solvers = ("reference/", "cell/assembly.py", "models/expansion.py", "models/integration.py")
    assert [name for name in names if name.startswith(solvers)] == []
