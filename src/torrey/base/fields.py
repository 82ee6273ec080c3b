"""Fields of dataclasses that say what they are: their unit, what is accepted, their default.

A class of a registry, a kind of geometry for instance, describes its parameters where it declares
them. The configuration, its schema, the documentation and the messages are made from that; nothing
of it is loaded here, so that a job which only needs the class pays for no more.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass
from functools import cache
from numbers import Integral, Real
from pathlib import Path
from types import MappingProxyType, NoneType, UnionType
from typing import Any, Final, get_args, get_origin, get_type_hints

from torrey.base.errors import InputError, KeyPath

_KEY: Final = "declared"
#: Characters of a value that a message shows.
_SHOWN: Final = 60
#: Units of plain numbers: a text with a unit is read at the border, by the configuration.
_IN = {"length": "um", "angle": "rad"}


@dataclass(frozen=True)
class Declaration:
    """What a field says of itself.

    Attributes
    ----------
    name : str
    annotation : type
        Type of the field, its names resolved; without the None of a value that may be left out.
    unit : str, optional
        Kind of quantity in `torrey.base.units.UNITS`; None for what has no unit.
    symbol : str
        Of the literature, or empty.
    description : str
        What is accepted, as a message and the documentation say it, such as ``a number above 0``.
    default : Any
        `dataclasses.MISSING` where a value must be given.
    constraints : mapping of str
        Bounds that may be checked before the class is made, by the names that pydantic gives them:
        ``ge``, ``gt``, ``le``, ``lt``, ``min_length``, ``max_length``. Beside them ``named``: a
        mapping of names that may stand for a value, to what they mean.
    """

    name: str
    annotation: Any
    unit: str | None
    symbol: str
    description: str
    default: Any
    constraints: Mapping[str, Any]

    @property
    def is_required(self) -> bool:
        """Whether a value must be given."""
        return self.default is MISSING


def declared(
    *,
    unit: str | None = None,
    symbol: str = "",
    description: str,
    default: Any = MISSING,
    **constraints: Any,
) -> Any:
    """Return the field of a dataclass that says what it is.

    Parameters
    ----------
    unit, symbol, description, default, **constraints
        See `Declaration`.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Wall:
    ...     thickness: float = declared(unit="length", symbol="w", description="a length", gt=0)
    >>> declarations(Wall)["thickness"].unit
    'length'
    """
    said = (unit, symbol, description, MappingProxyType(dict(constraints)))
    return dataclasses.field(default=default, metadata={_KEY: said})


def declarations(cls: type) -> dict[str, Declaration]:
    """Return what the fields of a dataclass say of themselves, by name and in their order.

    Fields that were not made by `declared` are left out.
    """
    return {declaration.name: declaration for declaration in _declarations(cls)}


@cache
def _declarations(cls: type) -> tuple[Declaration, ...]:
    """The same, once for each class: to resolve names of types takes longer than to read values."""
    annotations = get_type_hints(cls)
    found = []
    for field in dataclasses.fields(cls):
        if _KEY in field.metadata:
            unit, symbol, said, constraints = field.metadata[_KEY]
            annotation = _without_none(annotations[field.name])
            found.append(
                Declaration(field.name, annotation, unit, symbol, said, field.default, constraints)
            )
    return tuple(found)


def check_kinds(instance: object) -> None:
    """Refuse values of declared fields that are no number, no list or of another class.

    What a value may be is the business of its class; that it is a number at all is asked here,
    before the class compares it with another.

    Raises
    ------
    InputError
        At the first of them.
    """
    for name, declaration in declarations(type(instance)).items():
        given = getattr(instance, name)
        if given is None and declaration.default is None:
            continue
        for at, value in _misfits(given, declaration.annotation):
            shown = f'"{value}", a text' if isinstance(value, str) else f"{value!r}"
            if len(shown) > _SHOWN:
                shown = f"{shown[:_SHOWN]}..."
            unit = _IN.get(declaration.unit or "")
            accepted = f"a number in {unit}: {declaration.description}"
            raise InputError(shown, accepted if unit else declaration.description, (name, *at))


def _without_none(annotation: Any) -> Any:
    """The X of ``X | None``."""
    if get_origin(annotation) is UnionType:
        (annotation,) = (part for part in get_args(annotation) if part is not NoneType)
    return annotation


def _misfits(value: Any, annotation: Any) -> Iterator[tuple[KeyPath, Any]]:
    """Yield what is of no such type, and where in the value it stands."""
    if get_origin(annotation) is tuple:
        # Arrays are no sequences, but have axes.
        is_list = isinstance(value, Sequence) or getattr(value, "ndim", 0) > 0
        if isinstance(value, str) or not is_list:
            yield (), value
            return
        for i, item in enumerate(value):
            for at, misfit in _misfits(item, get_args(annotation)[0]):
                yield (i, *at), misfit
    elif isinstance(annotation, type):
        # A file may be named by a text.
        others: dict[type, Any] = {float: Real, int: Integral, Path: (str, Path)}
        wanted = others.get(annotation, annotation)
        if not isinstance(value, wanted) or (isinstance(value, bool) and annotation is not bool):
            yield (), value
