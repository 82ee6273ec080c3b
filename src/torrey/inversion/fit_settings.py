"""What is fitted to measured signals and how: light, so that a configuration can hold it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal


@dataclass(frozen=True)
class FitSettings:
    """What is fitted to the voxels of a run, and how.

    Parameters
    ----------
    model : str
        One of `torrey.inversion.table_models.MODELS`, or ``physical``.
    options : mapping
        Of the model.
    fixed, bounds : mapping
        See `fit_table`.
    intervals : bool
        Whether profile likelihoods are wanted.
    starts, seed : int
        See `fit_table`.
    noise : {"gaussian", "rician"}
    compare : tuple of str
        Further models whose criteria are told, with the same options where they have them.
    """

    model: str
    options: Mapping[str, Any] = field(default_factory=dict)
    fixed: Mapping[str, float] = field(default_factory=dict)
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    intervals: bool = False
    starts: int = 3
    seed: int = 1
    noise: Literal["gaussian", "rician"] = "gaussian"
    compare: tuple[str, ...] = ()

    def to_json(self) -> str:
        """All of it as one text."""
        plain = {one.name: getattr(self, one.name) for one in fields(self)}
        return json.dumps({**plain, "compare": list(self.compare)}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> FitSettings:
        """What `to_json` wrote."""
        plain = json.loads(text)
        bounds = {name: (low, high) for name, (low, high) in plain["bounds"].items()}
        return cls(**{**plain, "bounds": bounds, "compare": tuple(plain["compare"])})
