"""What a cell is, and its meshes."""

from torrey.geometry.cylinder_shapes import Cylinder
from torrey.geometry.cylinders import Cylinders
from torrey.geometry.discs import Disc, Discs
from torrey.geometry.ellipses import Ellipse, Ellipses
from torrey.geometry.ellipsoid_shapes import Ellipsoid
from torrey.geometry.ellipsoids import Ellipsoids
from torrey.geometry.images import LabelImage
from torrey.geometry.layers import Layers
from torrey.geometry.membranes import NOTHING, Membrane
from torrey.geometry.own_mesh import OwnMesh
from torrey.geometry.polygons import Polygon, Polygons
from torrey.geometry.radius_laws import Gamma, Lognormal, RadiusLaw
from torrey.geometry.random_packing import RandomPacking
from torrey.geometry.registry import kinds, shape_from_dict
from torrey.geometry.shapes import MeshOptions, Shape
from torrey.geometry.spheres import Sphere, Spheres
from torrey.geometry.surfaces import Surfaces

__all__ = [
    "NOTHING",
    "Cylinder",
    "Cylinders",
    "Disc",
    "Discs",
    "Ellipsoid",
    "Ellipsoids",
    "Ellipse",
    "Ellipses",
    "Gamma",
    "LabelImage",
    "Layers",
    "Lognormal",
    "Membrane",
    "MeshOptions",
    "OwnMesh",
    "Polygon",
    "Polygons",
    "RadiusLaw",
    "RandomPacking",
    "Shape",
    "Sphere",
    "Spheres",
    "Surfaces",
    "kinds",
    "shape_from_dict",
]
