"""What goes out with the project is true: how it is cited, and what its container is made of."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
# As https://citation-file-format.github.io publishes it, under CC-BY-4.0.
SCHEMA = ROOT / "tests" / "support" / "schemas" / "citation-file-format-1.2.0.json"


def test_the_citation_has_the_format_that_it_names():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    validator = jsonschema.Draft7Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert [error.message for error in validator.iter_errors(citation)] == []
    assert list(validator.iter_errors({**citation, "doi": "none yet"})) != []


def test_the_citation_names_the_papers_of_the_readme():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for paper in citation["references"]:
        assert paper["authors"][0]["family-names"] in readme
        assert str(paper["year"]) in readme
        if "doi" in paper and "10.1051" in paper["doi"]:
            assert paper["doi"] in readme
    # A digital object identifier of the software itself comes with its first deposit.
    assert "doi" not in citation


def test_the_container_installs_what_gmsh_needs():
    (needed,) = re.findall(
        r'^packages="([^"]+)"', (ROOT / "tools" / "check_gmsh.sh").read_text(), re.M
    )
    for package in needed.split():
        assert re.search(rf"\b{package}\b", DOCKERFILE), package


def test_the_container_has_a_python_that_is_supported():
    (version,) = re.findall(r"^FROM python:(\d+\.\d+)-", DOCKERFILE, re.M)
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (required,) = re.findall(r'^requires-python = "(.*)"', project, re.M)
    assert version in SpecifierSet(required)
    assert f'"Programming Language :: Python :: {version}"' in project


def test_the_container_is_given_what_the_wheel_is_made_of():
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    given = {line[1:] for line in ignored if line.startswith("!")}
    hook = (ROOT / "tools" / "package_workflow.py").read_text(encoding="utf-8")
    (parts,) = re.findall(r"^PARTS: Final = \((.*)\)$", hook, re.M)
    wanted = set(re.findall(r'"([^"]+)"', parts)) | {"src", "tools", "pyproject.toml", "README.md"}
    assert wanted | {"LICENSE", "requirements.lock"} <= given
    assert [name for name in given if not (ROOT / name).exists()] == []


def test_the_container_file_passes_its_linter():
    linter = shutil.which("hadolint", path=Path(sys.executable).parent)
    if linter is None:
        pytest.skip("hadolint is installed by `make env`")
    done = subprocess.run([linter, ROOT / "Dockerfile"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")
