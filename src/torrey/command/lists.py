"""``torrey figures``, ``kinds`` and ``models``: what there is, from the registries alone."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, get_args, get_origin

from pydantic import BaseModel

from torrey.base.errors import InputError
from torrey.base.fields import Declaration, declarations
from torrey.base.nearest import did_you_mean
from torrey.command import examples
from torrey.command.text import columns, paragraph
from torrey.config.bloch import AnyBloch
from torrey.config.data_models import DataFitModel, ExchangeInversionModel
from torrey.config.declared_models import accepted
from torrey.config.figure_models import own_figure_models
from torrey.config.inversions import AnyInversion
from torrey.config.quantities import accepted_number, summary
from torrey.figures import catalogue as figures
from torrey.figures.entries import Entry
from torrey.geometry import Shape, kinds
from torrey.gradients.acquisition import acquisition_readers
from torrey.gradients.waveforms import KINDS as WAVEFORMS
from torrey.gradients.waveforms import Waveform
from torrey.models import registry
from torrey.tables import catalogue as tables


@dataclass(frozen=True)
class Listed:
    """Something that a configuration may name.

    Attributes
    ----------
    name, about : str
        What it is called, and what it is.
    example : str
        As a configuration has it.
    keys : tuple of (str, str)
        Keys beside its kind, and what is accepted for each; those that must be given first.
    names : tuple of str
        What else it is found by, where its name stands for several.
    """

    name: str
    about: str
    example: str
    keys: tuple[tuple[str, str], ...] = ()
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    """Entries of one kind, and where in a configuration they stand."""

    where: str
    entries: list[Listed]


Sections = dict[str, Section]


def run(arguments: argparse.Namespace) -> int:
    """List what the command is called after, or only what is named.

    Raises
    ------
    InputError
        If nothing has one of the names.
    """
    sections = _SECTIONS[arguments.command]()
    print(_chosen(sections, arguments.names) if arguments.names else _all(sections))
    return 0


def _all(sections: Sections) -> str:
    parts = []
    for title, section in sections.items():
        rows: list[tuple[str, str]] = []
        for entry in section.entries:
            rows.append((entry.name, entry.about))
            rows += [("", text) for text in _short(entry)]
        parts.append(f"{title}: {section.where}\n{columns(rows)}")
    return "\n\n".join(parts)


def _short(entry: Listed) -> list[str]:
    keys = ", ".join(key for key, _ in entry.keys)
    return [*([f"keys: {keys}"] if keys else []), entry.example]


def _chosen(sections: Sections, names: Iterable[str]) -> str:
    """Entries of sections or single ones, with what is accepted for each key."""
    entries = [entry for section in sections.values() for entry in section.entries]
    every = {name: entry for entry in entries for name in (entry.name, *entry.names)}
    parts: list[str] = []
    for name in names:
        if name not in sections and name not in every:
            hint = did_you_mean(name, [*sections, *every])
            accepted = [*sections, *(entry.name for entry in entries)]
            raise InputError(f'"{name}"{hint}', ", ".join(accepted))
        found = sections[name].entries if name in sections else [every[name]]
        parts += map(_whole, found)
    return "\n\n".join(parts)


def _whole(entry: Listed) -> str:
    lines = [f"{entry.name}: {entry.about}", columns(entry.keys), paragraph(entry.example, 2)]
    return "\n".join(filter(None, lines))


# ---- what is listed ----


def model_lists() -> Sections:
    """Return the kinds of models."""
    entries = [
        Listed(
            kind.listed(),
            kind.about,
            f"models: [{', '.join(_few(kind.names()))}]",
            names=tuple(kind.names()),
        )
        for kind in registry.kinds()
    ]
    return {"models": Section("in the list of models of a study", entries)}


def _few(names: Sequence[str]) -> Sequence[str]:
    """As many as an example needs; the reference stands alone."""
    return names[:3:2] or names


def figure_lists() -> Sections:
    """Return kinds of figures of one's own, figures of the project and tables."""
    return {
        "own": Section("kinds of figures, under any name in figures", _own_figures()),
        "figures": Section("of the papers and the project", _entries(figures.CATALOGUE)),
        "tables": Section("of the papers", _entries(tables.CATALOGUE)),
    }


