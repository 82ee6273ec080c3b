"""docs/artifacts.md names every variable that a `fit.nc` of studies can have."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from torrey.inversion.exchange_runs import ExchangeReport
from torrey.inversion.problem import Parameters
from torrey.inversion.report import DataReport, KargerReport, NoiseReport, ProfileReport
from torrey.inversion.study import PhysicalResult

TEXT = (Path(__file__).parents[2] / "docs/artifacts.md").read_text(encoding="utf-8")
SECTION = {
    "exchange": TEXT.split("inversion of kind `exchange`")[1].split("\n`fit.nc`")[0],
    "karger": TEXT.split("inversion of kind `karger`")[1].split("\n`fit.nc`")[0],
    "physical": TEXT.split("inversion of kind `physical`")[1].split("\nEvery `fit.nc`")[0],
}


def stored_names(cls: type, prefix: str = "") -> set[str]:
    """Names of the variables that a dataclass is stored as."""
    names = set()
    for field in dataclasses.fields(cls):
        for entry in field.metadata.values():
            if hasattr(entry, "dims"):
                names.add(prefix + (entry.name or field.name))
    return names


FILES = {
    "exchange": stored_names(ExchangeReport) - {"parameter", "parameter_unit"},
    "karger": stored_names(KargerReport)
    | stored_names(DataReport)
    | stored_names(NoiseReport)
    | stored_names(ProfileReport, "profile_")
    | stored_names(Parameters),
    "physical": stored_names(PhysicalResult) | stored_names(Parameters),
}


@pytest.mark.parametrize("kind", FILES)
def test_every_variable_of_a_fit_of_studies_is_named(kind):
    assert len(FILES[kind]) > 10
    named = set(re.findall(r"`(\w+)`", SECTION[kind]))
    assert sorted(FILES[kind] - named) == []
