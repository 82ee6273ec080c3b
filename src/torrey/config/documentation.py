"""Tables of the documentation that are made from what the kinds say of themselves.

``python -m torrey.config.documentation docs/configuration.md`` writes them between their marks; a
test keeps them true.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import MISSING, is_dataclass
from pathlib import Path
from typing import Any, Final, get_args, get_origin

from torrey.base.errors import either
from torrey.base.fields import declarations
from torrey.base.keys import format_number
from torrey.base.units import UNITS
from torrey.config.declared_models import accepted
from torrey.config.figure_models import KINDS, own_figure_models
from torrey.config.gradient_documentation import reader_table, table, waveform_tables
from torrey.config.quantities import summary
from torrey.geometry import MeshOptions, Shape, kinds
from torrey.models import registry

_ALL: Final = "all"


def geometry_tables() -> str:
    """Return two tables in Markdown: the kinds of geometry, and their keys."""
    of = kinds()
    return f"{table(('kind', 'what it is', 'dimensions'), _kinds(of))}\n\n" + table(
        ("key", "of", "what is accepted", "default"), _keys(of)
    )


def unit_table() -> str:
    """Return a table in Markdown: each quantity, the ways to write it, and its range.

    A test reads each of the ways; all of one row are the same quantity.
    """
    rows = (
        (
            unit.noun.split(" ", 1)[1],
            ", ".join(f"`{way}`" for way in unit.ways),
            f"`{unit.internal}`",
            f"{format_number(unit.least)} to {format_number(unit.most)} {unit.internal}",
        )
        for unit in UNITS.values()
    )
    return table(("quantity", "the same one, written in several ways", "inside", "range"), rows)


def model_table() -> str:
    """Return a table in Markdown: the kinds of models."""
    rows = ((f"`{kind.pattern}`", kind.listed(), kind.about) for kind in registry.kinds())
    return table(("model", "names", "what it is"), rows)


def figure_tables() -> str:
    """Return two tables in Markdown: the kinds of figures of one's own, and their keys."""
    rows: dict[tuple[str, str], list[str]] = {}
    for model in own_figure_models():
        (kind,) = get_args(model.model_fields["kind"].annotation)
        for name, field in model.model_fields.items():
            if name != "kind":
                rows.setdefault((f"`{name}`", str(field.description)), []).append(kind)
    kinds_of_figures = ((f"`{kind}`", about) for kind, about in KINDS.items())
    keys = ((key, ", ".join(of), accepted) for (key, accepted), of in rows.items())
    return f"{table(('kind', 'what it shows'), kinds_of_figures)}\n\n" + table(
        ("key", "of", "what is accepted"), keys
    )


def updated(text: str) -> str:
    """Return a document with the tables between their marks made anew.

    Raises
    ------
    ValueError
        If the document lacks a mark.
    """
    tables = {
        "units": unit_table(),
        "geometries": geometry_tables(),
        "models": model_table(),
        "waveforms": waveform_tables(),
        "readers": reader_table(),
        "figures": figure_tables(),
    }
    for name, made in tables.items():
        begin, end = f"<!-- {name}: made by torrey.config.documentation -->", f"<!-- /{name} -->"
        before, _, rest = text.partition(begin)
        _, found, after = rest.partition(end)
        if not found:
            raise ValueError(f'found no "{begin}" with "{end}" after it')
        text = f"{before}{begin}\n\n{made}\n\n{end}{after}"
    return text


def _kinds(of: Iterable[type[Shape]]) -> Iterator[tuple[str, ...]]:
    for kind in of:
        yield f"`{kind.kind}`", summary(kind), either(map(str, kind.dimensions))


def _keys(of: Iterable[type[Shape]]) -> Iterator[tuple[str, ...]]:
    """Rows of the keys; a key that means the same in several kinds stands once."""
    names = [kind.kind for kind in of]
    yield "`kind`", _ALL, either(names), ""
    rows: dict[tuple[str, str, str], list[str]] = {}
    for kind in of:
        for row in _rows(kind, ""):
            rows.setdefault(row, []).append(kind.kind)
    for (key, said, default), owners in rows.items():
        yield key, ", ".join(owners), said, default
    for key, said, default in _rows(MeshOptions, "mesh."):
        yield key, _ALL, said, default


def _rows(cls: type, prefix: str) -> Iterator[tuple[str, str, str]]:
    """Key, what is accepted and default of each field of a class, and of what it holds."""
    for name, field in declarations(cls).items():
        yield f"`{prefix}{name}`", accepted(field), _shown(field.default)
        held = field.annotation
        while get_origin(held) is tuple:
            held = get_args(held)[0]
        if is_dataclass(held):
            yield from _rows(held, f"{prefix}{name}.")  # type: ignore[arg-type]


def _shown(default: Any) -> str:
    return "" if default is MISSING or default is None or default == () else f"`{_plain(default)}`"


def _plain(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_plain, value))}]"
    return f"{value:g}" if isinstance(value, float) else str(value)


def main() -> None:
    """Write the tables of the documents that are named."""
    for name in sys.argv[1:]:
        path = Path(name)
        path.write_text(updated(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
