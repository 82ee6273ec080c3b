"""A kind of waveform and a reader are each one file: all that names them follows from it."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import numpy as np
import pytest
import yaml
from support.configurations import GOOD, Yaml12Loader
from support.gradient_files import DIRECTIONS, ONE_PGSE, with_gradients, write_files
from support.toy_reader import NOTEBOOK
from support.toy_waveform import Triangles

from torrey.cell.build import levels
from torrey.config import documentation
from torrey.config.schema import json_schema, schema_text
from torrey.gradients.acquisition import READERS
from torrey.gradients.axes import coordinates
from torrey.gradients.protocol import Point
from torrey.gradients.waveforms import KINDS, Pgse, SampledWaveform, from_dict
from torrey.reference.full import reference_signal

DOCUMENT = Path(__file__).parents[3] / "docs" / "configuration.md"
B = "b: 0.5 ms/um^2"
TRIANGLES = "waveform: {kind: triangles, rise: [2 ms, 3e3 us], number: 2, tilt: -5 deg}"
NOTES = "acquisition: {notes: scan.notes, pulses: scan.pulses}"
MESSAGE = "studies.mine.waveform"


@pytest.fixture
def triangles(monkeypatch):
    monkeypatch.setitem(KINDS, Triangles.kind, Triangles)


@pytest.fixture
def notebook(monkeypatch, tmp_path):
    monkeypatch.setitem(READERS, NOTEBOOK.name, NOTEBOOK)
    (tmp_path / "scan.notes").write_text("0 0 0 0\n0.5 1 0 0\n0.7 -1 0 0\n")
    (tmp_path / "scan.pulses").write_text("4 12\n")


def in_layers(*gradients: str) -> str:
    """The good file with other gradients on its smallest cell."""
    return with_gradients(*gradients).replace("geometry: tissue", "geometry: layers")


def reference(study, point: Point) -> complex:
    operators = levels(study.shape, study.mesh, study.material)
    return reference_signal(operators, point, 1e-3).signal


# ---- a kind of waveform ----


@pytest.mark.usefixtures("triangles")
def test_a_new_waveform_runs_from_the_configuration_to_a_signal(read):
    study = read(in_layers(TRIANGLES, B, "directions: [1]")).studies["mine"]
    axes = study.sweep.axes()
    assert list(axes)[2:5] == ["rise", "number", "tilt"]
    assert (axes["rise"], axes["number"], axes["tilt"]) == ((2.0, 3.0), (2.0,), (-5.0,))
    point = study.points()[0, 0, 0, 0, 0, 0, 0]
    assert point.waveform == Triangles(2.0, 2.0, -5.0)
    assert point.waveform.label == "triangles-2-2--5"
    assert Point.from_dict(point.to_dict()) == point
    assert from_dict(point.waveform.to_dict()) == point.waveform
    times, values = (0.0, 2.0, 4.0, 6.0, 8.0), ((0.0,), (1.0,), (0.0,), (1.0,), (0.0,))
    same = SampledWaveform("same", "wave_vector", times, values)
    other = Point(point.period, point.permeability, same, point.q, point.direction)
    signal = reference(study, point)
    assert 0.1 < abs(signal) < 1.0
    assert signal == pytest.approx(reference(study, other), rel=1e-12)


@pytest.mark.usefixtures("triangles")
def test_parameters_of_a_new_waveform_are_axes_with_their_units(read):
    study = read(with_gradients(TRIANGLES, B, DIRECTIONS)).studies["mine"]
    found = coordinates(study.sweep)
    assert found["rise"].units == "ms"
    assert found["rise"].long_name == "time in which the wave vector rises"
    assert (found["number"].units, found["tilt"].units) == ("1", "degree")
    np.testing.assert_array_equal(found["rise"].values, [2.0, 3.0])


@pytest.mark.usefixtures("triangles")
@pytest.mark.parametrize(
    ("old", "new", "place", "found", "accepted"),
    [
        ("triangles", "triangle", "kind", '"triangle"', "filter-exchange, triangles or file"),
        ("rise: [2 ms, 3e3 us]", "rise: 0 ms", "rise", '"0 ms"', "above zero"),
        ("rise: [2 ms, 3e3 us]", "rise: 2", "rise", '"2"', "a time with its unit"),
        ("number: 2", "number: 0", "number", '"0"', "a whole number, at least 1"),
        ("number: 2", "number: 1.5", "number", '"1.5"', "a whole number, at least 1"),
        (", number: 2", "", "number", "nothing", "triangles one after the other"),
        ("[2 ms, 3e3 us]", "[2 ms, 2e3 us]", "rise[1]", "2 ms, the same as entry 0", "once"),
        (
            "number: 2",
            "count: 2",
            "count",
            "the unknown key",
            "kind, rise, number, tilt, echo_time",
        ),
    ],
)
def test_messages_know_a_new_waveform(messages, old, new, place, found, accepted):
    said = messages(with_gradients(TRIANGLES.replace(old, new), B, DIRECTIONS))
    (message,) = [line for line in said if f"{MESSAGE}.{place}: found {found}" in line]
    assert accepted in message.split(", accepted: ")[1]


def test_the_schema_and_the_documentation_follow_the_waveforms(triangles, monkeypatch):
    text = with_gradients(TRIANGLES, B, DIRECTIONS)
    content = yaml.load(text, Yaml12Loader)
    assert not list(jsonschema.Draft202012Validator(json_schema()).iter_errors(content))
    for old, new in (("number: 2", "number: 0"), (", tilt: -5 deg", ""), ("2 ms", "2")):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(yaml.load(text.replace(old, new), Yaml12Loader), json_schema())
    new = documentation.updated(DOCUMENT.read_text(encoding="utf-8"))
    assert (
        "| `triangles` | `rise`, `number`, `tilt` | A wave vector that rises and falls along "
        "straight lines, several times. |\n"
    ) in new
    assert (
        '| `rise` | τ | `triangles` | a time with its unit, such as "5 ms": time in which the wave '
        "vector rises |\n"
    ) in new
    # Without it, nothing is left of it.
    monkeypatch.delitem(KINDS, Triangles.kind)
    assert '"triangles"' not in schema_text()
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(content, json_schema())


def test_a_waveform_that_is_not_registered_is_unknown(messages):
    said = messages(with_gradients(TRIANGLES, B, DIRECTIONS))
    (message,) = [line for line in said if f"{MESSAGE}.kind" in line]
    assert 'found "triangles"' in message
    assert message.endswith("stimulated-echo, filter-exchange or file")


# ---- a reader of files ----


@pytest.mark.usefixtures("notebook")
def test_a_new_reader_runs_from_the_configuration_to_a_signal(read):
    study = read(in_layers(NOTES)).studies["mine"]
    assert study.notes == ("3 lines of a notebook",)
    rest, first, second = study.sweep.protocol.rows
    assert rest.q == 0.0
    assert first.waveform == second.waveform == Pgse(4.0, 12.0)
    assert [first.b, second.b] == pytest.approx([0.5, 0.7])
    assert [first.direction, second.direction] == [(1.0,), (-1.0,)]
    point = study.points()[0, 0, 1]
    same = read(in_layers(ONE_PGSE, B, "directions: [1]")).studies["mine"]
    assert same.points()[0, 0, 0, 0, 0, 0] == point
    assert 0.1 < abs(reference(study, point)) < 1.0


@pytest.mark.usefixtures("notebook")
@pytest.mark.parametrize(
    ("lines", "place", "found", "accepted"),
    [
        (
            ["acquisition: {notes: scan.notes}"],
            "acquisition",
            "notes",
            "scheme alone, table alone, dvs alone, pulseq alone, or both notes and pulses",
        ),
        (
            ["acquisition: {note: scan.notes, pulses: scan.pulses}"],
            "acquisition.note",
            'the unknown key "note" (did you mean "notes"?)',
            "the keys bval, bvec, sidecar, bdelta, grad, scheme, table, dvs, pulseq, notes, pulses",
        ),
        (
            [ONE_PGSE, "acquisition: scan"],
            "acquisition",
            '"scan"',
            "{dvs: FILE} or {pulseq: FILE} or {notes: FILE, pulses: FILE}, in the place of",
        ),
        ([ONE_PGSE, NOTES], "waveform", "a waveform", "no such key: a notebook has its own"),
        (
            [NOTES.replace("scan.notes", "none.notes")],
            "acquisition",
            "none.notes: No such file",
            "a text file",
        ),
    ],
)
def test_messages_know_a_new_reader(messages, lines, place, found, accepted):
    said = messages(with_gradients(*lines))
    (message,) = [line for line in said if f"studies.mine.{place}: found {found}" in line]
    assert accepted in message.split(", accepted: ")[1]


def test_the_schema_and_the_documentation_follow_the_readers(notebook, monkeypatch):
    content = yaml.load(with_gradients(NOTES), Yaml12Loader)
    jsonschema.validate(content, json_schema())
    new = documentation.updated(DOCUMENT.read_text(encoding="utf-8"))
    assert (
        "| `{notes: FILE, pulses: FILE}` | a notebook: lines of b and directions, as somebody "
        "wrote them down | in the files |\n"
    ) in new
    monkeypatch.delitem(READERS, NOTEBOOK.name)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(content, json_schema())


def test_a_reader_of_waveforms_is_a_kind_of_waveform(read, messages, monkeypatch, tmp_path):
    write_files(tmp_path)
    old = READERS["file"]
    new = type(old)(
        "drawn", "a drawing", {"sheet": "a sheet"}, "lines", lambda sheet: old.read(path=sheet)
    )
    monkeypatch.setitem(READERS, new.name, new)
    line = "waveform: {kind: drawn, sheet: bipolar.csv}"
    study = read(with_gradients(line, B, DIRECTIONS)).studies["mine"]
    same = read(with_gradients("waveform: {kind: file, path: bipolar.csv}", B, DIRECTIONS))
    assert study.sweep == same.studies["mine"].sweep
    jsonschema.validate(yaml.load(with_gradients(line, B, DIRECTIONS), Yaml12Loader), json_schema())
    said = messages(with_gradients(line.replace("sheet", "path"), B, DIRECTIONS))
    (message,) = [m for m in said if 'the unknown key "path"' in m]
    assert "the keys kind, sheet, echo_time" in message


# ---- the documentation ----


def test_the_tables_of_the_documentation_are_those_of_the_registries():
    text = DOCUMENT.read_text(encoding="utf-8")
    assert documentation.updated(text) == text, (
        "python -m torrey.config.documentation docs/configuration.md"
    )


def test_a_document_without_marks_is_refused():
    with pytest.raises(ValueError, match="made by torrey.config.documentation"):
        documentation.updated(GOOD)
