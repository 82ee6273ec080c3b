"""The digest of a stage sees an edit to what it imports, and sees nothing else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import torrey
from torrey.base import provenance, sources
from torrey.base.provenance import Provenance

# A package in small: who imports whom, in each of the ways in which that can be written.
MODULES = {
    "solver.py": '''\
"""What it solves."""
from __future__ import annotations

from typing import TYPE_CHECKING

import numpy
from torrey import steps
from torrey.cell.operators import assemble

if TYPE_CHECKING:
    from torrey.kinds import Kind


def solve(x: float) -> float:
    """Solve it."""
    import torrey.rare

    return steps.go(assemble(x)) * torrey.rare.FACTOR
''',
    "steps.py": "from torrey.deep import DEEP\n\n\ndef go(x):\n    return x * DEEP\n",
    "deep.py": "import torrey.solver\n\nDEEP = 3.0\n",
    "kinds.py": "Kind = int\n",
    "rare.py": "FACTOR = 2.0\n",
    "cell/__init__.py": "NAME = 'cell'\n",
    "cell/operators.py": "def assemble(x):\n    return x\n",
    "cell/other.py": "X = 1\n",
    "drawing.py": "from torrey.solver import solve\n",
    "workflow/__init__.py": "",
    "workflow/jobs.py": "import torrey.rare\n",
}
IMPORTED = sorted(name for name in MODULES if name.split("/")[0] not in ("drawing.py", "workflow"))
IMPORTED.remove("cell/other.py")


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Directory of the small package, with the module under test in it."""
    return build(tmp_path)


def build(directory: Path) -> Path:
    root = directory / "torrey"
    for name, text in MODULES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    (root / "__init__.py").write_text('__version__ = "1"\n', encoding="utf-8")
    (root / "base").mkdir()
    (root / "base" / "__init__.py").write_text("", encoding="utf-8")
    for module in (provenance, sources):
        shutil.copy(module.__file__, root / "base")
    return root


def digest(package: Path, *modules: str) -> str:
    """Digest in a new process: within one, what was read is remembered."""
    return run(
        package, f"from torrey.base.provenance import code_digest; print(code_digest(*{modules}))"
    )


def run(package: Path, call: str) -> str:
    """What a new process prints."""
    done = subprocess.run(
        [sys.executable, "-c", call],
        env={**os.environ, "PYTHONPATH": str(package.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def append(package: Path, module: str, text: str) -> None:
    path = package / module
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


def of_script(package: Path, *modules: str) -> str:
    """Digest of a script that imports what stands around jobs, and the solver."""
    script = package.parent / "solve.py"
    if not script.exists():
        script.write_text("from torrey.workflow.jobs import job\nfrom torrey.solver import solve\n")
    call = (
        "from pathlib import Path; from torrey.base.provenance import script_digest; "
        f"print(script_digest(Path({str(script)!r}), *{modules}))"
    )
    return run(package, call)


def test_a_script_is_known_by_what_it_imports_and_by_itself(package):
    before = of_script(package)
    append(package, "drawing.py", "\nADDED = 1\n")
    append(package, "workflow/jobs.py", "\nADDED = 1\n")
    assert of_script(package) == before
    assert of_script(package, "torrey.drawing") != before
    append(package, "deep.py", "\nADDED = 1\n")
    edited = of_script(package)
    assert edited != before
    append(package, "../solve.py", "\nADDED = 1\n")
    assert of_script(package) not in (before, edited)


@pytest.mark.parametrize("module", IMPORTED)
def test_an_edit_to_an_imported_module_changes_the_digest(package, module):
    before = digest(package, "torrey.solver")
    append(package, module, "\nADDED = 1\n")
    assert digest(package, "torrey.solver") != before


def test_what_the_first_file_offers_to_notebooks_is_in_no_digest(package):
    append(package, "solver.py", "\nimport torrey\nfrom torrey import Drawing\n")
    before = digest(package, "torrey.solver"), digest(package, "torrey.base.provenance")
    offer = "\nTYPE_CHECKING = False\nif TYPE_CHECKING:\n    from torrey.drawing import Drawing\n"
    append(package, "__init__.py", offer + "\nDrawing = 1\n")
    append(package, "drawing.py", "\nADDED = 1\n")
    assert (digest(package, "torrey.solver"), digest(package, "torrey.base.provenance")) == before


@pytest.mark.parametrize("module", sorted(set(MODULES) - set(IMPORTED)))
def test_an_edit_to_another_module_does_not(package, module):
    before = digest(package, "torrey.solver")
    append(package, module, "\nADDED = 1\n")
    assert digest(package, "torrey.solver") == before


def test_words_and_layout_do_not_count(package):
    before = digest(package, "torrey.solver")
    text = MODULES["solver.py"]
    text = text.replace("What it solves", "Otherwise").replace(
        "    import", "    # why\n    import"
    )
    text = text.replace('    """Solve it."""\n', "").replace("\n\n\n", "\n\n\n\n")
    text = text.replace("steps.go(assemble(x))", "steps.go(\n        assemble(x)\n    )")
    (package / "solver.py").write_text(text, encoding="utf-8")
    assert digest(package, "torrey.solver") == before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("DEEP = 3.0", "DEEP = 3.1"),
        ("DEEP = 3.0", "DEED = 3.0"),
        ("DEEP = 3.0", 'DEEP = 3.0\nTEXT = "not a docstring"'),
        ("DEEP = 3.0", "DEEP = float(3.0)"),
    ],
)
def test_values_names_and_texts_count(package, old, new):
    before = digest(package, "torrey.solver")
    (package / "deep.py").write_text(MODULES["deep.py"].replace(old, new), encoding="utf-8")
    assert digest(package, "torrey.solver") != before


def test_the_name_of_a_module_counts(package):
    append(package, "solver.py", "\nimport torrey.cell.other\n")
    before = digest(package, "torrey.solver")
    (package / "cell/other.py").rename(package / "cell/twin.py")
    path = package / "solver.py"
    path.write_text(path.read_text(encoding="utf-8").replace("cell.other", "cell.twin"))
    assert digest(package, "torrey.solver") != before


def test_the_order_of_the_modules_does_not_count_nor_does_a_repetition(package):
    both = digest(package, "torrey.cell.other", "torrey.solver")
    assert digest(package, "torrey.solver", "torrey.cell.other") == both
    assert digest(package, "torrey.solver", "torrey.cell.other", "torrey.steps") == both
    assert digest(package, "torrey.solver") != both


def test_the_place_of_the_package_does_not_count(package, tmp_path):
    assert digest(package, "torrey.solver") == digest(build(tmp_path / "other"), "torrey.solver")


def test_a_module_that_does_not_exist_is_an_error():
    with pytest.raises(ModuleNotFoundError, match=r"torrey\.solvent"):
        provenance.code_digest("torrey.solvent")


def test_attributes_say_what_made_a_file():
    made = Provenance("solve", {"q": 0.1, "kind": "pgse", "n": 3}, "abc", {"in.nc": "def"})
    attributes = made.attributes()
    assert attributes["stage"] == "solve"
    assert attributes["torrey_version"] == torrey.__version__
    assert attributes["code_digest"] == "abc"
    assert json.loads(attributes["input_digests"]) == {"in.nc": "def"}
    assert json.loads(attributes["parameters"]) == {"q": 0.1, "kind": "pgse", "n": 3}
    again = Provenance("solve", {"n": 3, "kind": "pgse", "q": 0.1}, "abc", {"in.nc": "def"})
    assert again.attributes() == attributes
