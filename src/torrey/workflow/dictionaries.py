"""Files of dictionaries: what each is made from and how, for `torrey.workflow.recipes`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from torrey.cell.material import Material
from torrey.config import Dictionary
from torrey.gradients.blocks import Block, blocks_of
from torrey.gradients.sweep import REFERENCE
from torrey.reference.span import Span
from torrey.workflow import layout as paths
from torrey.workflow.layout import Basis, Layout, basis_path
from torrey.workflow.stage import Stage
from torrey.workflow.stages import EvaluateDictionary, GatherDictionary, SolveDictionary

Inputs = Mapping[str, str | list[str]]


def dictionary_files(layout: Layout) -> Iterator[tuple[str, Stage, Inputs]]:
    """Yield the path, the stage and the inputs of all files of all dictionaries."""
    for entry in layout.config.dictionaries.values():
        files = []
        for path, model, material, block in _blocks(entry):
            files.append(path)
            yield (path, *_of_block(entry, model, material, block))
        gather = GatherDictionary(places=entry.places, sweep=entry.sweep, models=entry.models)
        yield paths.DICTIONARY.format(dictionary=entry.name), gather, {"blocks": files}


def dictionary_bases(layout: Layout) -> dict[str, Basis]:
    """Bases of projected models that dictionaries need, by their path."""
    bases = [
        Basis(entry.geometry, material, Span.of(block.sweep))
        for entry in layout.config.dictionaries.values()
        for _, model, material, block in _blocks(entry)
        if model == REFERENCE
    ]
    return {basis_path(basis): basis for basis in bases}


def _blocks(entry: Dictionary) -> Iterator[tuple[str, str, Material, Block]]:
    """Yield the path, model, material and block of all blocks, in the order of the table."""
    blocks = list(blocks_of(entry.sweep))
    for model in entry.models:
        for material in entry.materials:
            for block in blocks:
                pattern = paths.REFERENCE_BLOCK if model == REFERENCE else paths.MODEL_BLOCK
                path = pattern.format(
                    dictionary=entry.name, material=material.key(), model=model, block=block.name
                )
                yield path, model, material, block


def _of_block(
    entry: Dictionary, model: str, material: Material, block: Block
) -> tuple[Stage, Inputs]:
    """How a block is made, and from what."""
    operators = paths.OPERATORS.format(geometry=entry.geometry)
    if model != REFERENCE:
        stage = EvaluateDictionary(material=material, sweep=block.sweep, model=model)
        return stage, {"operators": operators}
    basis = basis_path(Basis(entry.geometry, material, Span.of(block.sweep)))
    mesh = paths.MESH.format(geometry=entry.geometry)
    return (
        SolveDictionary(material=material, sweep=block.sweep, tolerance=entry.tolerance),
        {"basis": basis, "operators": operators, "mesh": mesh},
    )
