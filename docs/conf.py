"""The site: `make docs` builds it into build/site, without the network, warnings being errors.

Its root is the project, not this folder, so that links between the documents mean the same here and
where the repository is read: README.md, CONTRIBUTING.md and the tables in benchmarks/ are pages.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import torrey

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

project = "Torrey"
author = copyright = "The Torrey developers"
version = release = torrey.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.viewcode",
    "numpydoc",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
    "site_pages",
]

root_doc = "docs/index"
include_patterns = [
    "*.md",
    "docs/*.md",
    "docs/api/*.rst",
    "docs/gallery/*.rst",
    "benchmarks/*.md",
    "config/*.md",
]
# Folders that need not even be looked into: environments and results may be large.
exclude_patterns = [
    ".*",
    "build",
    "logs",
    "profiles",
    "results",
    "src",
    "tests",
    "tools",
    "workflow",
    "docs/gallery_examples",
]
nitpicky = True
show_warning_types = True

# Anchors are those of GitHub, to which tests/unit/test_documents.py holds all documents.
myst_heading_anchors = 6
myst_enable_extensions = ["colon_fence", "deflist"]

autodoc_member_order = "bysource"
add_module_names = False
autodoc_typehints = "none"  # numpydoc says what parameters are
default_role = None
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

gallery_dirs = "docs/gallery"
sphinx_gallery_conf: dict[str, Any] = {
    "examples_dirs": "docs/gallery_examples",
    "gallery_dirs": gallery_dirs,
    "filename_pattern": r"/plot_",
    "within_subsection_order": "FileNameSortKey",
    "remove_config_comments": True,
    "show_memory": False,
    "show_signature": False,
    "download_all_examples": False,
    "min_reported_time": 1,
    "abort_on_example_error": False,
    "reset_modules": (),
    "matplotlib_animations": False,
    "write_computation_times": False,
}

html_title = f"Torrey {release}"
html_theme = "pydata_sphinx_theme"
html_static_path = ["static"]
html_css_files = ["torrey.css"]
html_show_sourcelink = False
html_show_sphinx = False
html_additional_pages = {"index": "start.html"}
templates_path = ["templates"]
html_theme_options = {
    "logo": {"text": "Torrey"},
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    "show_prev_next": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "use_edit_page_button": False,
    "pygments_light_style": "tango",
    "pygments_dark_style": "monokai",
}
