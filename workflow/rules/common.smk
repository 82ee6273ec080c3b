import json
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

from torrey import layout as paths
from torrey.config import ConfigError, load
from torrey.figures.catalogue import CATALOGUE, paper_of, problems
from torrey.layout import Layout, shown
from torrey.provenance import code_digest
from torrey.runs import forget_dead_runs
from torrey.tables import catalogue as tables

# The papers' figures, unless the user brings a configuration of their own.
CONFIG_FILES = [Path(f) for f in workflow.config_settings.configfiles] or [
    Path(workflow.basedir) / "config" / "default.yaml"
]

if workflow.config_settings.config:
    raise WorkflowError(
        "found --config, accepted: --configfile with a YAML file, whose values are checked"
    )
try:
    CONFIG = load(CONFIG_FILES)
except ConfigError as error:
    raise WorkflowError(str(error))

WRONG = [
    f"{' or '.join(map(str, CONFIG_FILES))}: {text}"
    for text in (*problems(CONFIG), *tables.problems(CONFIG))
]
if WRONG:
    raise WorkflowError("\n".join(WRONG))

LAYOUT = Layout(CONFIG)

if workflow.is_main_process:
    for study in CONFIG.studies.values():
        for note in study.notes:
            logger.info(f"Study {study.name}: {note}")

# Open until the process ends.
RUNNING = (
    forget_dead_runs(Path(".snakemake"))
    if workflow.is_main_process and not workflow.dryrun
    else None
)

# Digests of what is behind each rule, imported modules included. They stand among the parameters,
# so that Snakemake sees an edit to the library.
CODE = {
    "build_mesh": code_digest("torrey.geometry.meshing", "torrey.geometry.files"),
    "assemble_operators": code_digest("torrey.cell.assembly", "torrey.cell.files"),
    "extract_tensors": code_digest("torrey.tensors", "torrey.tensor_files", "torrey.cell.files"),
    "solve_reference": code_digest("torrey.reference_files", "torrey.cell.files"),
    "build_basis": code_digest("torrey.ladder", "torrey.ladder_files", "torrey.cell.files"),
    "solve_projected": code_digest(
        "torrey.projected_study",
        "torrey.projected_files",
        "torrey.ladder_files",
        "torrey.cell.files",
    ),
    "evaluate_models": code_digest("torrey.model_files", "torrey.cell.files"),
    "tables": code_digest("torrey.study_files"),
    "check_projected": code_digest("torrey.comparison"),
    "solve_bloch": code_digest("torrey.bloch_runs", "torrey.cell.files", "torrey.geometry.files"),
    "fit_inversion": code_digest("torrey.inversion.run", "torrey.cell.files"),
}


def names(values):
    """Wildcard constraint that accepts these names and nothing else."""
    return "|".join(values) or "(?!)"


def study_of(wildcards):
    return CONFIG.studies[wildcards.study]


def study_operators(wildcards):
    return paths.OPERATORS.format(geometry=study_of(wildcards).geometry)


def study_references(wildcards):
    return list(LAYOUT.references(study_of(wildcards)).values())


def study_samples(wildcards):
    return list(LAYOUT.samples(study_of(wildcards)).values())


def study_basis(wildcards):
    return LAYOUT.basis(study_of(wildcards))


def study_projected(wildcards):
    """The table of projected references, if the study asks for them."""
    study = study_of(wildcards)
    return [paths.PROJECTED.format(study=study.name)] if LAYOUT.is_projected(study) else []


def study_models(wildcards):
    """The table of homogenised models, if the study asks for any."""
    study = study_of(wildcards)
    return [paths.MODELS.format(study=study.name)] if LAYOUT.models(study) else []


def mesh_recipe(wildcards):
    geometry = CONFIG.geometries[wildcards.geometry]
    return {**geometry.shape.to_dict(), **geometry.mesh.to_dict(), "code": CODE["build_mesh"]}


def tensor_recipe(wildcards):
    material = LAYOUT.materials[wildcards.geometry, wildcards.material]
    return {**material.to_dict(), "code": CODE["extract_tensors"]}


def reference_recipe(wildcards):
    job = LAYOUT.jobs[paths.REFERENCE_SIGNAL.format(**wildcards)]
    return {**job.parameters(), "code": CODE["solve_reference"]}


def basis_recipe(wildcards):
    study, span = LAYOUT.spans[paths.BASIS.format(**wildcards)]
    return {
        **study.material.to_dict(),
        "axes": json.dumps(span.axes),
        "rungs": span.rungs,
        "code": CODE["build_basis"],
    }


