"""Tables, and figures that need a study's geometry: what is read, and what is refused."""

from __future__ import annotations

import pytest
from support.configurations import GOOD, edited, load_texts

from torrey.workflow.layout import Layout, shown

OUTSIDE = GOOD.replace("geometry: tissue", "geometry: stones").replace(
    ", inside: 1.2e-3 mm^2/s", ""
)
WITHOUT_EXCHANGE = OUTSIDE.replace("[8e-5 m/s]", "0 m/s")


def with_tables(table: str, text: str = GOOD) -> str:
    return f"{text}tables:\n  {table}\n"


def test_a_table_shows_studies_or_geometries(read):
    assert read(with_tables("t: {studies: [mine]}")).tables["t"].studies == ("mine",)
    table = read(with_tables("t: {geometries: [tissue, stones]}")).tables["t"]
    assert table.geometries == shown(table) == ("tissue", "stones")
    assert read(GOOD).tables == {}


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("t: {studies: [yours]}", ("tables.t.studies[0]", '"yours"', "an entry of studies: mine")),
        ("t: {inversions: [fit]}", ("tables.t.inversions", "an entry of inversions")),
        ("t: {}", ("tables.t", "nothing to show", "geometries, studies or inversions")),
        (
            "t: {studies: [mine], geometries: [tissue]}",
            ("tables.t", "both geometries and studies"),
        ),
        ("t: {study: mine}", ("tables.t", '"study" (did you mean "studies"?)')),
        ("a b: {studies: [mine]}", ("letters, digits, _ and - in a name",)),
    ],
)
def test_a_table_that_shows_nothing_is_refused(messages, table, words):
    (message,) = messages(with_tables(table))
    assert all(word in message for word in words), message


def test_a_figure_or_table_of_studies_may_read_their_geometries_and_tensors(tmp_path):
    config = load_texts(tmp_path, with_tables("t: {studies: [mine]}"))
    found = Layout(config).sources(("tensors", "mesh"), config.tables["t"])
    assert found == [
        "results/tensors/tissue/De2.5_Di1.2/tensors.nc",
        "results/geometry/tissue/mesh.nc",
    ]
    figure = config.figures["plot"]
    assert Layout(config).sources(("signals",), figure) == ["results/studies/mine/signals.nc"]


def test_sources_come_kind_by_kind(tmp_path):
    config = load_texts(tmp_path, with_tables("t: {studies: [mine, mine]}"))
    found = Layout(config).sources(("signals", "mesh"), config.tables["t"])
    assert found == [
        "results/studies/mine/signals.nc",
        "results/studies/mine/signals.nc",
        "results/geometry/tissue/mesh.nc",
        "results/geometry/tissue/mesh.nc",
    ]


def test_the_pade_form_is_a_model_of_impermeable_cells(read):
    study = read(WITHOUT_EXCHANGE.replace("R0, R2]", "R2, Pade]")).studies["mine"]
    assert study.models == ("reference", "R2", "Pade")


def test_the_pade_form_knows_no_exchange(messages):
    (message,) = messages(edited("R0, R2]", "R2, Pade]"))
    assert message.startswith("mine.yaml:")
    assert "studies.mine.models[2]" in message
    assert message.endswith("found Pade, accepted: R2: Pade is for impermeable membranes, 0 m/s")


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("    b:", "    T2: {outside: 80 ms}\n    b:", "Pade knows nothing of T2"),
        (
            "{kind: pgse, delta: [4 ms], Delta: [12 ms, 20 ms]}",
            "{kind: double-pgse, delta: 4 ms, Delta: 12 ms, mixing_time: 2 ms, angle: 90 deg}",
            "Pade takes gradients along one direction",
        ),
    ],
)
def test_the_pade_form_knows_neither_relaxation_nor_several_directions(messages, old, new, reason):
    text = WITHOUT_EXCHANGE.replace("R0, R2]", "R2, Pade]")
    assert old in text
    (message,) = messages(text.replace(old, new, 1))
    assert message.endswith(f"R2: {reason}")
