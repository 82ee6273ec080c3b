from pathlib import Path

from snakemake.exceptions import WorkflowError

from torrey import layout as paths
from torrey.config import ConfigError, load
from torrey.figures.catalogue import CATALOGUE, paper_of
from torrey.layout import Layout
from torrey.provenance import code_digest

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

UNKNOWN = [name for name in CONFIG.figures if name not in CATALOGUE]
if UNKNOWN:
    raise WorkflowError(
        f"{CONFIG_FILES[-1]}: figures.{UNKNOWN[0]}: found a figure that nobody draws, "
        f"accepted: {', '.join(CATALOGUE)}"
    )

LAYOUT = Layout(CONFIG)


def names(values):
    """Wildcard constraint that accepts these names and nothing else."""
    return "|".join(values) or "(?!)"


wildcard_constraints:
    geometry=names(CONFIG.geometries),
    material=names(LAYOUT.materials),
    study=names(CONFIG.studies),
    figure=names(CONFIG.figures),
    point=r"[^/]+",


# What a user asks for by name.
PAPERS = sorted({paper_of(figure) for figure in CONFIG.figures})


def figure_files(figure):
    return [f"{paths.FIGURE.format(figure=figure)}.{kind}" for kind in ("pdf", "png", "nc")]


localrules:
    figures,
    studies,
    kl23,


rule figures:
    default_target: True
    input:
        [figure_files(figure) for figure in CONFIG.figures],
        [LAYOUT.tensors(study) for study in CONFIG.studies.values()],


rule studies:
    input:
        [LAYOUT.study_files(study) for study in CONFIG.studies.values()],


rule kl23:
    input:
        [figure_files(figure) for figure in CONFIG.figures if paper_of(figure) == "kl23"],
