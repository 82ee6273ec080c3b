"""Fields of dataclasses that say what they are: their unit, what is accepted, their default.

A class of a registry, a kind of geometry for instance, describes its parameters where it declares
them. The configuration, its schema, the documentation and the messages are made from that; nothing
of it is loaded here, so that a job which only needs the class pays for no more.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import MISSING, dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, Final, get_type_hints

_KEY: Final = "declared"


@dataclass(frozen=True)
class Declaration:
    """What a field says of itself.

    Attributes
    ----------
    name : str
    annotation : type
        Type of the field, its names resolved.
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
        ``ge``, ``gt``, ``le``, ``lt``, ``min_length``, ``max_length``.
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
            annotation = annotations[field.name]
            found.append(
                Declaration(field.name, annotation, unit, symbol, said, field.default, constraints)
            )
    return tuple(found)
