"""The page on the papers' figures and tables, written from the catalogues that draw them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from torrey.base.errors import either
from torrey.figures.catalogue import CATALOGUE as FIGURES
from torrey.figures.entries import Entry
from torrey.figures.needs import Needs
from torrey.tables.catalogue import CATALOGUE as TABLES

INTRODUCTION = """\
Each of these has a name, under which ``figures:`` or ``tables:`` of a configuration lists what it
is made from, for example ``kl23_fig4: {studies: [kl23_fig4a, kl23_fig4b]}``. Your own studies may
stand there, as long as they are what the last column says. Anything else is refused before the run
starts, with what was found. Pictures under names of your own have a ``kind`` instead:
:doc:`/docs/figures`."""


def page() -> str:
    """Return the page as reStructuredText."""
    title = "Figures and tables by name"
    lines = [title, "=" * len(title), "", INTRODUCTION, ""]
    for heading, catalogue in (("Figures", FIGURES), ("Tables", TABLES)):
        lines += [heading, "-" * len(heading), "", *rows(catalogue), ""]
    return "\n".join(lines)


def rows(catalogue: Mapping[str, Entry]) -> Iterator[str]:
    """Yield the lines of a table of one catalogue."""
    yield from (".. list-table::", "   :header-rows: 1", "   :widths: 22 40 38", "")
    yield from ("   * - name", "     - what it shows", "     - what it is made from")
    for name, entry in sorted(catalogue.items()):
        shown = entry.caption.replace("|", r"\|").replace("*", r"\*")
        made_from = "; ".join(words(entry.needs)).replace("|", r"\|")
        yield from (f"   * - ``{name}``", f"     - {shown}", f"     - {made_from}")


def words(needs: Needs) -> Iterator[str]:
    """Yield what the entries of a figure must be, in words."""
    yield count(needs)
    if needs.dimension:
        yield f"cells of {needs.dimension} dimensions"
    if needs.outlines:
        yield f"with {needs.outlines} in every cell"
    if one := needs.studies:
        if one.each:
            yield "over " + ", then over ".join(one.each)
        if one.x:
            yield "over " + " and ".join(one.x)
        if one.over:
            yield "a panel for each " + " and ".join(one.over)
        if one.several:
            yield "two values or more of " + " and ".join(one.several)
        if one.shared:
            yield "the same " + " and ".join(one.shared) + " in all"
        if one.common:
            yield "one " + " and ".join(one.common) + " that is in all"
        if one.models:
            yield "with the models " + " and ".join(one.models)
        if one.one_of:
            yield "with " + either(one.one_of)
        if one.compared:
            yield "with a model beside the reference"
        if one.waveforms:
            yield "waveforms of kind " + either(one.waveforms)
        if one.layered:
            yield "all cells but the first with layers"
        if one.closed:
            yield "no water passes membranes or vanishes at surfaces"
    if needs.runs:
        yield f"of ``bloch``, kind ``{needs.runs.kind}``"
    if needs.fits:
        noise = ", with noise" if needs.fits.noise else ""
        parameter = f", of the parameter {needs.fits.parameter}" if needs.fits.parameter else ""
        kind = {"measured": "measured signals", "volumes": "measured volumes"}.get(needs.fits.kind)
        yield f"inversions of {kind or f'kind ``{needs.fits.kind}``'}{parameter}{noise}"


def count(needs: Needs) -> str:
    """Return how many entries there may be."""
    if needs.most is None:
        return f"{needs.least} entries or more" if needs.least > 1 else "one entry or more"
    if needs.least == needs.most:
        return "one entry" if needs.most == 1 else f"{needs.most} entries"
    return f"{needs.least} to {needs.most} entries"
