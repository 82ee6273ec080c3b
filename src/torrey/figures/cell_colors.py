"""Colours and names of the regions of a cell, in its pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

#: Of what is around the others, and tints of colours of Okabe and Ito's palette, pale to dark.
_FIRST: Final = "#FBE6D8"
_HUES: Final = (
    ("#B5D9F2", "#64ADDC", "#2274AD"),
    ("#B2E0CF", "#57BC9A", "#0F7F5D"),
    ("#EAC4DC", "#CC79A7", "#93447A"),
    ("#F4E7A6", "#E3C645", "#9F820D"),
    ("#D9D9D9", "#ABABAB", "#767676"),
)
WALL: Final = "#BDB5AC"
"""Of the surface of an obstacle, or of a wall, in space."""


@dataclass(frozen=True)
class Palette:
    """What the regions of a cell are called and how they are filled.

    Attributes
    ----------
    names : tuple of str
        Of the regions.
    colors : tuple of str
        Several regions may have the same; neighbours are told apart by what lies between them.
    """

    names: tuple[str, ...]
    colors: tuple[str, ...]

    @classmethod
    def of(cls, names: Sequence[str]) -> Palette:
        """Choose a hue for each number and a tint for each word, ``cell_1`` and ``layer_1``.

        Where every word has one region alone, each gets a hue of its own. The first region has the
        colour of what is around the others, but in a cell that is all insides: bodies are
        numbered from 1.
        """
        split = [_split(name) for name in names]
        first = int(bool(split) and split[0][1] != "1")
        words = list(dict.fromkeys(word for word, _ in split[first:]))
        single = len(words) == len(names) - first
        colors, counts = [_FIRST] * first, dict.fromkeys(words, 0)
        for word, _ in split[first:]:
            place, number = words.index(word), counts[word]
            counts[word] += 1
            hue, tint = (place, place // len(_HUES)) if single else (number, place)
            shades = _HUES[hue % len(_HUES)]
            colors.append(shades[tint % len(shades)])
        return cls(tuple(name.replace("_", " ") for name in names), tuple(colors))

    def groups(self) -> dict[str, NDArray[np.int64]]:
        """Regions by their colour."""
        colors = np.array(self.colors)
        return {str(color): np.flatnonzero(colors == color) for color in dict.fromkeys(self.colors)}

    def families(self) -> list[NDArray[np.int64]]:
        """Regions whose names differ in their numbers alone."""
        words = np.array([_split(name)[0] for name in self.names])
        return [np.flatnonzero(words == word) for word in dict.fromkeys(words.tolist())]

    def summary(self, regions: Sequence[int]) -> list[tuple[tuple[str, ...], str]]:
        """Colours and text of regions that bear no label: "cell 3", or their number and word."""
        found = []
        for family in self.families():
            members = [region for region in family.tolist() if region in set(regions)]
            if members:
                colors = tuple(dict.fromkeys(self.colors[member] for member in members))
                name, word = self.names[members[0]], _split(self.names[members[0]])[0]
                several = f"{len(members)} \N{MULTIPLICATION SIGN} {word}"
                found.append((colors, name if len(members) == 1 else several))
        return found


def _split(name: str) -> tuple[str, str]:
    """Word and number of a name."""
    word = name.replace("_", " ").rstrip("0123456789")
    return (word.strip() or name), name.replace("_", " ")[len(word) :]
