"""The command line: arguments in, exit codes out.

Exit codes: 0 when all is well, 1 when a document has errors or an output is stale, 2 for wrong usage.
"""

from __future__ import annotations

import importlib

import click

from sockspec import __version__

COMMANDS = {
    "generate": "Write the Python package of a document.",
    "watch": "Write it anew whenever the document changes.",
    "docs": "Write the documentation of an API: a page, Markdown, JSON Schemas.",
    "init": "Write a server project for a document, once.",
    "validate": "Check documents and report what is wrong with them.",
    "lint": "Hold documents to rules, as a project wants it, and mend what can be.",
    "diff": "Find what changed between two versions of an API, and whom it breaks.",
    "mock": "Serve an API from its document alone.",
    "decode": "Judge payloads by a document, one JSON text on each line.",
    "connect": "Talk to a server by its document: at the keyboard, in pipes, from a record.",
    "test": "Test a live server: whether it does what its document says.",
    "ir": "Print the API that a document describes as JSON.",
}


class _Commands(click.Group):
    """Commands that are imported when they are called, so that `--help` is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"sockspec.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="sockspec")
def main() -> None:
    """Typed WebSocket APIs for Python, made from the document that describes them.

    A document is an AsyncAPI file (2.0 to 3.1) or an OpenAPI file (3.0 to 3.2), in YAML or JSON.

    \b
    Begin with:
        sockspec generate chat.yaml -o generated
        sockspec init chat.yaml -o server
    """
