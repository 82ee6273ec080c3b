"""Projects in temporary directories: one that has run to completion, and copies of it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest
from support.project import CHANGED, SHORT, SHORT_CHANGED, SMALL, TARGETS, TINY, Project


@pytest.fixture(scope="session")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project as it is when the tests begin, so that all of them see the same."""
    return Project.create(tmp_path_factory.mktemp("origin") / "project").root


@pytest.fixture(scope="session")
def finished(origin: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project in which all is made; not to be changed."""
    return made(origin, tmp_path_factory, "finished", TINY)


@pytest.fixture(scope="session")
def small(origin: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A smaller project in which all is made; not to be changed."""
    return made(origin, tmp_path_factory, "small", SMALL)


@pytest.fixture(scope="session")
def short(origin: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project with the fewest jobs, in which all is made; not to be changed."""
    return made(origin, tmp_path_factory, "short", SHORT)


@pytest.fixture(scope="session")
def scratch(origin: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The smaller project with other cells, made from nothing."""
    return made(origin, tmp_path_factory, "scratch", CHANGED)


@pytest.fixture(scope="session")
def short_scratch(origin: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project with the fewest jobs and another cell, made from nothing."""
    return made(origin, tmp_path_factory, "short_scratch", SHORT_CHANGED)


def made(origin: Path, tmp_path_factory: pytest.TempPathFactory, name: str, config: str) -> Project:
    """A project that has run to its end: the processes of one run of tests make it once."""
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    root, done = base / name / "project", base / f"{name}.done"
    with (base / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if done.exists():
            return Project(root)
        root.parent.mkdir()
        project = Project.create(root, config, origin)
        run = project.run("--cores=2", *TARGETS)
        assert run.code == 0, run.text
        done.touch()
        return project


@pytest.fixture
def project(finished: Project, tmp_path: Path) -> Project:
    """A copy of the complete project, to be changed at will."""
    return finished.copy(tmp_path / "project")


@pytest.fixture
def fresh(origin: Path, tmp_path: Path) -> Project:
    """The project with the fewest jobs, without results."""
    return Project.create(tmp_path / "project", SHORT, origin)
