"""Which measurement of a study a figure of the magnetisation shows, and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from torrey.base.keys import format_number, shorten
from torrey.config import Config, FigureRequest, Study
from torrey.gradients.instants import film_times, still_times
from torrey.gradients.protocol import Point

MAGNETISATION: Final = "magnetisation"
"""Kind of the figures that show it, and stem of the files that hold it."""

#: Pictures need no smaller tolerance, which may take finer meshes and much larger files.
_SMALLEST: Final = 1e-3


@dataclass(frozen=True)
class Pictured:
    """The magnetisation that a figure shows: in which cell, of which point, and when.

    Attributes
    ----------
    study : Study
    point : Point
    stills : tuple of float
        Times of the panels (ms).
    """

    study: Study
    point: Point
    stills: tuple[float, ...]

    @property
    def tolerance(self) -> float:
        """Relative tolerance of the signal at the echo."""
        return max(self.study.tolerance, _SMALLEST)

    @property
    def times(self) -> tuple[float, ...]:
        """All times at which it is wanted: of the panels, and of the frames of the film (ms)."""
        return film_times(self.point.waveform.echo_time, self.stills)

    @property
    def state(self) -> str:
        """Name of the point, its tolerance, and the times of the stills where they are chosen."""
        key = self.point.key(self.study.sweep.protocol.encoding_kind)
        name = f"{key}_tol{format_number(self.tolerance)}"
        if self.stills != still_times(self.point.waveform):
            name = f"{name}_t{'-'.join(map(format_number, self.stills))}"
        return shorten(name)

    @property
    def fields(self) -> dict[str, str]:
        """Wildcards of the path of its file, and of those of its cell."""
        study = self.study
        return {"geometry": study.geometry, "material": study.material.key(), "state": self.state}


def pictured(config: Config, figure: FigureRequest) -> Pictured | None:
    """What a figure shows of the magnetisation; None for figures of other kinds."""
    if figure.kind != MAGNETISATION:
        return None
    (name,) = figure.studies
    settings: Mapping[str, Any] = dict(figure.settings)
    study = config.studies[name]
    return Pictured(study, study.sweep.point_at(settings["at"][name]), tuple(settings["times"]))
