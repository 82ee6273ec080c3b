import json
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

from torrey import layout as paths
from torrey.config import ConfigError, load
from torrey.figures.catalogue import CATALOGUE, paper_of, problems
from torrey.layout import Layout
from torrey.provenance import code_digest
from torrey.runs import forget_dead_runs

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

WRONG_FIGURES = [f"{' or '.join(map(str, CONFIG_FILES))}: {text}" for text in problems(CONFIG)]
if WRONG_FIGURES:
    raise WorkflowError("\n".join(WRONG_FIGURES))

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


def table_recipe(wildcards):
    study = study_of(wildcards)
    return {
        "sweep": study.sweep.to_json(),
        "models": ",".join(study.models),
        "code": CODE["tables"],
    }


def order_recipe(wildcards):
    return {"models": ",".join(LAYOUT.models(study_of(wildcards))), "code": CODE["tables"]}


def figure_files(figure):
    return [f"{paths.FIGURE.format(figure=figure)}.{kind}" for kind in ("pdf", "png", "nc")]


def figure_inputs(wildcards):
    """Files that a figure reads: one per geometry or study it shows, and kind of file."""
    figure = CONFIG.figures[wildcards.figure]
    return [
        pattern.format(geometry=name, study=name)
        for pattern in CATALOGUE[figure.name].reads
        for name in figure.geometries or figure.studies
    ]


def figure_recipe(wildcards):
    figure = CONFIG.figures[wildcards.figure]
    return {
        "names": ",".join(figure.geometries or figure.studies),
        "code": code_digest(CATALOGUE[figure.name].module, "torrey.figures.drawing"),
    }


def figure_category(wildcards):
    return paper_of(wildcards.figure).upper()


wildcard_constraints:
    geometry=names(CONFIG.geometries),
    material=names({material for _, material in LAYOUT.materials}),
    study=names(CONFIG.studies),
    span=r"[^/]+",
    figure=names(CONFIG.figures),
    point=r"[^/]+",
