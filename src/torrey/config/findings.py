"""From an error to a problem with its file and line.

pydantic says where in the *models* an error is; this module follows that place through the models
to the key in the file, and to the field whose description says what is accepted there.
"""

from __future__ import annotations

import types
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, RootModel, Tag, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from torrey.base.budgets import quoted
from torrey.base.errors import InputError, KeyPath, either
from torrey.base.nearest import did_you_mean
from torrey.config.nodes import Node, listed
from torrey.config.problems import Problem
from torrey.config.registered import Registered, adapter


@dataclass
class Findings:
    """Collects the problems of one configuration.

    Parameters
    ----------
    root : Node
        The merged files.
    problems : list of Problem
    spent : dict of str to int
        What the entries that were read ask for together, such as points, by its noun.
    """

    root: Node
    problems: list[Problem] = field(default_factory=list)
    spent: dict[str, int] = field(default_factory=dict)

    def spend(self, what: str, amount: int, most: int) -> None:
        """Take an amount from what a configuration may ask for in all.

        Raises
        ------
        InputError
            If it is more than is left.
        """
        before = self.spent.get(what, 0)
        if before + amount > most:
            others = f", beside {before} of other entries" if before else ""
            raise InputError(f"{amount} {what}{others}", f"at most {most} in a configuration")
        self.spent[what] = before + amount

    def add(self, path: KeyPath, found: str, accepted: str) -> None:
        """Note a problem at the deepest part of the path that stands in the file."""
        nodes = list(self.root.walk(path))
        here = nodes[-1]
        self.problems.append(Problem(here.file, here.line, path[: len(nodes) - 1], found, accepted))

    def add_missing(self, path: KeyPath, accepted: str) -> None:
        """Note a key that should be there, at the line of what should hold it."""
        here = list(self.root.walk(path))[-1]
        self.problems.append(Problem(here.file, here.line, path, "nothing", accepted))

    def add_unknown_key(self, path: KeyPath, accepted: Iterable[str]) -> None:
        """Note an unknown key, with the nearest accepted one."""
        key, accepted = str(path[-1]), list(accepted)
        found = f"the unknown key {quoted(key)}{did_you_mean(key, accepted)}"
        self.add(path, found, f"the keys {', '.join(accepted)}")

    def require_entry(self, path: KeyPath, name: str, section: str) -> None:
        """Note a reference to an entry that does not exist in a section, with the nearest one."""
        known = self.keys((section,))
        if name not in known:
            accepted = f"an entry of {section}: {listed(known) or 'there are none'}"
            self.add(path, f"{quoted(name)}{did_you_mean(name, known)}", accepted)

    def require_once(self, path: KeyPath, values: Sequence[object]) -> None:
        """Note each value of a list that stands in it before."""
        seen: set[object] = set()
        for i, value in enumerate(values):
            if value in seen:
                shown = quoted(value).strip('"') if isinstance(value, str) else value
                self.add((*path, i), f"{shown} a second time", "each value once")
            seen.add(value)

    def keys(self, path: KeyPath) -> list[str]:
        """Return the keys of the mapping at a path; none if there is no mapping."""
        nodes = list(self.root.walk(path))
        content = nodes[-1].content if len(nodes) == len(path) + 1 else None
        return list(content) if isinstance(content, dict) else []

    @contextmanager
    def under(self, *path: str | int) -> Iterator[None]:
        """Note what is refused in this block as a problem under the path."""
        try:
            yield
        except MissingKeyError as error:
            self.add_missing((*path, *error.at), error.accepted)
        except InputError as error:
            self.add((*path, *error.at), error.found, error.accepted)

    def validate(self, path: KeyPath, model: Any) -> Any:
        """Return what stands at the path as a model, or None if it has problems."""
        node = list(self.root.walk(path))[-1]
        try:
            return adapter(model).validate_python(node.plain())
        except ValidationError as error:
            for details in error.errors(include_url=False):
                self._add_details(path, model, details)
                # Items of a list that stands for one value have one place.
                if self.problems[-1] in self.problems[:-1]:
                    self.problems.pop()
            return None

    def _add_details(self, start: KeyPath, model: Any, details: ErrorDetails) -> None:
        place = _follow(model, details["loc"])
        path = self._as_written((*start, *place.path))
        kind = details["type"]
        if kind == "extra_forbidden":
            self.add_unknown_key(path, place.siblings)
        elif kind == "missing":
            self.add_missing(path, place.accepted)
        elif kind == "union_tag_not_found":
            self.add_missing((*path, "kind"), place.kinds)
        elif kind == "union_tag_invalid":
            tag = str(details["ctx"]["tag"])
            hint = did_you_mean(tag.lower(), place.tags)
            self.add((*path, "kind"), f"{quoted(tag)}{hint}", place.kinds)
        elif kind == "literal_error":
            node = list(self.root.walk(path))[-1]
            known = [str(name) for name in get_args(place.literal)]
            near = did_you_mean(node.content, known) if isinstance(node.content, str) else ""
            self.add(path, f"{node.describe()}{near}", place.accepted)
        else:
            node = list(self.root.walk(path))[-1]
            error = details.get("ctx", {}).get("error")
            if isinstance(error, InputError) and isinstance(node.content, str):
                self.add(path, error.found, error.accepted)
            else:
                accepted = error.accepted if isinstance(error, InputError) else place.accepted
                self.add(path, node.describe(), accepted)

    def _as_written(self, path: KeyPath) -> KeyPath:
        """Leave out the places in lists for which one item stands."""
        written: KeyPath = ()
        for part in path:
            nodes = list(self.root.walk(written))
            is_one = len(nodes) == len(written) + 1 and not isinstance(nodes[-1].content, list)
            if not (isinstance(part, int) and is_one):
                written = (*written, part)
        return written


