"""Tests of faults tell what they tried: `--reliability=FILE` writes it down as a table.

    pytest -m "fault" --reliability=docs/reliability.md

A test is marked with the fault that it causes and with what then happens; each of its cases counts
as one attempt. The text of the file around the table stays as it is.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

BEGIN, END = "<!-- faults: begin -->\n", "<!-- faults: end -->\n"
_FAULTS = pytest.StashKey[dict[tuple[str, str], list[bool]]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--reliability", metavar="FILE", help="write the faults that were tried")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "fault(what, then): what the test does, and what happens")
    config.stash[_FAULTS] = {}
    config.pluginmanager.register(_Collector(config), "faults")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    marker = item.get_closest_marker("fault")
    if marker and report.when == "call":
        report.user_properties.append(("fault", list(marker.args)))
    return report


class _Collector:
    """Sees the reports of all processes."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for name, value in report.user_properties:
            if name == "fault" and not report.skipped:
                found = self.config.stash[_FAULTS].setdefault((value[0], value[1]), [])
                found.append(report.passed)

    def pytest_sessionfinish(self) -> None:
        path = self.config.getoption("--reliability")
        if path and not hasattr(self.config, "workerinput"):
            write_faults(Path(path), self.config.stash[_FAULTS])


def write_faults(path: Path, faults: dict[tuple[str, str], list[bool]]) -> None:
    """Renew the rows of a table; those of faults that were not tried now stay."""
    text = path.read_text(encoding="utf-8")
    table = read_faults(text)
    for (what, then), passed in faults.items():
        table[what, then] = (str(len(passed)), str(sum(passed)))
    rows = ["| fault | tried | survived | what happens |", "|-|-|-|-|"]
    rows += [
        f"| {what} | {tried} | {survived} | {then} |"
        for (what, then), (tried, survived) in sorted(table.items())
    ]
    begin, end = text.index(BEGIN), text.index(END)
    lines = BEGIN + "\n".join(rows) + "\n"
    path.write_text(text[:begin] + lines + text[end:], encoding="utf-8")


def read_faults(text: str) -> dict[tuple[str, str], tuple[str, str]]:
    """Attempts and survivals by fault and what then happens, as a table has them."""
    found = {}
    for line in text[text.index(BEGIN) : text.index(END)].splitlines()[3:]:
        what, tried, survived, then = (entry.strip() for entry in line.strip("|").split("|"))
        found[what, then] = (tried, survived)
    return found
