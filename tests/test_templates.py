"""Templates print what they are given and decide nothing; a user may replace one, or a block of one."""

from __future__ import annotations

from pathlib import Path

import click.testing
import jinja2
import pytest
from jinja2 import nodes

from sockspec.cli import main

ROOT = Path(__file__).parents[1]
TEMPLATES = sorted((ROOT / "templates").rglob("*.j2"))
SPEC = ROOT / "specs" / "market.asyncapi.yaml"

MAY_HAVE = (
    *(nodes.Template, nodes.TemplateData, nodes.Output, nodes.Block, nodes.Include, nodes.Extends),
    *(nodes.For, nodes.If, nodes.And, nodes.Or, nodes.Not),
    *(nodes.Name, nodes.Getattr, nodes.Const, nodes.Tuple),
    *(nodes.Import, nodes.Macro),
)
"""Text, blocks, loops, conditions and members of the view: nothing that computes."""


def name_of(template: Path) -> str:
    return template.relative_to(ROOT / "templates").as_posix()


@pytest.mark.parametrize("template", TEMPLATES, ids=name_of)
def test_a_template_computes_nothing(template: Path) -> None:
    tree = jinja2.Environment().parse(template.read_text(encoding="utf-8"))
    others = [node for node in tree.find_all(nodes.Node) if not isinstance(node, MAY_HAVE) and not prints_words(node)]
    assert [f"{node.lineno}: {type(node).__name__}" for node in others] == []


def prints_words(node: nodes.Node) -> bool:
    """Whether the node calls one of the macros of `docs/words`, which print and are held to the same rules."""
    return isinstance(node, nodes.Call) and isinstance(node.node, nodes.Getattr) and node.node.node == WORDS


WORDS = nodes.Name("words", "load")


@pytest.mark.parametrize("template", TEMPLATES, ids=name_of)
def test_a_template_is_short(template: Path) -> None:
    assert len(template.read_text(encoding="utf-8").splitlines()) <= 160


def test_each_unit_of_a_module_has_a_block() -> None:
    environment = jinja2.Environment()
    blocks = {
        template.name.partition(".")[0]: [
            block.name for block in environment.parse(template.read_text(encoding="utf-8")).find_all(nodes.Block)
        ]
        for template in TEMPLATES
        if template.parent.name == "python"
    }
    assert blocks == {
        "__init__": ["imports", "exports"],
        "client": ["client", "method"],
        "codecs": ["schemas", "codec"],
        "messages": ["exports", "class", "member", "alias"],
        "module": ["imports"],
        "publisher": ["publisher", "endpoint"],
        "server": ["parameters", "close_codes", "connection", "method", "server", "verifier", "handler", "hook"],
    }


# --- a folder of the user ---------------------------------------------------------------------------------------------


def generated(folder: Path, templates: dict[str, str]) -> tuple[click.testing.Result, Path]:
    """The market package with templates of the user's."""
    for name, text in templates.items():
        path = folder / "templates" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (folder / "templates").mkdir(exist_ok=True)
    command = ["generate", str(SPEC), "-o", str(folder / "out"), "--templates", str(folder / "templates")]
    return click.testing.CliRunner().invoke(main, command, catch_exceptions=False), folder / "out" / "market"


def module(package: Path, name: str) -> str:
    return (package / f"{name}.py").read_text(encoding="utf-8")


def ours(name: str) -> str:
    return module(ROOT / "generated" / "market", name)


def test_an_empty_folder_replaces_nothing(tmp_path: Path) -> None:
    result, package = generated(tmp_path, {})
    assert result.exit_code == 0
    assert {path.name: path.read_text(encoding="utf-8") for path in package.glob("*.py")} == {
        path.name: path.read_text(encoding="utf-8") for path in (ROOT / "generated" / "market").glob("*.py")
    }


def test_a_whole_template_is_replaced(tmp_path: Path) -> None:
    client = (
        "NAMES = [{% for client in clients %}{% for one in client.methods %}{{ loop.index }}, {% endfor %}{% endfor %}]"
    )
    result, package = generated(tmp_path, {"python/client.py.j2": client})
    assert result.exit_code == 0
    assert "\nNAMES = [1, 2, ]\n" in module(package, "client")
    assert module(package, "messages") == ours("messages")


def test_a_block_is_replaced_and_the_rest_stays(tmp_path: Path) -> None:
    messages = (
        '{% extends "builtin/python/messages.py.j2" %}\n'
        "{% block alias %}\n# Our own alias.\n{{ alias.code }}\n{% endblock %}\n"
    )
    result, package = generated(tmp_path, {"python/messages.py.j2": messages})
    assert result.exit_code == 0
    text = module(package, "messages")
    assert "\n# Our own alias.\nTimestamp: TypeAlias = DateTime\n" in text
    before, after = text.split("# Our own alias.", 1)
    assert ours("messages").startswith(before.rstrip("\n"))
    assert '"""' not in after


def test_a_block_can_print_the_replaced_one(tmp_path: Path) -> None:
    server = (
        '{% extends "builtin/python/server.py.j2" %}{% block handler %}{{ super() }}        # Ours.\n{% endblock %}'
    )
    result, package = generated(tmp_path, {"python/server.py.j2": server})
    assert result.exit_code == 0
    lines = module(package, "server").splitlines()
    assert lines.count("        # Ours.") == ours("server").count("@abstractmethod")
    assert [line for line in lines if line != "        # Ours."] == ours("server").splitlines()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("\n{% if %}", "client.py.j2:2: "),
        ("{{ nothing.of_the_kind }}", "python/client.py.j2: 'nothing' is undefined"),
        ('{% extends "builtin/python/clients.py.j2" %}', "there is no template 'builtin/python/clients.py.j2'"),
        ("def def", "is not Python: invalid syntax: def def"),
        ("{% include 'python/client.py.j2' %}", "python/client.py.j2"),
    ],
)
def test_a_template_that_does_not_work_is_told_and_nothing_is_written(
    text: str, complaint: str, tmp_path: Path
) -> None:
    result, package = generated(tmp_path, {"python/client.py.j2": text})
    assert (result.exit_code, package.exists()) == (1, False)
    assert complaint in result.stderr


def test_the_folder_has_to_be_there(tmp_path: Path) -> None:
    command = ["generate", str(SPEC), "-o", str(tmp_path), "--templates", str(tmp_path / "none")]
    assert click.testing.CliRunner().invoke(main, command).exit_code == 2
