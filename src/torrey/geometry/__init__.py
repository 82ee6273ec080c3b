"""What a cell is, and its meshes."""

from torrey.geometry.balls import Disc, Discs, Sphere, Spheres
from torrey.geometry.membranes import NOTHING, Membrane
from torrey.geometry.shapes import Layers, MeshOptions, Shape, shape_from_dict

__all__ = [
    "NOTHING",
    "Disc",
    "Discs",
    "Layers",
    "Membrane",
    "MeshOptions",
    "Shape",
    "Sphere",
    "Spheres",
    "shape_from_dict",
]
