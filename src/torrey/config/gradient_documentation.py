"""Tables of the documentation on waveforms and on files of acquisitions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from torrey.base.fields import Declaration, declarations
from torrey.config.quantities import accepted_number, summary
from torrey.config.waveform_models import option_accepted
from torrey.gradients.acquisition import (
    acquisition_options,
    acquisition_readers,
    waveform_readers,
)
from torrey.gradients.waveforms import KINDS


def waveform_tables() -> str:
    """Return two tables in Markdown: the kinds of waveforms, and their keys."""
    kinds = table(("`kind`", "keys", "what it is"), _kinds())
    return f"{kinds}\n\n{table(('key', 'symbol', 'of', 'what is accepted'), _keys())}"


def reader_table() -> str:
    """Return two tables in Markdown: the files of acquisitions, and what may be said of them."""
    readers = table(("`acquisition`", "what is read", "waveform"), _readers())
    return f"{readers}\n\n{table(('key', 'of', 'what it says', 'without it'), _options())}"


def _kinds() -> Iterator[tuple[str, ...]]:
    for kind, cls in KINDS.items():
        yield f"`{kind}`", _quoted(cls.parameter_names()), summary(cls)
    for reader in waveform_readers():
        yield f"`{reader.name}`", _quoted(reader.keys), reader.about


def _keys() -> Iterator[tuple[str, ...]]:
    """Rows of the parameters; one that means the same in several kinds stands once."""
    rows: dict[tuple[str, str, str], list[str]] = {}
    for kind, cls in KINDS.items():
        for name, parameter in declarations(cls).items():
            row = (f"`{name}`", parameter.symbol, _accepted(parameter))
            rows.setdefault(row, []).append(kind)
    for (name, symbol, said), kinds in rows.items():
        yield name, symbol, _quoted(kinds), said
    for reader in waveform_readers():
        for key, what in reader.keys.items():
            yield f"`{key}`", "", f"`{reader.name}`", what


def _readers() -> Iterator[tuple[str, ...]]:
    for reader in acquisition_readers():
        where = {True: "in the files", False: "in the study", None: "in either"}
        waveform = where[reader.has_waveforms]
        yield f"`{reader.mapping}`", f"{reader.noun}: {reader.about}", waveform


def _options() -> Iterator[tuple[str, ...]]:
    for name, option in acquisition_options().items():
        # The last key of a reader is the one that others do not have.
        files = _quoted([*r.keys][-1] for r in acquisition_readers() if option in r.options)
        said = f"{option_accepted(option)}: {option.about}; such as `{option.example}`"
        yield f"`{name}`", files, said, option.default


def _accepted(parameter: Declaration) -> str:
    return f"{accepted_number(parameter)}: {parameter.description}"


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ("-",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
