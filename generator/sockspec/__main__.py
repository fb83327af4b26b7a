"""`python -m sockspec` is the command line."""

from sockspec.cli import main

main(prog_name="sockspec")
