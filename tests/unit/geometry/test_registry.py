"""Every kind that is registered says all of itself."""

from __future__ import annotations

import dataclasses

import pytest

from torrey.base.errors import InputError, either
from torrey.base.fields import declarations
from torrey.geometry import (
    Cylinder,
    Cylinders,
    Disc,
    Discs,
    Ellipse,
    Ellipses,
    Ellipsoid,
    Ellipsoids,
    Gamma,
    LabelImage,
    Layers,
    Lognormal,
    Polygon,
    Polygons,
    RadiusLaw,
    RandomPacking,
    Sphere,
    Spheres,
    kinds,
    shape_from_dict,
)

EXAMPLES = [
    Discs((Disc((0.3, 0.4), 0.2),), layer=0.01, lattice=((1.0, 0.0), (0.25, 1.0))),
    Discs((Disc((0.3, 0.4), 0.2),), "obstacle"),
    Spheres((Sphere((0.3, 0.4, 0.5), 0.2),)),
    Spheres((Sphere((0.3, 0.4, 0.5), 0.2),), lattice="bcc", coat=0.05),
    Cylinders((Cylinder((0.3, 0.4, 0.5), 0.2, (1, 1, 0)),)),
    Ellipsoids((Ellipsoid((0.3, 0.4, 0.5), (0.3, 0.2, 0.2), ((1, 1, 0), (0, 0, 1))),)),
    Layers((0.25, 0.75), 2),
    RandomPacking(60.0, RadiusLaw(uniform=(1.0, 5.0)), fraction=0.29, seed=3),
    RandomPacking(60.0, RadiusLaw(gamma=Gamma(3.0, 1.0, 1.0, 6.0)), 20, gap=0.2),
    RandomPacking(60.0, RadiusLaw(lognormal=Lognormal(3.0, 1.0, 1.0, 6.0)), 20),
    RandomPacking(60.0, RadiusLaw(list=(3.0, 1.0, 2.0)), interior="obstacle"),
    Ellipses((Ellipse((0.3, 0.4), (0.2, 0.1), 30.0, "axon"), Ellipse((0.8, 0.8), (0.1, 0.1)))),
    Ellipses((Ellipse((0.3, 0.4), (0.2, 0.1)),), "obstacle", 1.5),
    Polygons((Polygon(((0.2, 0.2), (0.8, 0.2), (0.5, 0.7)), smooth=0.05, name="a"),), width=8.0),
    Polygons((Polygon(((0.2, 0.2), (0.8, 0.2), (0.5, 0.7)), "curved"),), height=1.5),
    LabelImage((Polygon(((0.2, 0.2), (0.8, 0.2), (0.5, 0.7)), "curved", name="label_3"),), 6.4),
]


def test_kinds_have_names_of_their_own():
    names = [kind.kind for kind in kinds()]
    assert len(set(names)) == len(names)
    assert {"discs", "spheres", "layers", "packing"} <= set(names)
    # Those that read files have tests of their own.
    assert {shape.kind for shape in EXAMPLES} == set(names) - {"mesh", "surfaces"}


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.kind)
def test_every_field_of_a_kind_can_be_configured(kind):
    assert list(declarations(kind)) == [field.name for field in dataclasses.fields(kind)]
    assert all(field.description for field in declarations(kind).values())
    assert (kind.__doc__ or "").strip()


@pytest.mark.parametrize("shape", EXAMPLES)
def test_a_shape_is_rebuilt_from_plain_values(shape):
    assert shape_from_dict(shape.to_dict()) == shape
    assert shape.dimension in shape.dimensions
    assert len(shape.region_parts) == len(shape.region_names) == len(shape.region_compartment)
    assert len(shape.region_measures()) == len(shape.region_names)
    assert len(shape.membrane_radii()) == len(shape.membranes())


def test_an_unknown_kind_is_refused_with_those_there_are():
    with pytest.raises(InputError, match='kind: found "ruby", accepted: discs, spheres, layers'):
        shape_from_dict({"kind": "ruby"})


def test_alternatives_are_listed():
    assert [either(names) for names in (["a"], ["a", "b"], ["a", "b", "c"])] == [
        "a",
        "a or b",
        "a, b or c",
    ]
