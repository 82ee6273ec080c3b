"""Pages that Sphinx makes from the library itself: the reference of `import torrey as tr`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import site_catalogue

import torrey
from torrey import shapes, waveforms

if TYPE_CHECKING:
    from sphinx.application import Sphinx

#: Public names by the page that they are on; tests/unit/test_public_docstrings.py counts them.
PAGES: Final[Mapping[str, tuple[str, str, tuple[str, ...]]]] = {
    "cells": (
        "Cells and their models",
        "A cell is one period of tissue. Whatever it is asked for, it answers with labelled arrays"
        " of xarray, in um and ms, with units and numerical errors.",
        ("Cell", "door.model.CellModel", "MeshOptions", "dictionary"),
    ),
    "shapes": (
        "Shapes",
        "What a cell looks like, in units of its period. The first ones are names of ``tr`` and of"
        " ``tr.shapes``, the others of ``tr.shapes`` alone. Shapes are frozen dataclasses; their"
        " further methods serve the meshes and are not meant for notebooks.",
        (
            *("Disc", "Discs", "Sphere", "Spheres", "Layers"),
            *(f"shapes.{name}" for name in shapes.__all__ if name not in torrey.__all__),
        ),
    ),
    "waveforms": (
        "Waveforms",
        "Gradients against time: ``tr.waveforms`` has all of them, ``tr`` those used most.",
        (
            *("Pgse", "TrapezoidalPgse", "DoublePgse", "SineOgse", "CosineOgse"),
            *("TrapezoidalOgse", "StimulatedEcho", "read_waveform"),
            *(f"waveforms.{name}" for name in waveforms.__all__ if name not in torrey.__all__),
        ),
    ),
    "fits": (
        "Fits",
        "Of signals that a cell gave, and of measured ones.",
        ("fit_kurtosis", "fit"),
    ),
    "studies": (
        "Studies and files",
        "What the workflow computes, read in Python.",
        ("load_study", "Study", "open_dataset"),
    ),
    "quantities": (
        "Quantities",
        "Numbers with units, and the units that Torrey keeps inside.",
        ("quantity", "UNITS", "__version__"),
    ),
    "errors": (
        "Errors",
        "Every message is a ``TorreyError``: it says where, what was found and what is accepted.",
        ("TorreyError", "InputError", "ConfigError", "ToleranceError"),
    ),
}

#: Classes whose methods are for notebooks.
WITH_METHODS: Final = ("Cell", "door.model.CellModel", "Study")
#: Of a method of the library's own objects.
NOT_SHOWN: Final = ("of", "site")


def find(name: str) -> object:
    """Return what a name of the door leads to, such as ``shapes.Ellipses``."""
    if name == "door.model.CellModel":
        from torrey.door.model import CellModel

        return CellModel
    found: object = torrey
    for part in name.split("."):
        found = getattr(found, part)
    return found


def page(title: str, words: str, names: tuple[str, ...]) -> str:
    """Return a page of some names as reStructuredText."""
    lines = [title, "=" * len(title), "", words, ""]
    for name in names:
        heading = f"tr.{name}".replace("tr.door.model.", "")
        lines += [heading, "-" * len(heading), "", *entry(name), ""]
    return "\n".join(lines)


def entry(name: str) -> list[str]:
    """Return what Sphinx is to write about a name."""
    found = find(name)
    if isinstance(found, str):
        return [f"Version of the library, here ``{found}``. It belongs into what you publish."]
    if isinstance(found, Mapping):
        return units_table()
    place = place_of(name)
    if not isinstance(found, type):
        return [f".. autofunction:: torrey.{place}"]
    lines = [f".. autoclass:: torrey.{place}"]
    if name in WITH_METHODS:
        lines += [
            "   :members:",
            "   :inherited-members:",
            f"   :exclude-members: {', '.join((*NOT_SHOWN, *fields(found)))}",
        ]
    return lines


def place_of(name: str) -> str:
    """Return where Sphinx finds a name: one module for all shapes, and one for all waveforms.

    The pages of the sources lead back to one such module each.
    """
    short = name.rsplit(".", 1)[-1]
    for module in (shapes, waveforms):
        if short in module.__all__:
            return f"{module.__name__.removeprefix('torrey.')}.{short}"
    return name


def fields(cls: type) -> tuple[str, ...]:
    """Return the names of what a dataclass holds, which its docstring describes."""
    return tuple(getattr(cls, "__dataclass_fields__", {}))


def units_table() -> list[str]:
    """Return the kinds of quantities with their internal units, as a table."""
    rows = [
        (kind, unit.noun, unit.internal, unit.example, unit.range)
        for kind, unit in torrey.UNITS.items()
    ]
    head = ("kind", "what it is", "inside", "as a text", "accepted beside zero")
    lines = ["``tr.UNITS`` is a mapping of kinds of quantities to their units.", ""]
    lines += [".. list-table::", "   :header-rows: 1", ""]
    for row in (head, *rows):
        first, *others = (f"``{cell}``" if row is not head else cell for cell in row)
        lines += [f"   * - {first}", *(f"     - {cell}" for cell in others)]
    return lines


def index() -> str:
    """Return the first page of the reference, with a line on each name."""
    title = "Reference of the library"
    lines = [title, "=" * len(title), "", "All names of ``import torrey as tr``.", ""]
    for place, (heading, _, names) in PAGES.items():
        lines += [f":doc:`{heading} <{place}>`", ""]
        lines += [".. list-table::", "   :widths: 25 75", ""]
        for name in names:
            words = first_line(find(name)).replace("*", r"\*").replace("`", "``")
            shown = f"tr.{name}".replace("tr.door.model.", "")
            lines += [f"   * - ``{shown}``", f"     - {words}"]
        lines += [""]
    lines += [".. toctree::", "   :hidden:", "", *(f"   {place}" for place in PAGES)]
    return "\n".join(lines) + "\n"


def first_line(found: object) -> str:
    """Return the summary of a docstring."""
    if isinstance(found, str):
        return "Version of the library."
    if isinstance(found, Mapping):
        return "Kinds of quantities and their units."
    return (found.__doc__ or "").strip().split("\n")[0]


def write_pages(app: Sphinx) -> None:
    """Write all pages; one that has not changed is left alone, so that nothing is built anew."""
    folder = Path(app.confdir) / "api"
    folder.mkdir(exist_ok=True)
    texts = {"index": index(), "pictures": site_catalogue.page()} | {
        name: page(*content) for name, content in PAGES.items()
    }
    for name, text in texts.items():
        file = folder / f"{name}.rst"
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("builder-inited", write_pages)
    return {"parallel_read_safe": True}
