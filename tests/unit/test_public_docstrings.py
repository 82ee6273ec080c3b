"""Every name that `import torrey as tr` offers says what it takes, returns and raises."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import torrey
from torrey.door.model import CellModel

ROOT = Path(__file__).parents[2]
#: Whose methods and properties are for notebooks. Those of shapes serve the meshes.
WITH_METHODS = (torrey.Cell, CellModel, torrey.Study)
#: Methods of the library's own objects.
INSIDE = {"Cell.of", "Cell.site"}
#: What other functions return.
RESULTS = {"Study"}

METHODS = tuple(f"{cls.__name__}." for cls in WITH_METHODS)
HEADING = re.compile(r"^(\w[\w ]*)\n-+$", flags=re.M)
ENTRY = re.compile(r"^(\*{0,2}\w+(?:, \*{0,2}\w+)*)(?: : .*)?$", flags=re.M)


def public() -> Iterator[tuple[str, object]]:
    """Names of the door and of its two modules, and what they lead to."""
    for module, prefix in ((torrey, ""), (torrey.shapes, "shapes."), (torrey.waveforms, "waves.")):
        for name in module.__all__:
            found = getattr(module, name)
            if callable(found):
                yield prefix + name, found
    for cls in WITH_METHODS:
        for name, member in inspect.getmembers(cls):
            shown = not name.startswith("_") and name not in getattr(
                cls, "__dataclass_fields__", {}
            )
            if shown and f"{cls.__name__}.{name}" not in INSIDE:
                yield f"{cls.__name__}.{name}", member


PUBLIC = dict(public())
each_name = pytest.mark.parametrize("name", PUBLIC)


def sections(text: str) -> dict[str, str]:
    """Sections of a numpydoc docstring, by their headings."""
    parts = HEADING.split(inspect.cleandoc(text))
    return {"": parts[0]} | dict(zip(parts[1::2], parts[2::2], strict=True))


def function_of(found: object) -> Callable[..., object] | None:
    """What takes the arguments: a function, the constructor of a class, or nothing."""
    if isinstance(found, type):
        return None if issubclass(found, Exception) else found
    return found if callable(found) else None


def described(text: str) -> list[str]:
    """Parameters that a docstring describes."""
    parts = sections(text)
    entries = parts.get("Parameters", "") + "\n" + parts.get("Attributes", "")
    return [name for names in ENTRY.findall(entries) for name in names.lstrip("*").split(", ")]


@each_name
def test_it_has_a_summary(name):
    text = inspect.getdoc(PUBLIC[name]) or ""
    summary = text.split("\n")[0]
    assert summary.endswith(".")
    assert len(summary) > 10


@pytest.mark.parametrize("name", [name for name in PUBLIC if function_of(PUBLIC[name])])
def test_its_docstring_describes_the_parameters_it_has(name):
    function = function_of(PUBLIC[name])
    parameters = [one for one in inspect.signature(function).parameters if one != "self"]
    assert sorted(described(function.__doc__ or "")) == sorted(parameters)


@pytest.mark.parametrize(
    "name", [name for name in PUBLIC if not isinstance(PUBLIC[name], type | property)]
)
def test_its_docstring_says_what_it_returns(name):
    assert "Returns" in sections(inspect.getdoc(PUBLIC[name]) or "")


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in PUBLIC
        if function_of(PUBLIC[name]) and name not in RESULTS and not name.startswith(METHODS)
    ],
)
def test_its_docstring_says_what_it_raises(name):
    """Of methods their class says it."""
    assert "Raises" in sections(inspect.getdoc(PUBLIC[name]) or "")


@each_name
def test_its_docstring_points_to_no_other_one_for_all_it_takes(name):
    """Who reads the page of a name should not have to open the page of its base class."""
    text = inspect.getdoc(PUBLIC[name]) or ""
    assert not re.search(r"^\s*See `(Ball|Balls|PointOutlines|Shape)`", text, flags=re.M)


def test_the_reference_has_a_place_for_every_name():
    """The pages of the site, which are made from names, leave none out."""
    text = (ROOT / "docs/site_pages.py").read_text(encoding="utf-8")
    missing = [name for name in torrey.__all__ if f'"{name}"' not in text]
    assert [name for name in missing if name not in ("shapes", "waveforms")] == []
