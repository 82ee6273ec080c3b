"""Diffusion MRI signals of permeable tissue.

For notebooks: ``import torrey as tr`` offers what `__all__` lists, each name loaded when it is
first used; docs/library.md shows how. The rooms of the library, from the ground up: `base`
(quantities, files), `geometry` (shapes, meshes), `gradients` (waveforms, protocols), `cell`
(materials, operators), `models` (homogenised), `bloch` (bands, spectra), `reference` (signals to a
tolerance), `study`, `inversion`, `config` (YAML), `figures`, `tables`, `door` (what these names
lead to) and `workflow`.
"""

# Type checkers take this name for true; importing it from typing would cost each job its time.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from torrey.base.artifacts import open_dataset
    from torrey.base.errors import InputError, TorreyError
    from torrey.base.units import UNITS
    from torrey.config.problems import ConfigError
    from torrey.door import shapes, waveforms
    from torrey.door.cell import Cell
    from torrey.door.dictionaries import dictionary
    from torrey.door.fits import fit_kurtosis
    from torrey.door.measured import fit
    from torrey.door.quantities import quantity
    from torrey.door.studies import Study, load_study
    from torrey.door.waveforms import (
        CosineOgse,
        DoublePgse,
        Pgse,
        SineOgse,
        StimulatedEcho,
        TrapezoidalOgse,
        TrapezoidalPgse,
        read_waveform,
    )
    from torrey.geometry import (
        Disc,
        Discs,
        Layers,
        MeshOptions,
        Sphere,
        Spheres,
    )
    from torrey.reference.full import ToleranceError

__version__ = "0.1.0"

__all__ = [
    "Cell",
    "ConfigError",
    "CosineOgse",
    "Disc",
    "Discs",
    "DoublePgse",
    "InputError",
    "Layers",
    "MeshOptions",
    "Pgse",
    "SineOgse",
    "Sphere",
    "Spheres",
    "StimulatedEcho",
    "Study",
    "ToleranceError",
    "TorreyError",
    "TrapezoidalOgse",
    "TrapezoidalPgse",
    "UNITS",
    "__version__",
    "dictionary",
    "fit",
    "fit_kurtosis",
    "load_study",
    "open_dataset",
    "quantity",
    "read_waveform",
    "shapes",
    "waveforms",
]

_PLACES = {
    "base.artifacts": ("open_dataset",),
    "base.errors": ("InputError", "TorreyError"),
    "base.units": ("UNITS",),
    "config.problems": ("ConfigError",),
    "door": ("shapes", "waveforms"),
    "door.cell": ("Cell",),
    "door.dictionaries": ("dictionary",),
    "door.fits": ("fit_kurtosis",),
    "door.measured": ("fit",),
    "door.quantities": ("quantity",),
    "door.studies": ("Study", "load_study"),
    "door.waveforms": (
        "CosineOgse",
        "DoublePgse",
        "Pgse",
        "SineOgse",
        "StimulatedEcho",
        "TrapezoidalOgse",
        "TrapezoidalPgse",
        "read_waveform",
    ),
    "geometry": (
        "Disc",
        "Discs",
        "Layers",
        "MeshOptions",
        "Sphere",
        "Spheres",
    ),
    "reference.full": ("ToleranceError",),
}

# Without these for type checkers, to which a name that is not there stays an error.
if not TYPE_CHECKING:

    def __getattr__(name):
        """Load a name when it is first used."""
        for module, names in _PLACES.items():
            if name in names:
                from importlib import import_module

                found = import_module(f"torrey.{module}")
                if not hasattr(found, name):
                    import_module(f"torrey.{module}.{name}")
                value = getattr(found, name)
                globals()[name] = value
                return value
        raise AttributeError(f"module 'torrey' has no attribute '{name}'")

    def __dir__():
        """Names that completion offers."""
        return sorted(__all__)
