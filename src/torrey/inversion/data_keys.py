"""What results of measured signals depend on, as texts: what was measured, and what files hold."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Final

import numpy as np

from torrey.base.budgets import printable
from torrey.base.errors import InputError
from torrey.gradients.waveforms import from_dict
from torrey.inversion.measured import MeasuredProtocol

COLUMNS: Final = ("b", "directions", "TE", "weights", "b_filter", "mixing_time")
"""Numbers of each row of a protocol."""


def protocol_text(protocol: MeasuredProtocol) -> str:
    """A protocol as JSON."""
    plain: dict[str, Any] = {
        name: np.asarray(getattr(protocol, name)).tolist() for name in (*COLUMNS, "which")
    }
    plain["waveforms"] = [waveform.to_dict() for waveform in protocol.waveforms]
    return json.dumps(plain, sort_keys=True)


def protocol_of(text: str) -> MeasuredProtocol:
    """The protocol that `protocol_text` wrote."""
    plain = json.loads(text)
    waveforms = tuple(from_dict(one) for one in plain["waveforms"])
    columns = {name: np.array(plain[name], dtype=float) for name in COLUMNS}
    which = np.array(plain["which"], dtype=np.int64)
    return MeasuredProtocol(waveforms=waveforms, which=which, **columns)


def content_digest(path: Path | str) -> str:
    """Digest of the content of a file.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:32]
    except OSError as error:
        raise InputError(f"{printable(str(path))}: {error.strerror}", "a file") from None
