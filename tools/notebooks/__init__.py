"""From a lesson's .md to its .ipynb: read, run, numbered, in plain Markdown."""
