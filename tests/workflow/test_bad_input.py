"""What cannot be used is refused before any job, in words that say what to change."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.project import CONFIG, TINY, Job, Project, Run

from torrey.figures.catalogue import CATALOGUE


@pytest.fixture(scope="module")
def empty(origin: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project without results, in which no job ever runs."""
    return Project.create(tmp_path_factory.mktemp("empty") / "project", origin=origin)


def assert_refused(run: Run, project: Project) -> None:
    assert run.code not in (0, None)
    assert "Traceback" not in run.text
    assert run.jobs == set()
    assert not project.path("results").exists()


# An edit of the good file, and what is said about it after the file and the line.
MALFORMED = {
    "no unit": (
        "[2 um, 3 um]",
        "[2, 3 um]",
        r'studies\.sweep\.period\[0\]: found "2" \(a bare number\), accepted: a length .*"6 um"',
    ),
    "wrong unit": (
        "inside: 1.7e-3 mm^2/s",
        "inside: 1.7e-3 m/s",
        r'studies\.sweep\.diffusivity\.inside.*: found "1\.7e-3 m/s" \(a permeability\), '
        "accepted: a diffusivity",
    ),
    "unknown key": (
        "refinements: 1}\n  walls",
        "refinement: 1}\n  walls",
        r'geometries\.cell\.mesh\.refinement: found the unknown key "refinement" '
        r'\(did you mean "refinements"\?\), accepted: the keys size, refinements',
    ),
    "impossible times": (
        "Delta: [5 ms, 8 ms]",
        "Delta: [5 ms, 1 ms]",
        r"studies\.sweep\.waveform\.delta: found delta = 2 ms with Delta = 1 ms, accepted: ",
    ),
    "overlapping discs": (
        "radius: 0.3}]",
        "radius: 0.3}, {center: [0.6, 0.5], radius: 0.2}]",
        r"geometries\.cell\.cells.*: found the centres .* are 0\.1 apart, .*, accepted: discs that",
    ),
    "no such geometry": (
        "geometry: walls",
        "geometry: wall",
        r'studies\.wall\.geometry: found "wall" \(did you mean "walls"\?\), accepted: '
        "an entry of geometries: cell, walls",
    ),
    "no such study": (
        "kl23_fig6: {studies: [wall]}",
        "kl23_fig6: {studies: [all]}",
        r'figures\.kl23_fig6\.studies\[0\]: found "all" .*, accepted: .*sweep, wall',
    ),
    "the same value twice": (
        "[200 s/mm^2, 500 s/mm^2]",
        "[200 s/mm^2, 0.2 ms/um^2]",
        r"studies\.sweep\.b\[1\]: found 0\.2 ms/um\^2, the same as entry 0, accepted: ",
    ),
}


@pytest.mark.parametrize(("old", "new", "message"), MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_configuration_is_refused_with_its_place(empty, old, new, message):
    assert TINY.count(old) == 1
    empty.write("mine.yaml", TINY.replace(old, new))
    run = empty.dry_run("studies", config="mine.yaml")
    assert_refused(run, empty)
    line = TINY[: TINY.index(old)].count("\n") + 1
    assert re.search(rf"^\S*mine\.yaml:{line}: {message}", run.text, re.M), run.text


def test_all_problems_are_told_at_once(empty):
    empty.write("mine.yaml", TINY.replace("[2 um", "[2").replace("400 s/mm^2", "400 s"))
    run = empty.run("--cores=1", "studies", config="mine.yaml")
    assert_refused(run, empty)
    assert re.findall(r"mine\.yaml:\d+: (\S+): ", run.text) == [
        "studies.sweep.period[0]",
        "studies.wall.b[1]",
    ]


def test_values_outside_a_file_are_refused(empty):
    run = empty.dry_run("--config=tolerance=1", "studies")
    assert_refused(run, empty)
    assert "found --config, accepted: --configfile" in run.text


def test_a_figure_that_nobody_draws_is_refused(empty):
    empty.write("mine.yaml", TINY.replace("kl23_fig6", "kl23_fig66"))
    run = empty.dry_run("figures", config="mine.yaml")
    assert_refused(run, empty)
    (message,) = re.findall(r"^\S*mine\.yaml.*figures\.kl23_fig66: .*$", run.text, re.M)
    assert all(name in message.split("accepted:")[1] for name in CATALOGUE)


STRICT = """\
  strict:
    geometry: walls
    diffusivity: {outside: 2e-3 mm^2/s, inside: 1e-3 mm^2/s}
    period: 4 um
    permeability: 5e-5 m/s
    waveform: {kind: pgse, delta: 2 ms, Delta: 6 ms}
    b: [0 s/mm^2, 300 s/mm^2]
    directions: [[1]]
    models: [reference, R0]
    tolerance: 1e-8

"""


def test_a_tolerance_out_of_reach_stops_its_point_and_no_other(project):
    project.edit(CONFIG, "figures:", f"{STRICT}figures:")
    run = project.run("--cores=2", "studies")
    assert run.code != 0
    assert "Traceback" not in run.text
    point = "L4_kappa0.05_pgse-2-6_b0.3_n1_tol1e-8"
    message = (
        rf"solve_reference \(geometry walls, material De2_Di1, point {re.escape(point)}\): "
        r"the finest mesh \(number 1\) gives S = 0\.\d+ .*mesh\.refinements allows no finer "
        r"one \(1\)\. What helps: a larger mesh\.refinements or tolerance, or a smaller mesh\.size"
    )
    assert re.search(message, run.text)
    wildcards = f"geometry=walls, material=De2_Di1, point={point}"
    log = run.blocks[Job("solve_reference", wildcards)]["log"]
    assert re.search(message, project.path(log).read_text())
    # All else is done; once the tolerance can be met, the rest is.
    rest = {Job(rule, "study=strict") for rule in ("gather_signals", "draw_overview")}
    assert project.plan("studies") == rest | {Job("solve_reference", wildcards)}
    project.edit(CONFIG, "tolerance: 1e-8", "tolerance: 1e-2")
    loose = Job("solve_reference", wildcards.replace("1e-8", "0.01"))
    assert project.plan("studies") == rest | {loose}
