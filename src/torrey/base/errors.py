"""One way to say no: what was found, what is accepted, and where inside the input.

Every check of a user's input, whether it comes from a file or from a notebook, raises `InputError`.
The configuration adds the file and the line; a notebook shows the message as it is.
"""

from __future__ import annotations

from collections.abc import Iterable

KeyPath = tuple[str | int, ...]


class TorreyError(Exception):
    """Something that its reader can act on: the message says all, a traceback would add nothing."""


class InputError(TorreyError, ValueError):
    """An input that cannot be used.

    Parameters
    ----------
    found : str
        What was found, in the words of the person who wrote it.
    accepted : str
        What would have been accepted, with an example where that helps.
    at : tuple of str and int, optional
        Where inside the input, such as ``("cells", 0, "radius")``.
    """

    def __init__(self, found: str, accepted: str, at: KeyPath = ()) -> None:
        super().__init__(found, accepted, at)
        self.found = found
        self.accepted = accepted
        self.at = at

    def __str__(self) -> str:
        message = f"found {self.found}, accepted: {self.accepted}"
        return f"{dotted(self.at)}: {message}" if self.at else message


def dotted(path: Iterable[str | int]) -> str:
    """Write a path as people do.

    >>> dotted(("studies", "mine", "period", 0))
    'studies.mine.period[0]'
    """
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def either(names: Iterable[str]) -> str:
    """List names as alternatives.

    >>> either(["discs", "spheres", "layers"])
    'discs, spheres or layers'
    """
    *some, last = names
    return f"{', '.join(some)} or {last}" if some else last
