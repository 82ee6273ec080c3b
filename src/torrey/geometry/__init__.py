"""What a cell is, and its meshes."""

from torrey.geometry.discs import Disc, Discs
from torrey.geometry.layers import Layers
from torrey.geometry.membranes import NOTHING, Membrane
from torrey.geometry.registry import kinds, shape_from_dict
from torrey.geometry.shapes import MeshOptions, Shape
from torrey.geometry.spheres import Sphere, Spheres

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
    "kinds",
    "shape_from_dict",
]