def projected_recipe(wildcards):
    study = study_of(wildcards)
    return {
        **study.material.to_dict(),
        "sweep": study.sweep.to_json(),
        "tolerance": study.tolerance,
        "code": CODE["solve_projected"],
    }


def check_recipe(wildcards):
    indices = json.dumps(list(LAYOUT.samples(study_of(wildcards))))
    return {"indices": indices, "code": CODE["check_projected"]}


def model_recipe(wildcards):
    study = study_of(wildcards)
    return {
        **study.material.to_dict(),
        "sweep": study.sweep.to_json(),
        "models": ",".join(LAYOUT.models(study)),
        "code": CODE["evaluate_models"],
    }


def gather_recipe(wildcards):
    study = study_of(wildcards)
    return {
        "sweep": study.sweep.to_json(),
        "models": ",".join(study.models),
        "code": CODE["tables"],
    }


def order_recipe(wildcards):
    return {"models": ",".join(LAYOUT.models(study_of(wildcards))), "code": CODE["tables"]}


def inversion_inputs(wildcards):
    """Signals to fit, and what tells the true parameters: tensors, or operators of the cell."""
    inversion = CONFIG.inversions[wildcards.inversion]
    return LAYOUT.inversion_inputs(inversion)


def inversion_recipe(wildcards):
    inversion = CONFIG.inversions[wildcards.inversion]
    studies = [CONFIG.studies[name] for name in inversion.studies]
    # Fits of the radius make meshes of their own; the others have nothing to do with the shape.
    first, cell = studies[0], {}
    if "radius" in inversion.parameters:
        cell = {**first.shape.to_dict(), **first.mesh.to_dict()}
    return {
        **first.material.to_dict(),
        "kind": inversion.kind,
        "cell": json.dumps(cell),
        "inversion": inversion.to_json(),
        "sweeps": json.dumps([study.sweep.to_json() for study in studies]),
        "code": CODE["fit_inversion"],
    }


def bloch_operators(wildcards):
    return paths.OPERATORS.format(geometry=CONFIG.bloch[wildcards.bloch].geometry)


def bloch_mesh(wildcards):
    return paths.MESH.format(geometry=CONFIG.bloch[wildcards.bloch].geometry)


def bloch_recipe(wildcards):
    run = CONFIG.bloch[wildcards.bloch]
    return {**run.material.to_dict(), **run.to_dict(), "code": CODE["solve_bloch"]}


def figure_files(figure):
    return [f"{paths.FIGURE.format(figure=figure)}.{kind}" for kind in ("pdf", "png", "nc")]


def figure_inputs(wildcards):
    """Files that a figure reads: one per geometry or study it shows, and kind of file."""
    figure = CONFIG.figures[wildcards.figure]
    return LAYOUT.sources(CATALOGUE[figure.name].reads, figure)


def figure_recipe(wildcards):
    figure = CONFIG.figures[wildcards.figure]
    return {
        "names": ",".join(shown(figure)),
        "code": code_digest(CATALOGUE[figure.name].module, "torrey.figures.drawing"),
    }


def figure_category(wildcards):
    return paper_of(wildcards.figure).upper()


def table_files(table):
    return [f"{paths.TABLE.format(table=table)}.{kind}" for kind in ("csv", "md", "nc")]


def table_inputs(wildcards):
    """Files that a table reads: one per geometry, study or inversion it shows, and kind of file."""
    table = CONFIG.tables[wildcards.table]
    return LAYOUT.sources(tables.CATALOGUE[table.name].reads, table)


def table_recipe(wildcards):
    table = CONFIG.tables[wildcards.table]
    return {
        "names": ",".join(shown(table)),
        "code": code_digest(
            tables.CATALOGUE[table.name].module, "torrey.tables.writing", "torrey.tables.catalogue"
        ),
    }


def table_category(wildcards):
    return tables.paper_of(wildcards.table).upper()


def files_of_paper(paper):
    """Figures and tables of one paper."""
    return [
        *(figure_files(figure) for figure in CONFIG.figures if paper_of(figure) == paper),
        *(table_files(table) for table in CONFIG.tables if tables.paper_of(table) == paper),
    ]


wildcard_constraints:
    geometry=names(CONFIG.geometries),
    material=names({material for _, material in LAYOUT.materials}),
    study=names(CONFIG.studies),
    inversion=names(CONFIG.inversions),
    bloch=names(CONFIG.bloch),
    kind=names({run.kind for run in CONFIG.bloch.values()}),
    span=r"[^/]+",
    figure=names(CONFIG.figures),
    table=names(CONFIG.tables),
    point=r"[^/]+",
