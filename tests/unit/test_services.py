"""What services read of this repository says what holds in it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def ci() -> dict:
    return yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())


def test_continuous_integration_runs_what_has_to_pass_on_push_and_pull_request(ci):
    # YAML 1.1 reads the key `on` as true.
    assert set(ci[True]) == {"push", "pull_request"}
    (job,) = ci["jobs"].values()
    assert [step["run"] for step in job["steps"] if "run" in step] == [".ci/run"]
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111
    assert "secrets" not in str(ci)


def test_continuous_integration_tries_the_oldest_and_the_newest_python(ci):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    versions = re.findall(r"Python :: (3\.\d+)", "\n".join(project["classifiers"]))
    (job,) = ci["jobs"].values()
    assert job["strategy"]["matrix"]["python"] == [versions[0], versions[-1]]
    assert project["requires-python"] == f">={versions[0]}"


def test_the_workflow_catalogue_finds_what_it_asks_for():
    settings = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())
    assert set(settings) == {"usage"}
    assert set(settings["usage"]) == {"mandatory-flags", "software-stack-deployment", "report"}
    assert set(settings["usage"]["mandatory-flags"]) == {"desc", "flags"}
    # Its search looks for these words, and it lists what has these files.
    assert {"snakemake", "workflow"} <= set((ROOT / "README.md").read_text().lower().split())
    assert (ROOT / "Snakefile").is_file()
    assert list((ROOT / "workflow" / "rules").glob("*.smk"))
    assert (ROOT / "config" / "README.md").is_file()
