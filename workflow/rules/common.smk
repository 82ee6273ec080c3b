import json
import os
import sys
from pathlib import Path

from snakemake.cli import get_argument_parser
from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

from torrey.workflow import captions
from torrey.workflow import layout as paths
from torrey.config import ConfigError
from torrey.figures.catalogue import entry_of, paper_of
from torrey.base.provenance import library_digest
from torrey.gradients.sweep import REFERENCE
from torrey.tables import catalogue as tables
from torrey.workflow.alarms import Alarm
from torrey.workflow.batches import Batches, forced_rules
from torrey.workflow.opening import asks_for_report, read_configuration, unknown_target
from torrey.workflow.closing import closing_words
from torrey.workflow.jobs import LIBRARY_VARIABLE
from torrey.workflow.recipes import Recipes
from torrey.workflow.runs import RunError, begin_run
from torrey.workflow.targets import part_of_rule

# The papers' figures, unless the user brings a configuration of their own.
CONFIG_FILES = [Path(f) for f in workflow.config_settings.configfiles] or [
    Path(workflow.basedir) / "config" / "default.yaml"
]
SCRIPTS = Path(workflow.basedir) / "workflow" / "scripts"


def stop(message):
    """End the program with a message alone; Snakemake would add the lines of this file to it."""
    sys.exit(str(message))


# Snakemake writes the path of Python into commands as it is.
if any(letter.isspace() for letter in sys.executable):
    stop(
        f"found the environment in {sys.executable}, accepted: a folder without blanks in its path. "
        "Move the project and run `make env`"
    )
if workflow.config_settings.config:
    stop("found --config, accepted: --configfile with a YAML file, whose values are checked")
try:
    CONFIG = read_configuration(CONFIG_FILES)
except ConfigError as error:
    stop(str(error))

# Jobs compare the library with what it is now. On a cluster they may inherit this from the run.
if workflow.is_main_process or LIBRARY_VARIABLE not in os.environ:
    os.environ[LIBRARY_VARIABLE] = library_digest()

RECIPES = Recipes(CONFIG, SCRIPTS)
LAYOUT = RECIPES.layout

# A report is made of what is there: targets are cut to that, and its texts are made for it alone.
REPORT = None
if workflow.is_main_process and asks_for_report(sys.argv[1:]):
    from torrey.workflow.report import Report

    REPORT = Report(RECIPES, Path(workflow.basedir))
    config["torrey_report"] = REPORT.values()
    if not REPORT.files:
        stop("\n".join(REPORT.said()))
    for line in REPORT.said():
        logger.info(line)

# Its record lives as long as the process. While rules are read, Snakemake does not say yet whether it
# only asks what would be done: the words of the command do.
try:
    RUN = (
        begin_run(
            Path(".snakemake"),
            Path(paths.RESULTS),
            words=sys.argv[1:],
            dry=workflow.dryrun,
            say=logger.info,
        )
        if workflow.is_main_process
        else None
    )
except RunError as error:
    stop(str(error))

if workflow.is_main_process:
    for study in CONFIG.studies.values():
        for note in study.notes:
            logger.info(f"Study {study.name}: {note}")
    for dictionary in CONFIG.dictionaries.values():
        for note in dictionary.notes:
            logger.info(f"Dictionary {dictionary.name}: {note}")
    for measured in CONFIG.data.values():
        for note in measured.notes:
            logger.info(f"Data {measured.name}: {note}")
    for bloch_run in CONFIG.bloch.values():
        for note in bloch_run.notes:
            logger.info(f"Bloch run {bloch_run.name}: {note}")


onstart:
    # Jobs that wait for a core are looked at once a second, not once for each job that has ended.
    scheduler = workflow.scheduler
    if hasattr(scheduler, "_schedule_reevalutation") and hasattr(scheduler, "_open_jobs"):
        scheduler._schedule_reevalutation = Alarm(scheduler._open_jobs.release)


onsuccess:
    for line in closing_words(
        file for job in workflow.dag.finished_jobs for file in job.output
    ):
        logger.info(line)


# Slabs that are up to date are in no batch. Jobs on other machines make what the run has found.
BATCH_FILE = Path(".snakemake") / "batches.json"
if workflow.is_main_process:
    BATCHES = Batches.of(
        RECIPES,
        forced=forced_rules(sys.argv[1:]),
        # Snakemake counts cores where it runs jobs itself, and jobs where a queue does.
        queued=workflow.resource_settings.cores is None,
    )
    if RUN is not None:
        BATCHES.write(BATCH_FILE)
else:
    BATCHES = Batches.read(BATCH_FILE)


# Options that name rules and files, by their names in the settings of a run.
NAMING = {"forcerun": "-R", "until": "-U", "omit_from": "-O", "prioritize": "-P"}


def check_words(arguments):
    """Stop if the command names what is neither a rule, nor there, nor made by a rule."""
    # Rules that make files are steps on the way: nobody asks for them by their names.
    check_names(arguments.targets, {rule.name for rule in workflow.rules if not rule.output})
    rules = {rule.name for rule in workflow.rules}
    # Batches of what is up to date are no rules of this run.
    steps = rules.union(RECIPES[path].rule for path in LAYOUT.slab_jobs)
    numbered = {batch.name for batch in BATCHES.all if batch.number > 1}
    for option, letter in NAMING.items():
        named = getattr(arguments, option) or ()
        check_names(set(named) - numbered, steps - numbered, f"{letter}: ")
        # What -R forces is in batches again, all of it; these two would stop short without a word.
        if option in ("until", "omit_from") and (wrong := part_of_rule(named, rules)):
            stop(f"{letter}: {wrong}")
        # What is not to be made can be left out all the same.
        done = steps.intersection(named) - rules if option != "omit_from" else ()
        for name in done:
            stop(f"{letter}: found {name}, of which nothing is to be made, accepted: another rule")


