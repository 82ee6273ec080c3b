"""Every figure and table has a caption in whole sentences, with parameters and its place."""

from __future__ import annotations

from pathlib import Path

import pytest
from docutils.core import publish_parts

from torrey.base import provenance
from torrey.base.sources import parse
from torrey.config import Config, load
from torrey.figures.captions import FIGURES, KINDS, PAPERS, Words
from torrey.figures.catalogue import CATALOGUE, shown
from torrey.figures.own_kinds import KINDS as OWN_KINDS
from torrey.tables.captions import TABLES
from torrey.tables.catalogue import CATALOGUE as TABLE_CATALOGUE
from torrey.workflow import captions
from torrey.workflow.captions import Caption

ROOT = Path(__file__).parents[3]
ALL: dict[str, Words] = {**FIGURES, **TABLES, **KINDS}

OWN = """\
geometries:
  c_1: {kind: layers, thicknesses: [0.6, 0.4]}
studies:
  my_study:
    geometry: c_1
    diffusivity: {outside: 2 um^2/ms, inside: 1 um^2/ms}
    period: 4 um
    permeability: 5e-5 m/s
    waveform: {kind: pgse, delta: 2 ms, Delta: [6 ms, 8 ms]}
    b: {start: 0 s/mm^2, stop: 900 s/mm^2, num: 10}
    directions: [[1]]
    models: [reference, R0]
    tolerance: 1e-3
figures:
  mine: {kind: signals, studies: [my_study]}
"""


@pytest.fixture(scope="module")
def papers() -> Config:
    return load([ROOT / "config" / "default.yaml"])


@pytest.fixture
def own(tmp_path: Path) -> Config:
    file = tmp_path / "mine.yaml"
    file.write_text(OWN, encoding="utf-8")
    return load([file])


def test_everything_that_is_catalogued_has_words():
    assert set(FIGURES) == set(CATALOGUE)
    assert set(TABLES) == set(TABLE_CATALOGUE)
    assert set(KINDS) <= set(OWN_KINDS)


@pytest.mark.parametrize("name", ALL)
def test_words_are_whole_sentences(name):
    text = ALL[name].text
    assert text[0].isupper()
    assert text.endswith(".")
    assert len(text.split()) >= 8


@pytest.mark.parametrize("name", [*FIGURES, *TABLES])
def test_what_stands_for_a_papers_says_where(name):
    assert bool((FIGURES | TABLES)[name].where) == (name.split("_")[0] in PAPERS)


def as_html(caption: Caption) -> str:
    """What Snakemake makes of a caption; docutils writes its complaints into it."""
    lines = [caption.title, caption.text, caption.where, *caption.parameters, *caption.findings]
    html: str = publish_parts("\n\n".join(lines), writer="html")["body"]
    assert "system-message" not in html, html
    return html


def test_captions_of_the_papers_name_all_that_they_show(papers):
    findings = captions.read_findings(ROOT / "docs" / "papers.md")
    for name, figure in papers.figures.items():
        html = as_html(captions.figure_caption(papers, name, findings))
        for entry in (*shown(figure), *figure.fits):
            assert f" {entry}" in html, name
    for name, table in papers.tables.items():
        html = as_html(captions.table_caption(papers, name, findings))
        for entry in shown(table):
            assert f" {entry}" in html, name


def test_a_caption_of_a_paper_has_parameters_and_findings(papers):
    findings = captions.read_findings(ROOT / "docs" / "papers.md")
    caption = captions.figure_caption(papers, "kl23_fig6", findings)
    assert caption.where.startswith("It is drawn as figure 6 of KL23 (M. Kchaou")
    (first, _), html = caption.parameters, as_html(caption)
    assert "cell disc\\_r040 (disc, R = 0.4)" in first
    assert "permeability 5e-05, 7e-05, 0.0001 m/s" in first
    assert "b 0 to 4000 s/mm^2 (17 values)" in first
    assert "to a relative tolerance of 0.0001" in first
    assert "In the paper: Figure 6: R2 is closer at longer Delta" in html
    assert "<strong>Reproduced.</strong>" in html


def test_an_edit_of_a_sentence_draws_nothing_anew():
    entries = [*CATALOGUE.values(), *OWN_KINDS.values(), *TABLE_CATALOGUE.values()]
    files: set[Path] = set()
    for script in ("draw_figure.py", "draw_cell.py", "write_table.py"):
        source = parse((ROOT / "workflow" / "scripts" / script).read_bytes())
        for module in provenance._files(source.names):
            provenance._follow(module, files)
    for module in {entry.module for entry in entries}:
        provenance._follow(provenance._path(module), files)
    names = {file.name for file in files}
    assert "catalogue.py" in names
    assert "captions.py" not in names


def test_findings_are_of_things_that_there_are():
    findings = captions.read_findings(ROOT / "docs" / "papers.md")
    assert len(findings) > 40
    assert set(findings) <= {*CATALOGUE, *TABLE_CATALOGUE}


def test_a_project_without_the_papers_has_no_findings(tmp_path):
    assert captions.read_findings(tmp_path / "papers.md") == {}


def test_an_own_figure_says_what_was_drawn_from_which_study(own):
    caption = captions.figure_caption(own, "mine", {})
    assert caption.where == "It is an own figure of this configuration, of the kind signals."
    assert caption.text.endswith("The figure has b along x, Delta in colours.")
    (study,) = caption.parameters
    assert study.startswith("Study my\\_study: cell c\\_1 (flat layers of 0.6, 0.4)")
    assert "Delta 6, 8 ms" in study
    assert "b 0 to 900 s/mm^2 (10 values)" in study
    assert "my_study" in as_html(caption)


def test_a_cell_names_the_studies_in_it(own):
    caption = captions.cell_caption(own, "c_1", "elements")
    assert "with the elements of its coarsest mesh" in caption.text
    assert "Study my_study" in as_html(caption)
    assert captions.studies_of(own, "c_1") == "my_study"


def test_text_that_means_something_is_shown_as_it_is():
    text = "a_ |b| *c* `d` e_f <g> \\h"
    html = publish_parts(captions.escaped(text), writer="html")["body"]
    assert html.strip() == "<p>a_ |b| *c* `d` e_f &lt;g&gt; \\h</p>"
