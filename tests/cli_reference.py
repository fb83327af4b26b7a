"""The page of the command line, made from the commands themselves."""

from __future__ import annotations

import html
import importlib
import inspect
import re
import textwrap

import click

from sockspec.cli import COMMANDS, main

_INTRODUCTION = """\
# Command line

Every command and every option, as `sockspec COMMAND --help` has them. This page is made from the program by
`make golden`.
"""


def page() -> str:
    """The page: the usage of the program, and each of its commands."""
    parts = [_INTRODUCTION, _prose(main.help or "")]
    parts.extend(f"- [`sockspec {name}`](#sockspec-{name}): {short}" for name, short in COMMANDS.items())
    return "\n".join([*parts, "", *(_command(name) for name in COMMANDS)])


def _command(name: str) -> str:
    command: click.Command = importlib.import_module(f"sockspec.cli.{name}").command
    context = click.Context(command, info_name=f"sockspec {name}")
    usage = " ".join([f"sockspec {name}", *command.collect_usage_pieces(context)])
    options = [_option(record, context) for record in command.params if isinstance(record, click.Option)]
    table = "\n".join(["| option | what it says |", "| --- | --- |", *options])
    return f"## `sockspec {name}`\n\n```text\n{usage}\n```\n\n{_prose(command.help or '')}\n{table}\n"


def _option(option: click.Option, context: click.Context) -> str:
    record = option.get_help_record(context)
    if record is None:
        return ""
    names, text = record
    return f"| {_code(names)} | {_cell(text)} |"


def _code(text: str) -> str:
    """Names and the placeholder of an option, which may have bars in it."""
    return f"<code>{html.escape(text, quote=False).replace('|', '&#124;')}</code>" if "|" in text else f"`{text}`"


def _cell(text: str) -> str:
    """Words of an option as they stand in a table; what is in brackets is said by click, and in type of its own."""
    plain = " ".join(text.replace("\b", "").split())
    marked = re.sub(r"  *\[(default|env var|env|required|x)([^\]]*)\]", r" *[\1\2]*", plain)
    return marked.replace("|", "\\|").replace("<", "&lt;").replace("[tool.", "\\[tool.")


def _prose(text: str) -> str:
    """The help of a command as Markdown: paragraphs, and as they stand those that click leaves alone."""
    paragraphs = []
    for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(text)):
        kept = paragraph.partition("\b\n")[2]
        paragraphs.append(f"```text\n{textwrap.dedent(kept)}\n```" if kept else paragraph.replace("<", "&lt;"))
    return "\n\n".join(paragraphs) + "\n"
