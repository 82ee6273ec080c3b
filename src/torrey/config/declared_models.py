"""Models of classes whose fields say what they are, and objects from what the models have read.

See `torrey.base.fields`: a class declares its fields once; the keys of a configuration, what they
accept and the schema follow from that. The class itself checks what its values mean together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import is_dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import BeforeValidator, Field, create_model

from torrey.base.budgets import MOST_CELLS
from torrey.base.errors import KeyPath
from torrey.base.fields import Declaration, declarations
from torrey.base.units import UNITS
from torrey.config.findings import Findings
from torrey.config.quantities import (
    Angle,
    BValue,
    Diffusivity,
    Gradient,
    Length,
    Model,
    Number,
    Permeability,
    Quantity,
    RelaxationTime,
    Time,
    WaveNumber,
    summary,
)

_QUANTITIES: Final[dict[str, type[Quantity]]] = {
    quantity.kind: quantity
    for quantity in (
        Angle,
        BValue,
        Diffusivity,
        Gradient,
        Length,
        Permeability,
        RelaxationTime,
        Time,
        WaveNumber,
    )
}


@cache
def model_of(cls: type) -> type[Model]:
    """Return the model of what a configuration may say of a class."""
    return create(cls, {}, {})


def create(cls: type, before: Mapping[str, Any], after: Mapping[str, Any]) -> type[Model]:
    """Make a model with the declared fields of a class, and others before and after them.

    Parameters
    ----------
    cls : type
        A dataclass; the first paragraph of its docstring is the description of the model.
    before, after : mapping of str to (type, FieldInfo)

    Raises
    ------
    TypeError
        If a field of the class does not say what it is.
    """
    own = {name: _field(declaration) for name, declaration in declarations(cls).items()}
    fields: dict[str, Any] = {**before, **own, **after}
    model: type[Model] = create_model(
        f"{cls.__name__}Model", __base__=Model, __module__=__name__, __doc__=summary(cls), **fields
    )
    return model


def accepted(declaration: Declaration) -> str:
    """Say what may stand in a field, as messages and the documentation do."""
    if declaration.unit is None:
        return declaration.description
    each: str = UNITS[declaration.unit].accepted  # type: ignore[index]
    said = f"{each} ({declaration.description})"
    return f"a list, each {said}" if get_origin(declaration.annotation) is tuple else said


def made(findings: Findings, path: KeyPath, cls: type, model: Model) -> Any:
    """Return the object that a model describes, or note what is wrong with it and return None.

    Parameters
    ----------
    findings : Findings
        Collects the problems.
    path : tuple of str and int
        Of the model in the file.
    cls : type
        Of the object.
    model : Model
        Made by `model_of` or `create`.
    """
    before = len(findings.problems)
    values = {
        name: _value(findings, (*path, name), field.annotation, getattr(model, name))
        for name, field in declarations(cls).items()
    }
    if len(findings.problems) == before:
        with findings.under(*path):
            return cls(**values)
    return None


def _field(declaration: Declaration) -> tuple[Any, Any]:
    """Type and field of a key."""
    constraints = dict(declaration.constraints)
    named = constraints.pop("named", None)
    annotation = _type(declaration.annotation, declaration.unit)
    if get_origin(annotation) is Annotated and get_origin(declaration.annotation) is tuple:
        # Bounds of a list stand with its description, where errors look for it.
        annotation, bounds = annotation.__origin__, _bounds(declaration.annotation)
        constraints = {**bounds, **constraints}
    if named:
        annotation = _or_named(annotation, named)
    default: Any = ... if declaration.is_required else declaration.default
    return annotation, Field(default, description=accepted(declaration), **constraints)


def _or_named(annotation: Any, named: Mapping[str, Any]) -> Any:
    """Type of a key in which the name of a value may stand for it."""

    def value(given: Any) -> Any:
        # Read as a list, as if it had been written out.
        return _listed(named[given]) if isinstance(given, str) and given in named else given

    written: Any = Union[Literal[tuple(named)], annotation]  # noqa: UP007
    return Annotated[annotation, BeforeValidator(value, json_schema_input_type=written)]


def _listed(value: Any) -> Any:
    return list(map(_listed, value)) if isinstance(value, tuple) else value


def _type(annotation: Any, unit: str | None) -> Any:
    """Type of a key for the type of a field."""
    if get_origin(annotation) is tuple:
        item = _type(get_args(annotation)[0], unit)
        return Annotated[list[item], Field(**_bounds(annotation))]  # type: ignore[valid-type]
    if unit is not None:
        return _QUANTITIES[unit]
    if is_dataclass(annotation):
        return model_of(annotation)  # type: ignore[arg-type]
    if annotation is Path:
        return str
    return Number if annotation is float else annotation


def _bounds(annotation: Any) -> dict[str, Any]:
    """How long the list may be that stands for a tuple."""
    items = get_args(annotation)
    if items[-1] is Ellipsis:
        return {"max_length": MOST_CELLS}
    return {"min_length": len(items), "max_length": len(items)}


def _value(findings: Findings, path: KeyPath, annotation: Any, read: Any) -> Any:
    """Value of a field for what a model has read; None where it was left out."""
    if read is None:
        return None
    if get_origin(annotation) is tuple:
        item = get_args(annotation)[0]
        return tuple(_value(findings, (*path, i), item, x) for i, x in enumerate(read))
    if is_dataclass(annotation):
        return made(findings, path, annotation, read)  # type: ignore[arg-type]
    if annotation is Path:
        # From the folder of the configuration that names it.
        return Path(list(findings.root.walk(path))[-1].file).parent / read
    return float(read) if annotation is float else read
