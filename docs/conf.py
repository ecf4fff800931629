"""Configuration of the site (`make docs`): Sphinx with numpydoc, MyST and sphinx-gallery, built without network.

The pages are written to be read in a repository browser, too: index.md lists them, and links lead to files. Here the
lists of index.md become the navigation, and pages.py renders what lies outside of this folder.
"""

import re
import sys
from importlib.metadata import version as installed_version
from pathlib import Path

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml

sys.path.insert(0, str(Path(__file__).parent))
import pages

project = "stdpnet"
author = "The stdpnet developers"
copyright = "2026, The stdpnet developers"
version = release = installed_version("stdpnet")

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "templates", "tutorial"]
templates_path = ["templates"]
default_role = "code"

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4

autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = False

sphinx_gallery_conf = {
    "examples_dirs": "tutorial",
    "gallery_dirs": f"{pages.FOLDER}/tutorial",
    "abort_on_example_error": True,
    "capture_repr": (),
    "download_all_examples": False,
    "show_signature": False,
    "write_computation_times": False,
}

html_theme = "pydata_sphinx_theme"
html_title = "stdpnet"
html_math_renderer = "mathml"
html_show_sourcelink = False
html_theme_options = {
    "navbar_align": "left",
    "header_links_before_dropdown": 7,
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
    "show_prev_next": False,
}


def _inline_math(translator, node):
    translator.body.append(tex2mathml(node.astext(), as_block=False))
    raise nodes.SkipNode


def _block_math(translator, node):
    translator.body.append(f"<p>{tex2mathml(node.astext(), as_block=True)}</p>\n")
    raise nodes.SkipNode


def _without_long_signature(app, what, name, found, options, signature, annotation):
    """Leave out the signature of a configuration, whose keys have a page of their own."""
    return ("", None) if what == "class" and hasattr(found, "model_fields") else None


def _with_links(app, what, name, found, options, lines):
    """Let `docs/model.md` in a docstring lead to that page."""
    lines[:] = [re.sub(r"\bdocs/([\w-]+)\.md", r":doc:`\1 </\1>`", line) for line in lines]


def setup(app):
    """Connect what the extensions lack: math as MathML, the pages that lie elsewhere, the navigation."""
    app.add_html_math_renderer("mathml", (_inline_math, None), (_block_math, None))
    app.connect("config-inited", lambda app, config: pages.write(Path(app.srcdir)))
    app.connect("source-read", lambda app, page, source: source.__setitem__(0, pages.read(page, source[0])))
    app.connect("autodoc-process-docstring", _with_links)
    app.connect("autodoc-process-signature", _without_long_signature)
    return {"parallel_read_safe": True}
