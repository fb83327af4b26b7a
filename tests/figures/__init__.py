"""Pages of real documents, ours and those of AsyncAPI's own template: `python -m tests.figures` writes docs/pages.md."""
