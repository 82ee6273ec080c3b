"""What a reader of files is: the keys that name its files, what it makes of them, and its words.

A reader is one object of this module's classes in a file of its own, entered in `READERS` of
`torrey.gradients.acquisition`. Configurations, their schema, messages and documents follow.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from torrey.base.units import Kind
from torrey.gradients.acquisition.text import Direction
from torrey.gradients.protocol import EncodingKind
from torrey.gradients.waveforms import SampledWaveform, Waveform


@dataclass(frozen=True)
class Row:
    """One measurement, as the files of a scan give it.

    Parameters
    ----------
    strength : float
        b-value (ms/um^2) or largest gradient gamma G (rad/um/ms): see `Scan.encoding`.
    direction : (3,) tuple of float
        Unit vector; any vector where `strength` is zero.
    place : str
        Where it stands, for messages: ``"line 3 of dwi.scheme"``.
    waveform : int
        Which of the `Scan.waveforms`.
    b_delta : float, optional
        Shape of the b-tensor, where the files say it: 1 linear, 0 spherical, -0.5 planar. The
        direction is then its axis of symmetry. The study has a waveform of this shape.
    echo_time : float, optional
        In ms, where the files say it but not the times of the gradients.
    shape_place : str
        Where b_delta stands, if that is elsewhere.
    """

    strength: float
    direction: Direction
    place: str
    waveform: int = 0
    b_delta: float | None = None
    echo_time: float | None = None
    shape_place: str = ""


@dataclass(frozen=True)
class Scan:
    """The measurements of a scan.

    Parameters
    ----------
    encoding : {"b", "gradient"}
        What the strengths of the rows are.
    rows : tuple of Row
    summary : str
        What was read, in words and in the units of the files.
    waveforms : tuple of functions
        Each makes one waveform; none where the files do not give the times of the gradients. Their
        number is checked before the first is made, as its integrals take time.
    segments : int
        Segments of all waveforms together, at most.
    missing : str
        Where there are no waveforms in files that may have them: what these would be.
    """

    encoding: EncodingKind
    rows: tuple[Row, ...]
    summary: str
    waveforms: tuple[Callable[[], Waveform], ...] = ()
    segments: int = 0
    missing: str = ""


@dataclass(frozen=True)
class WaveformInFile:
    """A waveform that a file gives.

    Parameters
    ----------
    make : function
        Makes it; raises `InputError` where its shape is refused.
    segments : int
        How many segments it has, at most, which is checked before it is made.
    summary : str
        What was read, in words and in the units of the file.
    """

    make: Callable[[], SampledWaveform]
    segments: int
    summary: str


@dataclass(frozen=True)
class ScanOption:
    """What a configuration may say beside the files: how they are meant.

    Parameters
    ----------
    name : str
        Key in configurations; readers with an option of the same meaning share it.
    form : {"flag", "numbers", "count"} or Kind
        true or false; whole numbers of at least 0; one of at least 1; or a quantity of this kind.
    about : str
        What it does, for messages and documents.
    default : str
        What holds without it, in words.
    example : str
        What may stand in a configuration.
    """

    name: str
    form: Literal["flag", "numbers", "count"] | Kind
    about: str
    default: str
    example: str


@dataclass(frozen=True, eq=False)
class Reader:
    """What every reader has.

    Parameters
    ----------
    name : str
        Unique; of readers of waveforms, the ``kind`` of the waveform in configurations.
    noun : str
        What messages and documents call what it reads, such as ``"FSL files"``.
    keys : mapping of str to str
        Keys by which a configuration names the files, and what each file is.
    about : str
        What the files hold, in which units: a sentence for the documents.
    """

    name: str
    noun: str
    keys: Mapping[str, str]
    about: str


@dataclass(frozen=True, eq=False)
class AcquisitionReader(Reader):
    """Reads the measurements of a scan: ``acquisition: {key: FILE, ...}`` of a study.

    Parameters
    ----------
    read : function
        Called with the path of each file by its key, and the options that are given by their names;
        returns a `Scan`. It raises `InputError` where a file cannot be used.
    has_waveforms : bool, optional
        Whether the files give the times of the gradients. Otherwise the study gives a waveform.
        None where it depends on the files.
    options : tuple of ScanOption
        What may be said of the files.
    """

    read: Callable[..., Scan]
    has_waveforms: bool | None
    options: tuple[ScanOption, ...] = ()

    def values(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Of what a configuration says, the options of this reader that are there."""
        names = [option.name for option in self.options]
        return {name: given[name] for name in names if given.get(name) is not None}

    @property
    def mapping(self) -> str:
        """What stands in a configuration: ``{bval: FILE, bvec: FILE}``."""
        return f"{{{', '.join(f'{key}: FILE' for key in self.keys)}}}"

    @property
    def all_keys(self) -> str:
        """Its keys in a sentence that says they belong together."""
        *some, last = self.keys
        if not some:
            return f"{last} alone"
        return f"{'both' if len(some) == 1 else 'all of'} {', '.join(some)} and {last}"


@dataclass(frozen=True)
class Option:
    """A key beside those of the files, which may be left out.

    Parameters
    ----------
    kind : {"time", "times", "texts", "choice"}
        One time, one or several, a list of texts, or one of the choices.
    about : str
        What is accepted and what it means.
    choices : tuple of str, optional
    """

    kind: Literal["time", "times", "texts", "choice"]
    about: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class WaveformReader(Reader):
    """Reads one waveform: ``waveform: {kind: NAME, key: FILE, ...}`` of a study.

    Parameters
    ----------
    read : function
        Called with the path of each file, and each option that is given, by its key; returns a
        `WaveformInFile`. It raises `InputError` where a file cannot be used.
    options : mapping of str to Option, optional
        Keys for what files do not say themselves.
    """

    read: Callable[..., WaveformInFile]
    options: Mapping[str, Option] = field(default_factory=dict)
