"""What a configuration may say of gradients: waveforms, and files of an acquisition.

Nothing is named here: the models are made of the kinds of waveforms and the readers of files, and
of what the parameters of a kind declare.
"""

from __future__ import annotations

from functools import cache, reduce
from operator import or_
from typing import Annotated, Any, Literal, cast

from pydantic import Field, create_model

from torrey.base.budgets import MOST_MEASUREMENTS, MOST_VALUES
from torrey.base.fields import declarations
from torrey.base.units import UNITS, Kind
from torrey.config.quantities import (
    Model,
    OneOrMore,
    OrOne,
    Time,
    declared_or_more,
    quantity,
    summary,
    type_of,
)
from torrey.config.registered import Registered
from torrey.gradients.acquisition import (
    AcquisitionReader,
    ScanOption,
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
    """Files that scanners and other programs write, and how they are meant."""

    @classmethod
    def model(cls) -> Any:
        """Return the model with the keys and options of all readers."""
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
    name = "".join(word.title() for word in reader.name.split("-"))
    return _waveform(reader.name, f"{name}WaveformModel", reader.about, files)


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
    options = {option.name: _option(option) for reader in readers for option in reader.options}
    files |= options
    doc = "Files that scanners and other programs write."
    return create_model("AcquisitionModel", __base__=Model, __doc__=doc, **files)


def option_accepted(option: ScanOption) -> str:
    """Say what may stand at an option."""
    forms = {
        "flag": "true or false",
        "numbers": "a whole number of at least 0, or a list of them",
        "count": "a whole number of at least 1",
    }
    return forms.get(option.form) or UNITS[cast(Kind, option.form)].accepted


def _option(option: ScanOption) -> tuple[Any, Any]:
    """Return the type and the field of an option."""
    said = f"{option_accepted(option)}: {option.about}"
    info: Any = Field(None, description=said)
    if option.form == "flag":
        return bool | None, info
    if option.form == "count":
        return Annotated[int, Field(ge=1)] | None, info
    if option.form == "numbers":
        whole = Annotated[int, Field(ge=0, le=MOST_MEASUREMENTS)]
        listed = Annotated[list[whole], Field(max_length=MOST_VALUES), OrOne()]
        return listed, Field(default_factory=list, description=said)
    return quantity(option.form) | None, info
