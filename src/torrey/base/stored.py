"""Results as labelled arrays: dims, units and long names stand once, at the fields of a dataclass.

A result says at each of its fields how a file holds it; `group_of` makes the variables of a file
of any such object, and `object_of` makes the object of what a file holds::

    @dataclass(frozen=True)
    class Signals:
        signal: ComplexArray = field(metadata=stored(("*sweep",), "1", "signal", dtype=complex))


    group_of(signals, sweep=("b", "direction"))  # signal_real and signal_imag over both axes

What depends on the object is given by the caller: ``*sweep`` among the dims stands for several of
them, and ``{rule}`` in a name, a dimension, a long name or an attribute for a word.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any, Final, TypeVar, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

_KEY: Final = "torrey"
"""Of what this module writes into the metadata of a field."""

Result = TypeVar("Result")
Given = str | Sequence[str]
Data = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Variable:
    """One labelled array.

    Attributes
    ----------
    dims : tuple of str
    values : array_like
        Real numbers, integers or strings.
    units : str
        CF style, such as ``um2 ms-1``; ``1`` for numbers without a unit, empty for names.
    long_name : str
    attributes : mapping
        Further attributes.
    """

    dims: tuple[str, ...]
    values: ArrayLike
    units: str
    long_name: str
    attributes: Mapping[str, Any] = field(default_factory=dict)


Group = Mapping[str, Variable]


@dataclass(frozen=True)
class _Stored:
    """How a file holds one field; two names and long names if the values are complex."""

    dims: tuple[str, ...]
    units: str
    name: str | tuple[str, str]
    long_names: tuple[str, ...]
    dtype: DTypeLike | None
    attributes: Mapping[str, Any]

    @property
    def is_complex(self) -> bool:
        """Whether two variables hold the values."""
        return self.dtype is complex

    def names(self, field_name: str) -> tuple[str, ...]:
        """Names of its variables."""
        if not isinstance(self.name, str):
            return self.name
        name = self.name or field_name
        return (f"{name}_real", f"{name}_imag") if self.is_complex else (name,)


@dataclass(frozen=True)
class _Nested:
    """How a file holds a field that is an object, several, or one for each of some words."""

    prefix: str
    along: str
    over: str


def stored(
    dims: tuple[str, ...],
    units: str,
    long_name: str | tuple[str, str],
    *,
    name: str | tuple[str, str] = "",
    dtype: DTypeLike | None = None,
    **attributes: Any,
) -> Mapping[str, Any]:
    """Metadata of a field that a file holds as a variable, or as two if it is complex.

    Parameters
    ----------
    dims : tuple of str
        ``*name`` for several that the caller of `group_of` gives.
    units : str
        See `Variable`.
    long_name : str or pair of str
        Complex values have one for each part; a single one gets "real part", "imaginary part".
    name : str or pair of str
        In the file, if it is not that of the field; complex values have one for each part, by
        default ``NAME_real`` and ``NAME_imag``.
    dtype : data type
        In the file, if it is not that of the values; `complex` for complex values.
    **attributes
        Further attributes of the variable.
    """
    if not isinstance(long_name, str):
        long_names: tuple[str, ...] = long_name
    elif dtype is complex:
        long_names = (f"{long_name}, real part", f"{long_name}, imaginary part")
    else:
        long_names = (long_name,)
    return {_KEY: _Stored(dims, units, name, long_names, dtype, attributes)}


def nested(prefix: str = "", *, along: str = "", over: str = "") -> Mapping[str, Any]:
    """Metadata of a field whose value is itself a dataclass with stored fields.

    Parameters
    ----------
    prefix : str
        Before the names of its variables.
    along : str
        The value is a sequence of such objects, at least one, stacked along this new dimension.
    over : str
        The value is a mapping from words to such objects: the word takes the place of ``{over}``
        in the names of its variables.
    """
    return {_KEY: _Nested(prefix, along, over)}


def group_of(result: Any, **given: Given) -> dict[str, Variable]:
    """Variables of all stored fields of an object; those that are None are left out.

    Parameters
    ----------
    result : dataclass
    **given : sequence of str, or str
        Dims that stand for ``*name``, and words that stand for ``{name}``.
    """
    group: dict[str, Variable] = {}
    for one, how in _described(type(result)):
        value = getattr(result, one.name)
        if value is None:
            continue
        if isinstance(how, _Stored):
            group |= _variables(one.name, how, value, given)
        elif how.over:
            for word, each in value.items():
                group |= group_of(each, **given, **{how.over: word})
        else:
            inside = stacked(value, how.along, **given) if how.along else group_of(value, **given)
            group |= {f"{how.prefix}{name}": variable for name, variable in inside.items()}
    return group


def stacked(results: Sequence[Any], dim: str, **given: Given) -> dict[str, Variable]:
    """Variables of several objects of one kind, one after the other along a first dimension.

    Parameters
    ----------
    results : sequence of dataclass
        At least one; the same fields of all are None.
    dim : str
    **given
        See `group_of`.
    """
    groups = [group_of(result, **given) for result in results]
    return {
        name: Variable(
            (dim, *first.dims),
            np.array([group[name].values for group in groups]),
            first.units,
            first.long_name,
            first.attributes,
        )
        for name, first in groups[0].items()
    }


def object_of(cls: type[Result], data: Data, **others: Any) -> Result:
    """The object that `group_of` made variables of.

    Numbers without dims come back as plain numbers, tuples as tuples, and integers of another type
    in the file with 64 bits. A field with a default has it where the file has no such variable.

    Parameters
    ----------
    cls : type
        A dataclass whose variables have names that depend on nothing given.
    data : mapping of str to array
        See `artifacts.read`.
    **others
        Values of the fields that are not stored.

    Raises
    ------
    KeyError
        If a variable is missing.
    """
    return _object_of(cls, data, "", others)


def _object_of(cls: type[Result], data: Data, prefix: str, others: Mapping[str, Any]) -> Result:
    hints = get_type_hints(cls)
    values = dict(others)
    for one, how in _described(cls):
        hint = hints[one.name]
        if isinstance(how, _Stored):
            names = [f"{prefix}{name}" for name in how.names(one.name)]
            if names[0] in data or not _has_default(one):
                values[one.name] = _value([data[name] for name in names], how, hint)
        elif how.along:
            values[one.name] = tuple(_unstacked(get_args(hint)[0], data, prefix + how.prefix))
        else:
            values[one.name] = _object_of(hint, data, prefix + how.prefix, {})
    return cls(**values)


def _described(cls: type) -> Iterable[tuple[Field[Any], _Stored | _Nested]]:
    """Stored fields of a dataclass, and how."""
    return [(one, one.metadata[_KEY]) for one in fields(cls) if _KEY in one.metadata]


def _variables(
    field_name: str, how: _Stored, value: Any, given: Mapping[str, Given]
) -> dict[str, Variable]:
    """The variable of a field, or the two of a complex one."""
    values = np.asarray(value, dtype=how.dtype)
    parts = (values.real, values.imag) if how.is_complex else (values,)
    dims = tuple(dim for place in how.dims for dim in _dims(place, given))
    attributes = {key: _worded(text, given) for key, text in how.attributes.items()}
    return {
        _worded(name, given): Variable(
            dims, numbers, how.units, _worded(long_name, given), attributes
        )
        for name, numbers, long_name in zip(
            how.names(field_name), parts, how.long_names, strict=True
        )
    }


def _dims(place: str, given: Mapping[str, Given]) -> Sequence[str]:
    return given[place[1:]] if place.startswith("*") else (_worded(place, given),)


def _worded(text: Any, given: Mapping[str, Given]) -> Any:
    """A text with the words that are given; others keep their braces, which formulas have too."""
    if not isinstance(text, str):
        return text
    for key, word in given.items():
        if isinstance(word, str):
            text = text.replace(f"{{{key}}}", word)
    return text


def _has_default(one: Field[Any]) -> bool:
    return one.default is not MISSING or one.default_factory is not MISSING


def _value(parts: Sequence[NDArray[Any]], how: _Stored, hint: Any) -> Any:
    """The value of a field from the variables of a file."""
    values = parts[0] + 1j * parts[1] if how.is_complex else np.asarray(parts[0])
    if values.dtype.kind == "i" and how.dtype is not None:
        values = values.astype(np.int64)
    if not how.dims:
        return values.item()
    return tuple(values.tolist()) if get_origin(hint) is tuple else values


def _unstacked(cls: type[Result], data: Data, prefix: str) -> Iterable[Result]:
    """The objects that were stacked along the first dimension."""
    rows = {name: values for name, values in data.items() if name.startswith(prefix)}
    names = [
        f"{prefix}{name}"
        for one, how in _described(cls)
        if isinstance(how, _Stored)
        for name in how.names(one.name)
    ]
    for i in range(len(rows[names[0]])):
        row = {name: rows[name][i] for name in names if name in rows}
        yield _object_of(cls, row, prefix, {})
