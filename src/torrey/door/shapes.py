"""Every shape a cell can have, for notebooks: `tr.shapes.Ellipses([...])`.

The keys of each are those of the configuration; docs/geometries.md, docs/space.md and
docs/own_meshes.md show them.
"""

from torrey.geometry import (
    Cylinder,
    Cylinders,
    Disc,
    Discs,
    Ellipse,
    Ellipses,
    Ellipsoid,
    Ellipsoids,
    LabelImage,
    Layers,
    OwnMesh,
    Polygon,
    Polygons,
    Sphere,
    Spheres,
    Surfaces,
)

__all__ = [
    "Cylinder",
    "Cylinders",
    "Disc",
    "Discs",
    "Ellipse",
    "Ellipses",
    "Ellipsoid",
    "Ellipsoids",
    "LabelImage",
    "Layers",
    "OwnMesh",
    "Polygon",
    "Polygons",
    "Sphere",
    "Spheres",
    "Surfaces",
]