def check_names(names, rules, where=""):
    """Stop at the first name that is neither one of the rules nor the path of a file."""
    made = set(RECIPES.outputs()) if names else set()
    for name in names:
        path = os.path.normpath(name)
        if name in rules or os.path.exists(path) or path in made or is_beside(name, made):
            continue
        drawn = [file for figure in CONFIG.figures for file in figure_files(figure)]
        written = [file for table in CONFIG.tables for file in table_files(table)]
        stop(where + unknown_target(name, rules, made.union(drawn, written)))


def is_beside(target, made):
    """Whether a rule makes a file together with one that the configuration asks for.

    That a path fits the pattern of a rule does not say that some study needs it.
    """
    return any(
        not made.isdisjoint(map(str, rule.expand_output(rule.get_wildcards(target))[0]))
        for rule in workflow.rules
        if rule.is_producer(target)
    )


def names(values):
    """Wildcard constraint that accepts these names and nothing else."""
    return "|".join(values) or "(?!)"


def inputs_of(pattern):
    """Inputs of the rule that makes files of this pattern, by name.

    A file that is there and was made in another way is made again: Snakemake has no record of it
    where its job failed, or where results came from elsewhere.
    """

    def inputs(wildcards):
        path = pattern.format(**wildcards)
        if path not in RECIPES:
            raise WorkflowError(f"{path}: nothing in the configuration asks for such a file")
        if os.path.islink(path) and not os.path.exists(path):
            raise WorkflowError(f"{path} is a link to a file that is not there. Delete it")
        recipe = RECIPES[path]
        if RECIPES.is_stale(path):
            workflow.dag.forcefiles.update(recipe.outputs)
        return dict(recipe.inputs)

    return inputs


def recipe_of(pattern):
    """Parameters of the rule that makes files of this pattern."""
    return lambda wildcards: RECIPES.job_parameters(pattern.format(**wildcards))


def batch_inputs(batch):
    """Inputs of a batch of slabs, which all have the same. What is there of them is stale."""

    def inputs(wildcards):
        workflow.dag.forcefiles.update(filter(os.path.exists, batch.outputs))
        return dict(RECIPES[batch.outputs[0]].inputs)

    return inputs


def batch_recipes(batch):
    """Parameters of each slab of a batch, as one text."""
    return json.dumps({path: RECIPES.job_parameters(path) for path in batch.outputs})


def reported(files):
    """What a target asks for: these files; for a report those of them that are there."""
    return files if REPORT is None else REPORT.current(files)


def figure_files(figure):
    stem = paths.FIGURE.format(figure=figure)
    kinds = ("pdf", "png", "gif", "nc") if figure in FILMS else ("pdf", "png", "nc")
    return reported([f"{stem}.{kind}" for kind in kinds])


def figure_name(wildcards):
    """Name of a figure, with a film or without."""
    return wildcards.get("film") or wildcards.figure


def figure_category(wildcards):
    return captions.category_of(paper_of(figure_name(wildcards)))


def figure_group(wildcards):
    """Own figures stand by the studies that they show, those of papers together."""
    name = figure_name(wildcards)
    is_own = paper_of(name) == "own"
    return captions.shown_by(CONFIG.figures[name]) if is_own else "Figures"


def figure_labels(wildcards):
    name = figure_name(wildcards)
    return {"figure": name, "shows": entry_of(name, CONFIG.figures[name].kind).caption}


# Figures with a film beside them.
FILMS = [name for name, figure in CONFIG.figures.items() if entry_of(name, figure.kind).film]
# Figures that are drawn with all others, and those that are drawn where somebody names them.
ON_REQUEST = [name for name, figure in CONFIG.figures.items() if figure.on_request]
DRAWN = [name for name in CONFIG.figures if name not in ON_REQUEST]


def table_files(table):
    return reported([f"{paths.TABLE.format(table=table)}.{kind}" for kind in ("csv", "md", "nc")])


def table_category(wildcards):
    return captions.category_of(tables.paper_of(wildcards.table))


def files_of_paper(paper):
    """Figures and tables of one paper."""
    return [
        *(figure_files(figure) for figure in DRAWN if paper_of(figure) == paper),
        *(table_files(table) for table in CONFIG.tables if tables.paper_of(table) == paper),
    ]


wildcard_constraints:
    geometry=names(CONFIG.geometries),
    picture=names(paths.PICTURES),
    material=names({material for _, material in LAYOUT.materials}),
    study=names(CONFIG.studies),
    dictionary=names(CONFIG.dictionaries),
    model=names({m for d in CONFIG.dictionaries.values() for m in d.models} - {REFERENCE}),
    block=r"[^/]+",
    inversion=names(CONFIG.inversions),
    data=names(CONFIG.data),
    fit=names(CONFIG.fits),
    design=names(CONFIG.designs),
    chunk=r"[0-9]+of[0-9]+",
    bloch=names(CONFIG.bloch),
    voxel=names(CONFIG.voxels),
    domain="box|voxel",
    kind=names({run.kind for run in CONFIG.bloch.values()}),
    span=r"[^/]+",
    figure=names([figure for figure in CONFIG.figures if figure not in FILMS]),
    film=names(FILMS),
    state=r"[^/]+",
    table=names(CONFIG.tables),
    point=r"[^/]+",
