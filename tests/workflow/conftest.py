"""Projects in temporary directories: one that has run to completion, and copies of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.project import CHANGED, SMALL, TARGETS, TINY, Project


@pytest.fixture(scope="session")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project as it is when the tests begin, so that all of them see the same."""
    return Project.create(tmp_path_factory.mktemp("origin") / "project").root


@pytest.fixture(scope="session")
def finished(origin: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project in which all is made; not to be changed."""
    return made(origin, tmp_path_factory.mktemp("finished") / "project", TINY)


@pytest.fixture(scope="session")
def small(origin: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A smaller project in which all is made; not to be changed."""
    return made(origin, tmp_path_factory.mktemp("small") / "project", SMALL)


@pytest.fixture(scope="session")
def scratch(origin: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The smaller project with other cells, made from nothing."""
    return made(origin, tmp_path_factory.mktemp("scratch") / "project", CHANGED)


def made(origin: Path, root: Path, config: str) -> Project:
    """A project that has run to its end."""
    project = Project.create(root, config, origin)
    run = project.run("--cores=2", *TARGETS)
    assert run.code == 0, run.text
    return project


@pytest.fixture
def project(finished: Project, tmp_path: Path) -> Project:
    """A copy of the complete project, to be changed at will."""
    return finished.copy(tmp_path / "project")


@pytest.fixture
def fresh(origin: Path, tmp_path: Path) -> Project:
    """A project without results."""
    return Project.create(tmp_path / "project", origin=origin)