class MissingKeyError(InputError):
    """A key that should be there, at its place.

    Parameters
    ----------
    accepted : str
    at : tuple of str and int
    """

    def __init__(self, accepted: str, at: KeyPath) -> None:
        super().__init__("nothing", accepted, at)


@dataclass(frozen=True)
class _Place:
    """Where a path through the models ends: the path of keys, what holds it and what it is."""

    path: KeyPath
    owner: type[BaseModel] | None
    field: FieldInfo | None
    annotation: Any

    @property
    def siblings(self) -> list[str]:
        return list(self.owner.model_fields) if self.owner else []

    @property
    def tags(self) -> list[str]:
        return [str(_tag(member)) for member in get_args(_bare(self.annotation))]

    @property
    def kinds(self) -> str:
        return either(self.tags)

    @property
    def literal(self) -> Any:
        return _bare(self.annotation)

    @property
    def accepted(self) -> str:
        if self.field is not None and self.field.description:
            return self.field.description
        if _is_registered(self.annotation):
            return str(self.annotation.accepted())
        model = _bare(self.annotation)
        if isinstance(model, type) and issubclass(model, BaseModel):
            return f"a mapping with the keys {', '.join(model.model_fields)}"
        return "a mapping"


def _follow(annotation: Any, loc: Iterable[str | int]) -> _Place:
    """Follow pydantic's location, which names the chosen member of each union as well."""
    path: KeyPath = ()
    owner: type[BaseModel] | None = None
    info: FieldInfo | None = None
    for part in loc:
        annotation = _bare(annotation)
        if _is_union(annotation):
            annotation = next(m for m in get_args(annotation) if _tag(m) == part)
            continue
        path = (*path, part)
        if isinstance(part, str):
            owner = annotation
            # What is not a field may be a name, which stands for one thing whatever it is.
            info = annotation.model_fields.get(part, getattr(annotation, "named", None))
            annotation = info.annotation if info else None
        else:
            (annotation,) = get_args(annotation)
    return _Place(path, owner, info, annotation)


def _bare(annotation: Any) -> Any:
    """Take off what does not show in a location: Annotated, RootModel and registries."""
    if _is_registered(annotation):
        return _bare(annotation.model())
    if get_origin(annotation) is Annotated:
        return _bare(get_args(annotation)[0])
    if isinstance(annotation, type) and issubclass(annotation, RootModel):
        return _bare(annotation.model_fields["root"].annotation)
    return annotation


def _is_registered(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Registered)


def _is_union(annotation: Any) -> bool:
    return get_origin(annotation) in (Union, types.UnionType)


def _tag(member: Any) -> object:
    """Return the name that pydantic gives to a member of a union."""
    tags = [data.tag for data in getattr(member, "__metadata__", ()) if isinstance(data, Tag)]
    return tags[0] if tags else get_args(member.model_fields["kind"].annotation)[0]
