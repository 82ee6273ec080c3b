"""Parameters of a rule become texts and numbers, and come back."""

from __future__ import annotations

import inspect

import pytest

from torrey.cell.material import Material
from torrey.geometry import Disc, Discs, MeshOptions, RadiusLaw, RandomPacking
from torrey.gradients.protocol import Point
from torrey.gradients.sweep import Product, Sweep, WaveformGrid
from torrey.gradients.waveforms import Pgse
from torrey.inversion.design_settings import DesignSettings
from torrey.inversion.fit_settings import FitSettings
from torrey.workflow import stages

MATERIAL = Material((3.0, ((2.0, 0.1), (0.1, 1.0))), T2=(80.0, 60.0))
GRID = WaveformGrid("pgse", (("delta", (4.0,)), ("Delta", (10.0, 20.0))))
SWEEP = Sweep((5.0, 8.0), "permeability", (0.03,), Product(GRID, "b", (0.5, 2.0), ((1.0, 0.0),)))
POINT = Point(5.0, 0.03, Pgse(4.0, 10.0), 0.2, (1.0, 0.0))
FIT = FitSettings("nexi", {"anisotropic": True}, {"D_i": 2.0}, {"t_ex": (2.0, 50.0)})

EVERY = [
    stages.PlaceDiscs(shape=RandomPacking(60.0, RadiusLaw(uniform=(1.0, 5.0)), fraction=0.29)),
    stages.BuildMesh(shape=Discs((Disc((0.5, 0.5), 0.3),)), mesh=MeshOptions(0.2, 1)),
    stages.AssembleOperators(),
    stages.ExtractTensors(material=MATERIAL),
    stages.SolveReference(
        material=MATERIAL,
        point=POINT,
        tolerance=1e-4,
    ),
    stages.SolveMagnetisation(
        material=MATERIAL, point=POINT, tolerance=1e-3, times=(0.0, 4.0, 14.0)
    ),
    stages.BuildBasis(material=MATERIAL, axes=((1.0, 0.0), (0.0, 1.0)), rungs=7),
    stages.SolveProjected(material=MATERIAL, sweep=SWEEP, tolerance=1e-4),
    stages.CheckProjected(rows=(3, 0)),
    stages.EvaluateModels(material=MATERIAL, sweep=SWEEP, model="R2"),
    stages.TraceEigenvalues(material=MATERIAL, sweep=SWEEP, models=("R0", "R2")),
    stages.GatherSignals(material=MATERIAL, sweep=SWEEP, models=("reference", "R0")),
    stages.SolveDictionary(material=MATERIAL, sweep=SWEEP, tolerance=1e-4),
    stages.EvaluateDictionary(material=MATERIAL, sweep=SWEEP, model="R2"),
    stages.GatherDictionary(places=(("inside", (1.0, 2.0)),), sweep=SWEEP, models=("R2",)),
    stages.FitOrders(models=("R0", "R2")),
    stages.FitKurtosis(),
    stages.ExpandCumulants(material=MATERIAL, sweep=SWEEP, models=("R0",), tolerance=1e-4),
    stages.DeriveSignals(
        material=MATERIAL,
        sweep=SWEEP,
        models=("reference", "P4"),
        by=("kappa", "D"),
        tolerance=1e-4,
        regions=("outside", "cell_1"),
        radii=("cell_1",),
    ),
    stages.FitInversion(
        material=MATERIAL, kind="karger", inversion="{}", cell="{}", sweeps=(SWEEP,)
    ),
    stages.BoundParameters(
        sweep=SWEEP,
        settings=DesignSettings("P4", (("kappa", (), 0.0), ("D_inside", (1, 2), 1.7)), 0.02, 4),
    ),
    stages.ReadData(protocol="{}", digests="{}", sigma=0.0, volumes=(0, 2)),
    stages.FitChunk(settings=FIT, part=1, parts=3),
    stages.GatherFit(settings=FIT),
    stages.WriteMaps(maps=("t_ex", "t_ex_error")),
    stages.SolveBloch(material=MATERIAL, kind="bands", period=5.0, permeability=0.0, settings="{}"),
    stages.MeshVoxel(side=200.0, segments=6),
    stages.SolveVoxel(
        point=POINT, outside=3.0, inside=2.0, window=200.0, tolerance=1e-3, refinements=1
    ),
    stages.HomogeniseVoxel(outside=3.0, inside=2.0, permeability=0.01, direction=(0.6, 0.8)),
    stages.GatherVoxel(
        domains=("box", "voxel"), points=(POINT,), b=(0.5,), window=200.0, outside=3.0, inside=2.0
    ),
    stages.DrawCell(elements=True),
    stages.DrawCell(elements=False),
    stages.DrawFigure(figure="kl23_fig6", module="torrey.figures.kl23", names=("one", "two")),
    stages.DrawFilm(
        figure="mine",
        module="torrey.figures.own_magnetisation",
        kind="magnetisation",
        settings={"value": "modulus", "times": [0.0, 14.0]},
        names=("study",),
    ),
    stages.DrawOverview(study="mine"),
    stages.WriteTable(table="t", module="torrey.tables.khm19", names=()),
]


@pytest.mark.parametrize("stage", EVERY, ids=lambda stage: stage.rule)
def test_a_stage_comes_back_from_texts_and_numbers(stage):
    params = stage.to_params()
    assert all(isinstance(value, str | int | float) for value in params.values())
    assert type(stage).from_params({**params, "code": "0", "key": "1", "upstream": ""}) == stage


def test_every_stage_is_tried():
    kinds = {
        kind
        for _, kind in inspect.getmembers(stages, inspect.isclass)
        if issubclass(kind, stages.Stage) and kind is not stages.Stage
    }
    assert {type(stage) for stage in EVERY} == kinds
    assert len({kind.rule for kind in kinds}) == len(kinds)
