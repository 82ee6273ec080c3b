"""What a cell is, and its meshes."""

from torrey.geometry.shapes import (
    Disc,
    Discs,
    Layers,
    Membrane,
    MeshOptions,
    Shape,
    shape_from_dict,
)

__all__ = ["Disc", "Discs", "Layers", "Membrane", "MeshOptions", "Shape", "shape_from_dict"]
