"""What Sphinx builds the docsite with; build.py lays the sources out."""

from __future__ import annotations

project = "meshwright.ambient"
project_copyright = "the meshwright.ambient contributors"
html_title = "meshwright.ambient"
html_theme = "furo"

extensions = ["myst_parser", "sphinx_antsibull_ext"]
root_doc = "index"
exclude_patterns = ["README.md"]

# Headings of pages are linked to by GitHub's rule, which the tests of the pages hold.
myst_heading_anchors = 4
suppress_warnings = [
    "ref.ref",  # labels of other collections; those of our own are held by the linter
    "misc.highlighting_failure",  # Pygments knows no mermaid; GitHub draws these blocks
    "myst.header",  # the pages of roles begin below their title
    "toc.not_included",  # pages are reached by their links, as on GitHub
]
