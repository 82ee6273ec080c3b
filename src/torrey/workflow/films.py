"""Files of magnetisations, and figures with a film, for `torrey.workflow.recipes`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from torrey.workflow import layout as paths
from torrey.workflow.layout import Layout
from torrey.workflow.pictured import pictured
from torrey.workflow.stage import Stage
from torrey.workflow.stages import SolveMagnetisation

Inputs = Mapping[str, str | list[str]]


def magnetisation_files(layout: Layout) -> Iterator[tuple[str, Stage, Inputs]]:
    """Yield the path, the stage and the inputs of every magnetisation that figures show."""
    shown = [pictured(layout.config, figure) for figure in layout.config.figures.values()]
    # Figures of the same times share one.
    files = {paths.MAGNETISATION.format(**one.fields): one for one in shown if one is not None}
    for path, one in files.items():
        stage = SolveMagnetisation(
            material=one.study.material, point=one.point, tolerance=one.tolerance, times=one.times
        )
        inputs: Inputs = {
            "operators": paths.OPERATORS.format(geometry=one.study.geometry),
            "mesh": paths.MESH.format(geometry=one.study.geometry),
        }
        yield path, stage, inputs
