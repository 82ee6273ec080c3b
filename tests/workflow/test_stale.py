"""Whatever fails, is killed, damaged or swapped: no old or foreign file is taken for a new one.

Each test ends in the results of a run from nothing, byte for byte, or in an error that says which
file to delete; never in exit code 0 beside a wrong file.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest
from support.failing import KILLED, NO_SPACE, failing
from support.project import CHANGED, CONFIG, TARGETS, WALL_SLAB, Project, Run

#: A part of the path of what each rule makes.
MADE_BY = {
    "place_discs": "packing.nc",
    "build_mesh": "cell/mesh.nc",
    "draw_cell": "cell/cell.png",
    "assemble_operators": "cell/operators.nc",
    "extract_tensors": "tensors.nc",
    "solve_reference": "results/reference/",
    "build_basis": "results/basis/",
    "solve_projected": "reference_tol",
    "check_projected": "check.nc",
    "evaluate_models": "cell/De3_Di1.7/L3_kappa0.05_pgse-2-8",
    "trace_eigenvalues": "eigenvalues.nc",
    "gather_signals": "projected/signals.nc",
    "fit_orders": "convergence.nc",
    "fit_kurtosis": "kurtosis.nc",
    "fit_inversion": "fit.nc",
    "solve_bloch": "bands.nc",
    "expand_cumulants": "cumulants.nc",
    "draw_overview": "sweep/overview.png",
    "draw_figure": "kl23_fig6.png",
    "write_table": "table_tensors.md",
}
#: Those of data, dictionaries, designs, films and voxels have files of tests of their own, most of
#: which kill them too.
DATA = {"read_data", "fit_chunk", "gather_fit", "write_maps"}
DESIGNS = {"derive_signals", "bound_parameters"}
DICTIONARIES = {"solve_dictionary", "evaluate_dictionary", "gather_dictionary"}
FILMS = {"solve_magnetisation", "draw_film"}
VOXELS = {"mesh_voxel", "solve_voxel", "homogenise_voxel", "gather_voxel"}


def assert_as_from_nothing(project: Project, scratch: Project) -> None:
    expected = scratch.results()
    results = project.results()
    for name, path in expected.items():
        assert results[name].read_bytes() == path.read_bytes(), name
    for figure in scratch.path("results").rglob("*.p[dn][fg]"):
        name = figure.relative_to(scratch.root)
        assert project.path(str(name)).read_bytes() == figure.read_bytes(), name


def test_the_table_above_has_every_rule():
    scripts = {path.stem for path in Path(__file__).parents[2].glob("workflow/scripts/*.py")}
    assert set(MADE_BY) | DATA | DESIGNS | DICTIONARIES | FILMS | VOXELS == scripts - {"verify"}


#: Rules that do not wait for each other fail in the same run.
FAULTS = [
    ("killed", "build_mesh", "place_discs"),
    ("full", "assemble_operators", "draw_cell", "build_basis", "expand_cumulants"),
    (
        "full",
        "solve_reference",
        "solve_projected",
        "evaluate_models",
        "extract_tensors",
        "solve_bloch",
    ),
    (
        "full",
        "gather_signals",
        "check_projected",
        "trace_eigenvalues",
        "fit_orders",
        "fit_kurtosis",
        "fit_inversion",
        "draw_figure",
        "draw_overview",
        "write_table",
    ),
]


def test_every_rule_fails_once():
    assert {rule for _, *rules in FAULTS for rule in rules} == set(MADE_BY)


@pytest.mark.slow
@pytest.mark.fault(
    "jobs fail or are killed in the last step of their files, every rule once, after a change",
    "started again, the run ends in the files of a run from nothing, byte for byte",
)
@pytest.mark.parametrize(
    ("how", "rules"),
    [(how, rules) for how, *rules in FAULTS],
    ids=[f"{rules[0]}-{how}" for how, *rules in FAULTS],
)
def test_rules_that_fail_once_after_a_change_leave_nothing_stale(
    small, scratch, tmp_path, how, rules
):
    project = small.copy(tmp_path / "project")
    project.write(CONFIG, CHANGED)
    action = {"full": NO_SPACE, "killed": KILLED}[how]
    broken = failing(project, tmp_path / "broken", [MADE_BY[rule] for rule in rules], action)
    run = broken.run("--cores=2", "--keep-going", *TARGETS)
    assert run.code != 0, run.text
    assert set(rules) <= failed(run), run.text
    run = project.run("--cores=2", *TARGETS)
    assert run.code == 0, run.text
    assert_as_from_nothing(project, scratch)
    assert project.plan(*TARGETS) == set()


def failed(run: Run) -> set[str]:
    """Rules of jobs that ended in an error."""
    return set(re.findall(r"^Error in rule (\w+?)(?:_\d+)?:", run.text, re.M))


@pytest.mark.fault(
    "Snakemake's records are lost, and the configuration changes",
    "what the change touches is made again",
)
def test_results_without_snakemakes_record_are_made_anew_where_they_are_stale(finished, tmp_path):
    project = finished.copy(tmp_path / "project")
    shutil.rmtree(project.path(".snakemake"))
    assert project.plan(*TARGETS) == set()
    project.edit(CONFIG, "radius: 0.3}", "radius: 0.28}")
    rules = {job.rule for job in project.plan(*TARGETS)}
    assert {"build_mesh", "solve_reference", "gather_signals", "draw_figure"} <= rules


SWAPS = {
    "mesh": ("results/geometry/cell/mesh.nc", "results/geometry/walls/mesh.nc"),
    "operators": ("results/geometry/cell/operators.nc", "results/geometry/walls/operators.nc"),
    "signals": ("results/studies/sweep/signals.nc", "results/studies/wall/signals.nc"),
}


@pytest.mark.fault(
    "a result is replaced by one of another cell or study",
    "`snakemake verify` names it, and the next run makes it again",
)
@pytest.mark.parametrize(
    ("name", "other"),
    [
        pytest.param(*pair, id=name, marks=() if name == "mesh" else pytest.mark.slow)
        for name, pair in SWAPS.items()
    ],
)
def test_a_file_of_something_else_is_made_again(finished, tmp_path, name, other):
    project = finished.copy(tmp_path / "project")
    shutil.copy2(project.path(other), project.path(name))
    made_again = {job.rule for job in project.plan(*TARGETS)}
    assert made_again & {"build_mesh", "assemble_operators", "gather_signals"}
    verified = project.run("--cores=1", "verify")
    assert verified.code != 0
    assert f"{name}: stale: " in verified.text


@pytest.mark.parametrize("cut", [0, 1000], ids=["empty", "cut off"])
def test_a_file_that_is_not_whole_is_made_again(finished, tmp_path, cut):
    project = finished.copy(tmp_path / "project")
    path = project.path("results/geometry/walls/operators.nc")
    path.write_bytes(path.read_bytes()[:cut])
    assert "assemble_operators" in {job.rule for job in project.plan(*TARGETS)}


@pytest.mark.fault(
    "a bit of a result is flipped between two runs, or a pipe stands in its place",
    "`snakemake verify` names it, and the next run makes it again",
)
@pytest.mark.parametrize("damage", ["bit", pytest.param("pipe", marks=pytest.mark.slow)])
def test_a_damaged_result_is_named_and_made_again(finished, tmp_path, damage):
    project = finished.copy(tmp_path / "project")
    name = "results/studies/sweep/signals.nc"
    path = project.path(name)
    if damage == "bit":
        flip(path, 5_000)
    else:
        path.unlink()
        os.mkfifo(path)
    verified = project.run("--cores=1", "verify")
    assert verified.code != 0
    assert f"{name}: damaged: " in verified.text
    assert "gather_signals" in {job.rule for job in project.plan(*TARGETS)}
    if damage == "bit":
        run = project.run("--cores=1", name)
        assert run.code == 0, run.text
        assert path.read_bytes() == finished.path(name).read_bytes()


def test_a_link_to_nothing_is_named(finished, tmp_path):
    project = finished.copy(tmp_path / "project")
    path = project.path("results/studies/sweep/signals.nc")
    path.unlink()
    path.symlink_to(tmp_path / "nowhere")
    run = project.dry_run(*TARGETS)
    assert run.code != 0
    assert "signals.nc is a link to a file that is not there. Delete it" in run.text


@pytest.mark.slow
@pytest.mark.fault("a picture or a table is changed", "`snakemake verify` names it")
def test_a_damaged_picture_is_found(finished, tmp_path):
    project = finished.copy(tmp_path / "project")
    flip(project.path("results/figures/kl23_fig6.png"), 500)
    project.path("results/notes.txt").write_text("mine")
    run = project.run("--cores=1", "verify")
    assert run.code != 0
    assert "results/figures/kl23_fig6.png: damaged: " in run.text
    assert "results/notes.txt: foreign: " in run.text


@pytest.mark.slow
def test_sound_results_are_verified_without_any_other_record(finished, tmp_path):
    project = finished.copy(tmp_path / "project")
    shutil.rmtree(project.path(".snakemake"))
    run = project.run("--cores=1", "verify")
    assert run.code == 0, run.text
    assert "0 damaged" in run.text
    assert "0 stale" in run.text


# Loaded by every Python of a run, if its directory is on the path: the library is edited just when
# a job reads it, as a checkout would, and the edit is taken back before the job ends.
EDITING = """\
import os, sys, time


