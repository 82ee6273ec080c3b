"""Pages as a reader sees them, in a Chromium without a window."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")

#: Time of the page, which does not pass while it works, that scripts and pictures have (ms).
_PATIENCE = 20_000


def seen_in(page: Path, script: str) -> Any:
    """What a script finds in a page after it has been shown; skips where there is no browser.

    Parameters
    ----------
    page : Path
        It is copied: the script is added to the copy.
    script : str
        Statements in JavaScript that return what is found, and may await.
    """
    browser = next(filter(None, map(shutil.which, NAMES)), None)
    if browser is None:
        names = ", ".join(NAMES)
        pytest.skip(f"no browser: none of {names} is installed (package chromium of Debian)")
    shown = page.with_name(f"{page.stem}_shown.html")
    text = page.read_text(encoding="utf-8")
    before, end, after = text.rpartition("</body>")
    shown.write_text(f"{before}{_ASKING % script}{end}{after}", encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--virtual-time-budget={_PATIENCE}"]
    profile = f"--user-data-dir={page.parent / 'browser'}"
    found = subprocess.run(
        [browser, *options, profile, "--dump-dom", shown.as_uri()],
        capture_output=True,
        text=True,
        timeout=300,
    )
    answer = re.search(r'<body[^>]* data-answer="([^"]*)"', found.stdout)
    assert answer, found.stderr[-2000:]
    return json.loads(bytes.fromhex(answer[1]).decode())


# The answer travels as hexadecimal numbers, which no rule of HTML changes.
_ASKING = """
<script>
window.addEventListener("load", async () => {
    const wait = (ms) => new Promise((done) => setTimeout(done, ms));
    await wait(2000);
    let found;
    try { found = await (async () => { %s })(); } catch (error) { found = String(error); }
    const bytes = new TextEncoder().encode(JSON.stringify(found));
    document.body.dataset.answer = [...bytes].map((b) => b.toString(16).padStart(2, "0")).join("");
});
</script>
"""
