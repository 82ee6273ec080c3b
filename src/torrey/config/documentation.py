"""Tables of the documentation that are made from what the registries say of their entries.

``python -m torrey.config.documentation docs/configuration.md`` writes them between their marks; a
test keeps them true.
"""

from __future__ import annotations

import sys
from pathlib import Path

from torrey.config.gradient_documentation import reader_table, waveform_tables


def updated(text: str) -> str:
    """Return a document with the tables between their marks made anew.

    Raises
    ------
    ValueError
        If the document lacks a mark.
    """
    for name, table in (("waveforms", waveform_tables()), ("readers", reader_table())):
        begin, end = f"<!-- {name}: made by torrey.config.documentation -->", f"<!-- /{name} -->"
        before, _, rest = text.partition(begin)
        _, found, after = rest.partition(end)
        if not found:
            raise ValueError(f'found no "{begin}" with "{end}" after it')
        text = f"{before}{begin}\n\n{table}\n\n{end}{after}"
    return text


def main() -> None:
    """Write the tables of the documents that are named."""
    for name in sys.argv[1:]:
        path = Path(name)
        path.write_text(updated(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