class Editor:
    def find_spec(self, name, path=None, target=None):
        if name == "torrey.reference.full" and "torrey.workflow.jobs" in sys.modules:
            sys.meta_path.remove(self)
            self.write("_FEWEST_STEPS = 6", "_FEWEST_STEPS = 7")
            __import__(name)
            self.write("_FEWEST_STEPS = 7", "_FEWEST_STEPS = 6")
        return None

    def write(self, old, new):
        source = {source!r}
        text = open(source).read()
        assert old in text
        open(source, "w").write(text.replace(old, new))
        later = time.time() + 2 * int(new[-1] == "6")  # as if it had taken longer
        os.utime(source, (later, later))


sys.meta_path.insert(0, Editor())
"""


@pytest.mark.slow
@pytest.mark.fault(
    "the library is edited while a job reads it, and the edit is taken back",
    "the job stops, says so and leaves no file",
)
def test_a_library_that_was_edited_and_taken_back_during_a_job_is_noticed(finished, tmp_path):
    project = finished.copy(tmp_path / "project")
    directory = tmp_path / "editing"
    directory.mkdir()
    source = str(project.path("src/torrey/reference/full.py"))
    (directory / "sitecustomize.py").write_text(EDITING.format(source=source), encoding="utf-8")
    environment = {"PYTHONPATH": f"{directory}{os.pathsep}{project.path('src')}"}
    name = "results/studies/wall/signals.nc"
    for file in project.path("results/reference/walls").rglob("*.nc"):
        file.unlink()
    project.path(name).unlink()
    run = Project(project.root, environment).run("--cores=1", name)
    assert run.code != 0, run.text
    assert "full.py was changed while this job ran. Start the run again" in run.text
    run = project.run("--cores=1", name)
    assert run.code == 0, run.text
    assert project.path(name).read_bytes() == finished.path(name).read_bytes()


@pytest.mark.fault(
    "the library is edited during a run",
    "the next job whose code it is stops and says so",
)
def test_a_library_that_is_edited_during_a_run_is_noticed_by_the_next_job(finished, tmp_path):
    project = finished.copy(tmp_path / "project")
    source = str(project.path("src/torrey/reference/full.py"))
    text = f"open({source!r}, 'a').write('ADDED = 1\\n')"
    editing = failing(project, tmp_path / "editing", [WALL_SLAB], text)
    for name in (WALL_SLAB, "results/studies/wall/signals.nc"):
        project.path(name).unlink()
    shutil.rmtree(project.path("results/reference"))
    run = editing.run(
        "--cores=1",
        f"--prioritize={WALL_SLAB}",
        WALL_SLAB,
        "results/studies/wall/signals.nc",
    )
    assert run.code != 0, run.text
    assert "was changed" in run.text


def flip(path: Path, place: int) -> None:
    """Turn one bit of a file."""
    content = bytearray(path.read_bytes())
    content[place] ^= 4
    path.write_bytes(content)
