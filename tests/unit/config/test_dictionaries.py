"""The section `dictionaries`: what it means, and what is refused with its place."""

from __future__ import annotations

import pytest

from torrey.config import ConfigError, load
from torrey.workflow.dictionaries import dictionary_bases, dictionary_files
from torrey.workflow.layout import Layout

TEXT = """\
geometries:
  disc: {kind: discs, cells: [{center: [0.5, 0.5], radius: 0.4}]}
dictionaries:
  mine:
    geometry: disc
    diffusivities:
      outside: 3e-3 mm^2/s
      inside: [1e-3 mm^2/s, 2e-3 mm^2/s]
    period: {start: 5 um, stop: 12 um, num: 100}
    permeability: {start: 1e-5 m/s, stop: 1e-4 m/s, num: 100}
    waveform: {kind: pgse, delta: 5 ms, Delta: {start: 10 ms, stop: 50 ms, num: 5}}
    b: {start: 0 s/mm^2, stop: 4000 s/mm^2, num: 10}
    directions: [[1, 0]]
    models: [reference, R2]
    tolerance: 1e-3
"""


def loaded(tmp_path, text: str):
    file = tmp_path / "mine.yaml"
    file.write_text(text, encoding="utf-8")
    return load([file])


def test_a_million_signals_are_few_files(tmp_path):
    config = loaded(tmp_path, TEXT)
    entry = config.dictionaries["mine"]
    assert [material.key() for material in entry.materials] == ["De3_Di1", "De3_Di2"]
    assert entry.places == (("outside", (3.0,)), ("inside", (1.0, 2.0)))
    layout = Layout(config)
    stages = [stage for _, stage, _ in dictionary_files(layout)]
    assert sum(stage.rule == "solve_dictionary" for stage in stages) == 2 * 50
    assert max(s.sweep.size for s in stages if s.rule != "gather_dictionary") == 10_000
    assert sum(s.sweep.size for s in stages if s.rule == "evaluate_dictionary") == 10**6
    assert len(dictionary_bases(layout)) in (2, 4)


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("    tolerance: 1e-3\n", "    cumulants: true\n", 'the unknown key "cumulants"'),
        ("[1e-3 mm^2/s, 2e-3 mm^2/s]", "[1e-3 mm^2/s, 1 um^2/ms]", "the same as entry 0"),
        ("[1e-3 mm^2/s, 2e-3 mm^2/s]", "1e-3 mm/s", "diffusivities.inside: found"),
        ("      outside: 3e-3 mm^2/s\n", "", "mine.diffusivities.outside: found nothing"),
        ("      outside:", "      coat: 1e-3 mm^2/s\n      outside:", "mine.diffusivities.coat"),
        ("num: 100}\n    perm", "num: 9000}\n    perm", "18000000 x"),
        ("num: 10}", "num: 5000}", "25000 measurements of each cell"),
        (
            "inside: [1e-3 mm^2/s, 2e-3 mm^2/s]",
            "inside: &D {start: 1e-3 mm^2/s, stop: 2e-3 mm^2/s, num: 1001}",
            "1001 combinations of diffusivities",
        ),
        (
            "    diffusivities:",
            "    diffusivity: {outside: 3e-3 mm^2/s, inside: 1e-3 mm^2/s}\n    diffusivities:",
            "diffusivity and diffusivities, accepted: exactly one",
        ),
        ("geometry: disc", "geometry: disk", '"disk"'),
        ("R2]", "R2, reference]", "models"),
        ("stop: 12 um", "stop: 9000 um", "rad per period"),
    ],
)
def test_what_cannot_be_used_is_said_with_its_place(tmp_path, old, new, found):
    assert old in TEXT
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, TEXT.replace(old, new))
    text = str(caught.value)
    print(text)
    assert text.count("mine.yaml") == 1
    assert "dictionaries.mine" in text
    assert found.removesuffix(" x") in text
