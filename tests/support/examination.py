"""What becomes of an input: it is accepted or refused, and nothing else."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Final

from support.documents import ACQUISITIONS, FILES, configurations, study
from support.mutations import PIECES, mutate_structure, mutate_text
from torrey.base.errors import InputError
from torrey.base.units import UNITS, UnitError, parse
from torrey.config import Config, ConfigError, load
from torrey.figures import catalogue as figures
from torrey.gradients import acquisition
from torrey.tables import catalogue as tables
from torrey.workflow.derivatives import derivative_files, design_files
from torrey.workflow.layout import Layout
from torrey.workflow.stages import SolveReference
from torrey.workflow.voxels import voxel_files

#: What becomes of an input, and its content.
Outcome = tuple[str, bytes]


def configuration_from_text(random: Random, folder: Path) -> Outcome:
    """Read a configuration whose text is mutated."""
    return _configuration(mutate_text(random, random.choice(configurations())), folder)


def configuration_from_structure(random: Random, folder: Path) -> Outcome:
    """Read a configuration whose keys and values are mutated."""
    return _configuration(mutate_structure(random, random.choice(configurations())), folder)


def acquisition_file(random: Random, folder: Path) -> Outcome:
    """Read a file of an acquisition or a waveform that is mutated, alone and for a study."""
    name = random.choice(list(FILES))
    content = mutate_text(random, FILES[name])
    return _within(folder, name, content, lambda: _read(folder, name))


def quantity(random: Random, _folder: Path) -> Outcome:
    """Read a text that is made of pieces of quantities."""
    pieces = [random.choice(("0", "1", "2.5", "1e-3", "1e9")), random.choice(("", " "))]
    pieces.append(random.choice([unit.example.partition(" ")[2] for unit in UNITS.values()]))
    for _ in range(random.choice((0, 1, 1, 2, 3, 9, 30, 300))):
        pieces.insert(random.randrange(len(pieces) + 1), random.choice(PIECES))
    text = "".join(pieces)
    try:
        value = parse(text, random.choice(list(UNITS)))
    except UnitError as refusal:
        _check_message(refusal)
        return "refused", text.encode("utf-8", "surrogatepass")
    except Exception as error:
        error.add_note(ascii(text))
        raise
    assert math.isfinite(value)
    return "accepted", text.encode()


KINDS: Final[dict[str, Callable[[Random, Path], Outcome]]] = {
    "configurations, text": configuration_from_text,
    "configurations, structure": configuration_from_structure,
    "acquisition files": acquisition_file,
    "quantities": quantity,
}


def _configuration(content: bytes, folder: Path) -> Outcome:
    file = folder / "mine.yaml"
    return _within(folder, file.name, content, lambda: _plan(load([file])))


def _within(folder: Path, name: str, content: bytes, read: Callable[[], None]) -> Outcome:
    """Write a file, read it, and put back what was there; a failure carries the content."""
    file = folder / name
    file.write_bytes(content)
    try:
        read()
        return "accepted", content
    except (ConfigError, InputError) as refusal:
        _check_message(refusal)
        return "refused", content
    except Exception as error:
        error.add_note(f"{name}: {content!r}")
        raise
    finally:
        if name in FILES:
            file.write_text(FILES[name], encoding="utf-8")


def _check_message(refusal: ConfigError | InputError) -> None:
    """Each problem takes one line, which can be printed and says what would be accepted."""
    problems = refusal.problems if isinstance(refusal, ConfigError) else (refusal,)
    for problem in problems:
        message = str(problem)
        assert message.isprintable(), ascii(message)
        assert "found" in message, message
        assert "accepted" in message, message
        assert len(message) < 4_000, message


def _read(folder: Path, name: str) -> None:
    """Read a file by itself, then as part of a study."""
    if name in ("dwi.bval", "dwi.bvec"):
        acquisition.read_fsl(folder / "dwi.bval", folder / "dwi.bvec").summary()
        changes = {"acquisition": "{bval: dwi.bval, bvec: dwi.bvec}", "b": "", "directions": ""}
        changes["waveform"] = "{kind: pgse, delta: 4 ms, Delta: 12 ms}"
    elif name == "pulses.scheme":
        acquisition.scheme_summary(acquisition.read_scheme(folder / name))
        changes = {"acquisition": "{scheme: pulses.scheme}", "b": "", "directions": ""}
        changes["waveform"] = ""
    elif name in ACQUISITIONS:
        said, has_waveform = ACQUISITIONS[name]
        changes = {"acquisition": f"{{{said}}}", "b": "", "directions": ""}
        changes["waveform"] = "{kind: pgse, delta: 4 ms, Delta: 12 ms}" if has_waveform else ""
    else:
        acquisition.read_waveform(folder / name).summary()
        changes = {"waveform": f"{{kind: file, path: {name}}}"}
    geometries = "geometries:\n  cells: {kind: discs, cells: [{center: [0.5, 0.5], radius: 0.3}]}\n"
    changes["diffusivity"] = "{outside: 2 um^2/ms, inside: 1 um^2/ms}"
    (folder / "study.yaml").write_text(f"{geometries}studies:\n{study(changes)}", encoding="utf-8")
    _plan(load([folder / "study.yaml"]))


def _plan(config: Config) -> None:
    """Do all that the workflow does before its first job."""
    list(figures.problems(config))
    list(tables.problems(config))
    layout = Layout(config)
    for job in layout.jobs.values():
        SolveReference(material=job.material, point=job.point, tolerance=job.tolerance).to_params()
    for slab in layout.slab_jobs.values():
        slab.slab.sweep.to_json()
    for entry in config.studies.values():
        layout.study_files(entry)
        entry.sweep.to_json()
        layout.sampled(entry)
    assert len(layout.spans) <= len(layout.slab_jobs)
    assert len(layout.materials) <= len(config.studies)
    for inversion in config.inversions.values():
        layout.inversion_inputs(inversion)
        inversion.to_json()
    for run in config.bloch.values():
        json.dumps(dict(run.settings))
    for _, stage, *_ in (*derivative_files(layout), *design_files(layout)):
        stage.to_params()
    for _, stage, _ in voxel_files(layout):
        stage.to_params()
