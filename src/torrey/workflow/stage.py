"""How what a rule depends on becomes a flat dictionary of texts and numbers, and comes back."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import partial
from typing import Any, ClassVar, Self

from torrey.gradients.sweep import Sweep

Params = dict[str, str | int | float]

_READ, _WRITE = "read", "write"


def spread(read: Callable[[Mapping[str, Any]], Any]) -> Any:
    """A field whose plain values are entries of their own."""
    return field(metadata={_READ: read})


def as_text(write: Callable[[Any], str], read: Callable[[str], Any]) -> Any:
    """A field that is one text."""
    return field(metadata={_WRITE: write, _READ: read})


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def as_tuples() -> Any:
    """A field of nested tuples, as JSON."""
    return as_text(json.dumps, lambda text: _frozen(json.loads(text)))


def as_names() -> Any:
    """A field of names."""
    return as_text(",".join, lambda text: tuple(text.split(",")) if text else ())


def as_sweep() -> Any:
    """A field of a sweep."""
    return as_text(Sweep.to_json, Sweep.from_json)


def as_settings() -> Any:
    """A field of settings by name, as JSON; empty without it."""
    return field(
        default_factory=dict,
        metadata={_WRITE: partial(json.dumps, sort_keys=True), _READ: json.loads},
    )


@dataclass(frozen=True, kw_only=True)
class Stage:
    """The parameters of a rule."""

    rule: ClassVar[str]

    def to_params(self) -> Params:
        """Return a flat dictionary of texts and numbers."""
        params: Params = {}
        for entry in fields(self):
            value = getattr(self, entry.name)
            if _WRITE in entry.metadata:
                params[entry.name] = entry.metadata[_WRITE](value)
            elif _READ in entry.metadata:
                params.update(value.to_dict())
            else:
                params[entry.name] = value
        return params

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Self:
        """Rebuild what `to_params` wrote; further entries do not matter."""
        values = {}
        for entry in fields(cls):
            read = entry.metadata.get(_READ)
            if _WRITE in entry.metadata:
                values[entry.name] = entry.metadata[_READ](params[entry.name])
            else:
                values[entry.name] = read(params) if read else params[entry.name]
        return cls(**values)


def without_number(name: str) -> str:
    """The name of a rule, from that of one of its parts.

    >>> without_number("solve_projected_2")
    'solve_projected'
    """
    return re.sub(r"_[0-9]+$", "", name)
