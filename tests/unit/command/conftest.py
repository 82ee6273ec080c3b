"""What all tests of the command share."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is said is broken into lines for the terminal: here for one that is wide enough.

    The terminal in which the tests run, or the libraries that they load, would say another width.
    """
    monkeypatch.setenv("COLUMNS", "200")
