"""What a cell is, and its meshes."""

from torrey.geometry.discs import Disc, Discs
from torrey.geometry.layers import Layers
from torrey.geometry.membranes import NOTHING, Membrane
from torrey.geometry.own_mesh import OwnMesh
from torrey.geometry.radius_laws import Gamma, Lognormal, RadiusLaw
from torrey.geometry.random_packing import RandomPacking
from torrey.geometry.registry import kinds, shape_from_dict
from torrey.geometry.shapes import MeshOptions, Shape
from torrey.geometry.spheres import Sphere, Spheres
from torrey.geometry.surfaces import Surfaces

__all__ = [
    "NOTHING",
    "Disc",
    "Discs",
    "Gamma",
    "Layers",
    "Lognormal",
    "Membrane",
    "MeshOptions",
    "OwnMesh",
    "RadiusLaw",
    "RandomPacking",
    "Shape",
    "Sphere",
    "Spheres",
    "Surfaces",
    "kinds",
    "shape_from_dict",
]
