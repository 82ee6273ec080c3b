"""What a cell is, and its meshes."""

from torrey.geometry.balls.discs import Disc, Discs
from torrey.geometry.balls.radius_laws import Gamma, Lognormal, RadiusLaw
from torrey.geometry.balls.random_packing import RandomPacking
from torrey.geometry.balls.spheres import Sphere, Spheres
from torrey.geometry.bodies.cylinder_shapes import Cylinder
from torrey.geometry.bodies.cylinders import Cylinders
from torrey.geometry.bodies.ellipsoid_shapes import Ellipsoid
from torrey.geometry.bodies.ellipsoids import Ellipsoids
from torrey.geometry.layers import Layers
from torrey.geometry.membranes import NOTHING, Membrane
from torrey.geometry.outlines.ellipses import Ellipse, Ellipses
from torrey.geometry.outlines.images import LabelImage
from torrey.geometry.outlines.polygons import Polygon, Polygons
from torrey.geometry.own.own_mesh import OwnMesh
from torrey.geometry.own.surfaces import Surfaces
from torrey.geometry.registry import kinds, shape_from_dict
from torrey.geometry.shapes import MeshOptions, Shape

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
