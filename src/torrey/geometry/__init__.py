"""What a cell is, and its meshes."""

from torrey.geometry.cylinder_shapes import Cylinder
from torrey.geometry.cylinders import Cylinders
from torrey.geometry.discs import Disc, Discs
from torrey.geometry.ellipsoid_shapes import Ellipsoid
from torrey.geometry.ellipsoids import Ellipsoids
from torrey.geometry.layers import Layers
from torrey.geometry.membranes import NOTHING, Membrane
from torrey.geometry.radius_laws import Gamma, Lognormal, RadiusLaw
from torrey.geometry.random_packing import RandomPacking
from torrey.geometry.registry import kinds, shape_from_dict
from torrey.geometry.shapes import MeshOptions, Shape
from torrey.geometry.spheres import Sphere, Spheres

__all__ = [
    "NOTHING",
    "Cylinder",
    "Cylinders",
    "Disc",
    "Discs",
    "Ellipsoid",
    "Ellipsoids",
    "Gamma",
    "Layers",
    "Lognormal",
    "Membrane",
    "MeshOptions",
    "RadiusLaw",
    "RandomPacking",
    "Shape",
    "Sphere",
    "Spheres",
    "kinds",
    "shape_from_dict",
]
