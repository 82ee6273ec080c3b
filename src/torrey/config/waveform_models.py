"""What a configuration may say of gradients: waveforms, and files of an acquisition.

Nothing is named here: the models are made of the kinds of waveforms and the readers of files, and
of what the parameters of a kind declare.
"""

from __future__ import annotations

from functools import cache, reduce
from operator import or_
from typing import Annotated, Any, Literal

from pydantic import Field, create_model

from torrey.base.fields import declarations
from torrey.base.units import UNITS
from torrey.config.quantities import (
    Model,
    OneOrMore,
    Time,
    absent,
    declared_or_more,
    summary,
    type_of,
)
from torrey.config.registered import Registered
from torrey.gradients.acquisition import (
    AcquisitionReader,
    Option,
    WaveformReader,
    acquisition_readers,
    waveform_readers,
)
from torrey.gradients.waveforms import KINDS, Waveform

_ECHO = (
    f"{UNITS['time'].accepted} (from excitation to echo, with the gradients in its middle; without "
    "it the signal is read at the end of the gradients)"
)
_BESIDE = "from the folder of this file"


class AnyWaveform(Registered):
    """A waveform of one of the kinds, or from a file."""

    kind: str
    echo_time: Time | None

    @classmethod
    def model(cls) -> Any:
        """Return the union of the models of all kinds."""
        return _any_waveform(tuple(KINDS.values()), waveform_readers())

    @classmethod
    def accepted(cls) -> str:
        """Say what stands here."""
        return "a mapping, such as {kind: pgse, delta: 5 ms, Delta: 15 ms}"


class AnyAcquisition(Registered):
    """Files that scanners and other programs write."""

    @classmethod
    def model(cls) -> Any:
        """Return the model with the keys of all readers."""
        return _acquisition(acquisition_readers())

    @classmethod
    def accepted(cls) -> str:
        """Say what stands here."""
        forms = " or ".join(reader.mapping for reader in acquisition_readers())
        return f"a mapping: {forms}, in the place of directions and b"


@cache
def _any_waveform(kinds: tuple[type[Waveform], ...], readers: tuple[WaveformReader, ...]) -> Any:
    models = (*map(_of_kind, kinds), *map(_from_file, readers))
    return Annotated[reduce(or_, models), Field(discriminator="kind")]


@cache
def _of_kind(cls: type[Waveform]) -> type[Model]:
    parameters = {
        name: (_one_or_more(type_of(parameter)), Field(description=declared_or_more(parameter)))
        for name, parameter in declarations(cls).items()
    }
    return _waveform(cls.kind, f"{cls.__name__}Model", summary(cls), parameters)


def _one_or_more(number: Any) -> Any:
    return OneOrMore[number]


@cache
def _from_file(reader: WaveformReader) -> type[Model]:
    files = {
        key: (str, Field(description=f"{what}, {_BESIDE}")) for key, what in reader.keys.items()
    }
    files |= {key: _optional(option) for key, option in reader.options.items()}
    name = "".join(word.title() for word in reader.name.split("-"))
    return _waveform(reader.name, f"{name}WaveformModel", reader.about, files)


def _optional(option: Option) -> tuple[Any, Any]:
    """Return the type and the field of a key that may be left out."""
    if option.kind == "times":
        return OneOrMore[Time], Field(default_factory=absent, description=option.about)
    kinds: dict[str, Any] = {
        "time": Time,
        "texts": list[str],
        "choice": Literal[option.choices] if option.choices else str,
    }
    return kinds[option.kind] | None, Field(None, description=option.about)


def _waveform(kind: str, name: str, about: str, keys: dict[str, Any]) -> type[Model]:
    fields = {
        "kind": (Literal[kind], Field(description=kind)),
        **keys,
        "echo_time": (Time | None, Field(None, description=_ECHO)),
    }
    return create_model(name, __base__=Model, __doc__=about, **fields)


@cache
def _acquisition(readers: tuple[AcquisitionReader, ...]) -> type[Model]:
    files: dict[str, Any] = {
        key: (str, Field("", description=f"{what}, {_BESIDE}"))
        for reader in readers
        for key, what in reader.keys.items()
    }
    doc = "Files that scanners and other programs write."
    return create_model("AcquisitionModel", __base__=Model, __doc__=doc, **files)
