"""The examples in the docstrings of the door give what they say."""

from __future__ import annotations

import doctest
import importlib
import inspect
from pathlib import Path

import pytest

import torrey as tr
from torrey import door

MODULES = sorted(path.stem for path in Path(door.__file__).parent.glob("*.py"))
#: Which parse nothing and compute nothing, or are methods that share an example.
WITHOUT = {"of", "site", "growth_rate"}


@pytest.mark.parametrize("module", MODULES)
def test_examples_give_what_they_say(module):
    found = doctest.testmod(importlib.import_module(f"torrey.door.{module}"))
    assert found.failed == 0


def test_each_question_to_a_cell_has_an_example():
    public = {name: value for name, value in inspect.getmembers(tr.Cell) if name[0] != "_"}
    asked = {name: value for name, value in public.items() if callable(value)}
    assert {"signal", "adc", "kurtosis", "tensors", "model", "bands", "spectrum"} < asked.keys()
    for name in asked.keys() - WITHOUT:
        assert ">>> " in (inspect.getdoc(asked[name]) or ""), name
