"""What a cell is, and its meshes."""

from torrey.geometry.discs import Disc, Discs
from torrey.geometry.ellipses import Ellipse, Ellipses
from torrey.geometry.images import LabelImage
from torrey.geometry.layers import Layers
from torrey.geometry.membranes import NOTHING, Membrane
from torrey.geometry.polygons import Polygon, Polygons
from torrey.geometry.radius_laws import Gamma, Lognormal, RadiusLaw
from torrey.geometry.random_packing import RandomPacking
from torrey.geometry.registry import kinds, shape_from_dict
from torrey.geometry.shapes import MeshOptions, Shape
from torrey.geometry.spheres import Sphere, Spheres

__all__ = [
    "NOTHING",
    "Disc",
    "Discs",
    "Ellipse",
    "Ellipses",
    "Gamma",
    "LabelImage",
    "Layers",
    "Lognormal",
    "Membrane",
    "MeshOptions",
    "Polygon",
    "Polygons",
    "RadiusLaw",
    "RandomPacking",
    "Shape",
    "Sphere",
    "Spheres",
    "kinds",
    "shape_from_dict",
]
