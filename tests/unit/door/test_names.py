"""What `import torrey as tr` offers, and what it costs."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys

import pytest

import torrey as tr
from torrey.geometry.registry import KINDS

#: Names whose meaning is a table, a version, or an error.
_WITHOUT_EXAMPLE = {"UNITS", "__version__", "InputError", "TorreyError", "ToleranceError"}


def modules_after(statements: str) -> set[str]:
    call = f"import sys; before = set(sys.modules)\n{statements}\nprint(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", call], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_torrey_loads_nothing_else():
    assert modules_after("import torrey as tr; tr.__version__; dir(tr); tr.__all__") == {"torrey"}


def test_a_waveform_loads_no_mesher_and_no_table():
    loaded = modules_after('import torrey as tr; tr.Pgse("5 ms", "25 ms"); tr.Discs; tr.Disc')
    assert "numpy" in loaded
    assert loaded.isdisjoint({"gmsh", "pygmsh", "skfem", "xarray", "matplotlib", "pydantic"})


def test_a_cell_loads_no_pictures():
    assert "matplotlib" not in modules_after(
        "import torrey as tr; tr.Cell(tr.Layers((1.0,)), 2, 10)"
    )


def test_completion_offers_each_name():
    assert dir(tr) == sorted(tr.__all__)
    assert len(set(tr.__all__)) == len(tr.__all__) <= 30


@pytest.mark.parametrize("name", tr.__all__)
def test_each_name_is_there_and_documented(name):
    value = getattr(tr, name)
    assert name == "UNITS" or name == "__version__" or inspect.getdoc(value)


def test_names_stand_where_the_first_file_says():
    offered = {name for names in tr._PLACES.values() for name in names}
    assert offered | {"__version__"} == set(tr.__all__)
    for module, names in tr._PLACES.items():
        found = importlib.import_module(f"torrey.{module}")
        assert all(getattr(tr, name) is getattr(found, name) for name in names)


def test_type_checkers_see_the_same_names():
    tree = __import__("ast").parse(inspect.getsource(tr))
    (block,) = (
        n for n in tree.body if type(n).__name__ == "If" and n.test.__class__.__name__ == "Name"
    )
    seen = {(node.module, alias.name) for node in block.body for alias in node.names}
    assert seen == {(f"torrey.{m}", n) for m, names in tr._PLACES.items() for n in names}


def test_another_name_is_an_error_as_of_any_module():
    with pytest.raises(AttributeError, match=r"module 'torrey' has no attribute 'Sell'"):
        _ = tr.Sell
    assert not hasattr(tr, "numpy")


def test_every_kind_of_shape_has_a_name():
    kinds = {kind.__name__ for kind in KINDS}
    # A packing is drawn by the configuration, which makes discs of it.
    assert kinds - set(tr.shapes.__all__) == {"RandomPacking"}
    assert all(hasattr(tr.shapes, name) for name in tr.shapes.__all__)