def _own_figures() -> list[Listed]:
    found = []
    for model in own_figure_models():
        (kind,) = get_args(model.model_fields["kind"].annotation)
        fields = model.model_fields.items()
        shows = next(name for name, field in fields if field.is_required() and name != "kind")
        example = f"my_{kind}: {{kind: {kind}, {shows}: [NAME]}}"
        about = str(model.model_fields["kind"].description)
        found.append(Listed(kind, about, example, _model_keys(model)))
    return found


def _entries(catalogue: dict[str, Entry]) -> list[Listed]:
    return [
        Listed(name, entry.caption, f"{name}: {{{figures.section_shown(entry)}: [NAME]}}")
        for name, entry in catalogue.items()
    ]


def kind_lists() -> Sections:
    """Return kinds of geometries, waveforms, acquisitions, runs of bloch and inversions."""
    acquisitions = [
        Listed(
            reader.name,
            f"{reader.noun}: {reader.about}",
            f"acquisition: {reader.mapping}",
        )
        for reader in acquisition_readers()
    ]
    inversions = [
        *_models(AnyInversion, examples.INVERSIONS),
        _model(ExchangeInversionModel, examples.INVERSIONS),
        _data_fit(),
    ]
    return {
        "geometries": Section("in the section geometries", [*map(_geometry, kinds())]),
        "waveforms": Section("in waveform of a study", [*map(_waveform, WAVEFORMS.values())]),
        "acquisitions": Section("in acquisition of a study", acquisitions),
        "figures": Section("in the section figures, under any name", _own_figures()),
        "inversions": Section("in the section inversions", inversions),
        "bloch": Section("in the section bloch", _models(AnyBloch, examples.BLOCH)),
    }


def _geometry(kind: type[Shape]) -> Listed:
    fields = declarations(kind)
    keys = [(name, _with_default(field, accepted(field))) for name, field in fields.items()]
    example = examples.GEOMETRIES.get(kind.kind) or _example(kind.kind, fields)
    return Listed(kind.kind, summary(kind), f"NAME: {example}", tuple(keys))


def _example(kind: str, fields: dict[str, Declaration]) -> str:
    """The keys that must be given, with what their descriptions say."""
    parts = [f"kind: {kind}"]
    for name, field in fields.items():
        if field.is_required:
            text = examples.given(accepted(field)) or "..."
            several = get_origin(field.annotation) is tuple and not text.startswith("[")
            parts.append(f"{name}: [{text}]" if several else f"{name}: {text}")
    return f"{{{', '.join(parts)}}}"


def _with_default(field: Declaration, said: str) -> str:
    if field.is_required:
        return f"{said}; must be given"
    return (
        said if field.default in (None, (), "") else f"{said}; {_plain(field.default)} without it"
    )


def _plain(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_plain, value))}]"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _waveform(kind: type[Waveform]) -> Listed:
    fields = declarations(kind)
    keys = tuple(
        (name, f"{accepted_number(field)}: {field.description}") for name, field in fields.items()
    )
    example = f"waveform: {examples.waveform(kind.kind, kind.parameter_names())}"
    return Listed(kind.kind, summary(kind), example, keys)


def _data_fit() -> Listed:
    about = "A model fitted to measured signals."
    example = "NAME: {data: NAME, model: karger}"
    return Listed("fit of data", about, example, _model_keys(DataFitModel))


def _models(union: Any, given: Any) -> list[Listed]:
    members = get_args(get_args(union)[0])
    return [_model(member, given) for member in members]


def _model(model: type[BaseModel], given: Any) -> Listed:
    (kind,) = get_args(model.model_fields["kind"].annotation)
    about = (model.__doc__ or "").split("\n")[0]
    return Listed(kind, about, f"NAME: {given.get(kind, '...')}", _model_keys(model))


def _model_keys(model: type[BaseModel]) -> tuple[tuple[str, str], ...]:
    fields = {name: field for name, field in model.model_fields.items() if name != "kind"}
    needed = sorted(fields.items(), key=lambda item: not item[1].is_required())
    return tuple(
        (name, f"{field.description}{'; must be given' if field.is_required() else ''}")
        for name, field in needed
    )


_SECTIONS: Final[dict[str, Callable[[], Sections]]] = {
    "models": model_lists,
    "figures": figure_lists,
    "kinds": kind_lists,
}
