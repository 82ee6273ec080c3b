"""A run says at its end what it has made, in a few lines."""

from __future__ import annotations

from torrey.workflow.closing import closing_words


def test_results_are_counted_by_their_names_and_folders():
    words = closing_words(
        [
            "results/figures/kl23_fig6.pdf",
            "results/figures/kl23_fig6.png",
            "results/figures/kl23_fig6.nc",
            "results/studies/first/signals.nc",
            "results/studies/first/check.nc",
            "results/studies/second/signals.nc",
            "results/geometry/disc/mesh.nc",
            "results/slabs/disc/De3/L4/R0.nc",
            "results/slabs/disc/De3/L5/R0.nc",
        ]
    )
    assert words == [
        "9 files were made in this run, for:",
        "    1 figure in results/figures/",
        "    2 studies in results/studies/",
        "    1 geometry in results/geometry/",
        "    2 files elsewhere in results/, on the way to these",
        "What each job said is in results/logs/.",
    ]


def test_a_run_that_made_nothing_says_nothing():
    assert closing_words([]) == []


def test_a_single_file_is_one():
    assert closing_words(["results/tables/one.csv"])[:2] == [
        "1 file was made in this run, for:",
        "    1 table in results/tables/",
    ]
