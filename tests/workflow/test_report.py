"""The report holds what is there, with captions, and says what is missing; a browser shows it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.browser import seen_in
from support.project import CONFIG, Project, Run

import torrey

REPORT = "results/report.html"
TEMPLATES = "workflow/report"

# What the opening page shows, and then what a click on a figure and on a table shows.
LOOK = """
const pictures = [...document.querySelectorAll(".torrey-result img")];
const opening = document.querySelector("#app .prose").innerText;
const known = Object.fromEntries(pictures.map((one) => [one.alt, one.naturalWidth]));
const click = async (name) => {
    const link = [...document.querySelectorAll(".torrey-result a")].find(
        (one) => one.innerText.trim() === name
    );
    link.click();
    await wait(1000);
    return document.querySelector("nav").innerText;
};
const table = await click("khm19_table_tensors");
const figure = await click("kl23_fig6");
const large = document.querySelector("#app img[src^='data:image/png']:not(nav img)").naturalWidth;
return {opening, known, table, figure, large, categories: Object.keys(categories)};
"""


def reported(project: Project, *targets: str) -> Run:
    return project.run(
        f"--report={REPORT}",
        f"--report-metadata={TEMPLATES}/landing.yaml",
        f"--report-stylesheet={TEMPLATES}/report.css",
        *targets,
    )


@pytest.fixture(scope="module")
def incomplete(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with a figure that is not there and a study that is out of date; its report."""
    project = finished.copy(tmp_path_factory.mktemp("report") / "project")
    project.path("results/figures/kl23_fig1.png").unlink()
    project.edit(CONFIG, "num: 6}", "num: 5}")
    run = reported(project, "figures", "studies")
    assert run.code == 0, run.text
    assert "Not there, and so not in the report: kl23_fig1.\n" in run.text
    assert re.search(r"now, and so not in the report: exchange\.\n", run.text)
    return project


def test_a_browser_shows_pictures_and_captions(incomplete):
    found = seen_in(incomplete.path(REPORT), LOOK)
    opening, known = found["opening"], found["known"]
    assert set(known) == {"kl23_fig6", "cell", "walls", "sweep", "wall", "projected"}
    assert min(*known.values(), found["large"]) > 100
    assert "Not made yet: kl23_fig1." in opening
    assert "Each panel shows the signal of one cell against b" in opening
    assert f"Torrey {torrey.__version__}" in opening
    assert "largest numerical error: reference " in opening
    assert "figure 6 of KL23" in found["figure"]
    assert "Study wall: cell walls (flat layers of 0.6, 0.4)" in found["figure"]
    assert "b 0, 400 s/mm^2" in found["figure"]
    assert "equations (8)-(16), (20) and (25) of KHM19" in found["table"]
    assert "um^2/ms cell^2" in found["table"]
    assert set(found["categories"]) == {
        "KL23: Kchaou and Li 2023",
        "KHM19: Kchaou, Haddar and Moakher 2019",
        "Studies",
    }


def test_a_report_of_one_paper_shows_that_paper_alone(incomplete):
    run = reported(incomplete, "kl23")
    assert run.code == 0, run.text
    text = incomplete.path(REPORT).read_text(encoding="utf-8")
    assert re.findall(r'<img alt=\\"(\w+)\\"', text) == ["kl23_fig6"]
    assert "<strong>khm19_table_tensors</strong>" not in text


def test_it_asks_nothing_of_the_network(incomplete):
    text = incomplete.path(REPORT).read_text(encoding="utf-8")
    assert not re.findall(r"<(?:script|link|img)[^>]+(?:src|href)=[\"']?(?:https?:)?//", text)


def test_the_makefile_gives_the_same_templates():
    makefile = Path(__file__).parents[2] / "Makefile"
    recipe = makefile.read_text(encoding="utf-8").partition("\nreport: env\n")[2]
    for option, name in (("metadata", "landing.yaml"), ("stylesheet", "report.css")):
        assert f"--report-{option} {TEMPLATES}/{name}" in recipe


def test_a_report_of_nothing_is_refused_and_replaces_none(fresh):
    there = fresh.path(REPORT)
    there.parent.mkdir(parents=True, exist_ok=True)
    there.write_text("a report of another configuration", encoding="utf-8")
    run = reported(fresh, "figures", "studies")
    assert run.code != 0
    assert "There is nothing to report of this configuration" in run.text
    assert there.read_text(encoding="utf-8") == "a report of another configuration"
