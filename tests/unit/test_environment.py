"""The three descriptions of the environment agree.

``pyproject.toml`` says what the code needs, ``requirements.lock`` what is installed, and
``environment.yml`` the same for conda, whose channels have other names for some packages.
"""

import importlib.metadata
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import torrey

ROOT = Path(__file__).parents[2]

# Names that differ between conda's channels and the Python package index.
CONDA_NAMES = {
    "matplotlib": ["matplotlib-base"],
    "gmsh": ["gmsh", "python-gmsh"],
    "seaborn": ["seaborn-base"],
    "snakemake": ["snakemake-minimal"],
}
# What conda installs that is not a package of the index.
CONDA_ONLY = {"python", "pip"}

PIN = re.compile(r"(?P<name>[a-z0-9-]+)==(?P<version>[0-9][0-9a-z.]*)(?: ; [^\\]+)? \\")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}(?: \\)?")


def project_table() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def runtime_requirements() -> dict[str, Requirement]:
    """Requirements of the package itself, by canonical name."""
    parsed = [Requirement(line) for line in project_table()["dependencies"]]
    return {canonicalize_name(requirement.name): requirement for requirement in parsed}


def development_requirements() -> dict[str, Requirement]:
    """Requirements of the extra ``dev``, by canonical name."""
    parsed = [Requirement(line) for line in project_table()["optional-dependencies"]["dev"]]
    return {canonicalize_name(requirement.name): requirement for requirement in parsed}


def lock_lines() -> list[str]:
    return (ROOT / "requirements.lock").read_text().splitlines()


def locked_versions() -> dict[str, list[str]]:
    """Versions in the lock, by canonical name: one each, if all is well."""
    versions: dict[str, list[str]] = {}
    for line in lock_lines():
        if pin := PIN.fullmatch(line):
            versions.setdefault(canonicalize_name(pin["name"]), []).append(pin["version"])
    return versions


def conda_entries() -> list:
    return yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]


def conda_versions() -> dict[str, str]:
    """What environment.yml asks for, by conda's name, as in ``{"numpy": "=2.4.6"}``."""
    entries = [entry for entry in conda_entries() if isinstance(entry, str)]
    return dict(re.fullmatch(r"([a-z0-9-]+) *(.*)", entry).groups() for entry in entries)


RUNTIME = runtime_requirements()
DIRECT = RUNTIME | development_requirements()


@pytest.mark.parametrize("name", DIRECT)
def test_lock_pins_every_direct_dependency_within_its_bounds(name):
    versions = locked_versions().get(name, [])
    assert len(versions) == 1, f"{name}: {versions or 'not'} in requirements.lock"
    assert DIRECT[name].specifier.contains(versions[0]), f"run `make lock`: {DIRECT[name]}"


def test_lock_has_one_version_of_each_package_for_all_platforms():
    repeated = {name: found for name, found in locked_versions().items() if len(found) > 1}
    assert not repeated


def test_lock_holds_pins_and_hashes_and_no_place_to_get_them_from():
    strange = [
        line
        for line in lock_lines()
        if not (PIN.fullmatch(line) or HASH.fullmatch(line) or line.lstrip().startswith("#"))
    ]
    assert not strange
    assert "://" not in "\n".join(lock_lines())
    comments = {line.strip(" #") for line in lock_lines() if line.lstrip().startswith("#")}
    assert not [comment for comment in comments if re.search(r"\w\.(org|com|io|net)\b", comment)]


def test_every_pin_of_the_lock_has_a_hash():
    lines = lock_lines()
    unhashed = [
        line
        for line, following in zip(lines, [*lines[1:], ""], strict=True)
        if PIN.fullmatch(line) and not HASH.fullmatch(following)
    ]
    assert not unhashed


@pytest.mark.parametrize("name", RUNTIME)
def test_conda_environment_states_the_locked_version(name):
    (locked,) = locked_versions()[name]
    for conda_name in CONDA_NAMES.get(name, [name]):
        stated = conda_versions()[conda_name].removeprefix("=")
        # To conda "=1.7.5" means 1.7.5.*; a post-release of the index may be missing there.
        assert stated == locked or (stated.count(".") == 2 and locked.startswith(f"{stated}."))


def test_conda_environment_has_nothing_else():
    known = {conda_name for name in RUNTIME for conda_name in CONDA_NAMES.get(name, [name])}
    assert set(conda_versions()) == known | CONDA_ONLY


def test_conda_environment_installs_the_project_on_a_supported_python():
    assert {"pip": ["-e ."]} in conda_entries()
    assert conda_versions()["python"].startswith(project_table()["requires-python"])


def test_the_version_has_one_source():
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert pyproject["project"]["dynamic"] == ["version"]
    assert pyproject["tool"]["hatch"]["version"] == {"path": "src/torrey/__init__.py"}


def test_whatever_else_names_the_version_agrees():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    releases = re.findall(r"^## \[(\d.*?)\]", (ROOT / "CHANGELOG.md").read_text(), flags=re.M)
    assert citation["version"] == releases[0] == torrey.__version__


def test_the_installed_version_is_that_of_the_source():
    assert importlib.metadata.version("torrey") == torrey.__version__


def test_a_folder_with_a_blank_in_its_path_is_refused_before_anything_is_made(tmp_path):
    """With the words of the workflow."""
    folder = tmp_path / "my project"
    shutil.copytree(ROOT / "tools", folder / "tools")
    run = subprocess.run(["sh", folder / "tools/setup_env.sh"], capture_output=True, text=True)
    words = "accepted: a folder without blanks in its path."
    assert run.returncode == 1
    assert f"found the environment in {folder}/.venv/bin/python, {words}" in run.stderr
    assert "Move the project and run `make env`" in run.stderr
    assert words in (ROOT / "workflow/rules/common.smk").read_text()
    assert [path.name for path in folder.iterdir()] == ["tools"]
