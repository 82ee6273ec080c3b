"""Files of measured signals and of fits to them, for `torrey.workflow.recipes`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from torrey.base.errors import InputError
from torrey.config.domain import DataFit, MeasuredData
from torrey.inversion.data_keys import content_digest, protocol_text
from torrey.inversion.map_names import map_names
from torrey.workflow import layout as paths
from torrey.workflow.layout import Layout
from torrey.workflow.stage import Stage
from torrey.workflow.stages import FitChunk, GatherFit, ReadData, WriteMaps

Inputs = Mapping[str, str | list[str]]

DIGESTS_VARIABLE: Final = "TORREY_DIGESTS"
"""Environment variable with the digests that the run has taken of files of data, as JSON: its jobs
read the configuration too, and volumes are large."""
_UNREADABLE: Final = "no file"


def fit_files(layout: Layout) -> Iterator[tuple[str, Stage, Inputs, Sequence[str]]]:
    """Yield path, stage, inputs and files beside it of everything that data and fits make."""
    for data in layout.config.data.values():
        yield _of_data(data)
    for fit in layout.config.fits.values():
        yield from _of_fit(layout, fit)


def _of_data(data: MeasuredData) -> tuple[str, Stage, Inputs, Sequence[str]]:
    digests = {key: file_digest(path) for key, path in data.files}
    stage = ReadData(
        protocol=protocol_text(data.protocol),
        digests=json.dumps(digests, sort_keys=True),
        sigma=data.sigma or 0.0,
        volumes=data.volumes,
    )
    return paths.DATA.format(data=data.name), stage, {}, ()


def _of_fit(layout: Layout, fit: DataFit) -> Iterator[tuple[str, Stage, Inputs, Sequence[str]]]:
    signals, chunks = paths.DATA.format(data=fit.data), layout.chunks(fit)
    read = {"signals": signals}
    if fit.study:
        geometry = layout.config.studies[fit.study].geometry
        read["operators"] = paths.OPERATORS.format(geometry=geometry)
    for part, path in enumerate(chunks):
        stage = FitChunk(settings=fit.settings, part=part, parts=fit.chunks)
        yield path, stage, read, ()
    path = paths.FIT.format(fit=fit.name)
    inputs: Inputs = {"chunks": chunks, "signals": signals}
    yield path, GatherFit(settings=fit.settings), inputs, ()
    if maps := layout.mapped.get(fit.name):
        mapped = WriteMaps(maps=map_names(fit.parameters))
        yield paths.MAPS.format(fit=fit.name), mapped, {"fit": path}, maps


def file_digest(path: str) -> str:
    """Digest of a file's content, taken once in a run as long as its size and time are the same."""
    try:
        state = os.stat(path)
    except OSError:
        return _UNREADABLE
    known = json.loads(os.environ.get(DIGESTS_VARIABLE, "{}"))
    place = os.path.abspath(path)
    size, time, digest = known.get(place, (None, None, ""))
    if (size, time) != (state.st_size, state.st_mtime_ns):
        try:
            digest = content_digest(path)
        except InputError:
            return _UNREADABLE
        known[place] = (state.st_size, state.st_mtime_ns, digest)
        os.environ[DIGESTS_VARIABLE] = json.dumps(known)
    return str(digest)
