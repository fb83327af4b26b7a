"""Rules and configurations of installed packages."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.test_lint import linted
from tests.test_lint_command import ROOMS, here, wrong

__all__ = ["here"]

PAGE = Path(__file__).parents[1] / "docs" / "lint.md"

RULES = """
from sockspec.diagnostics import Code, Severity
from sockspec.rules.rule import ALL, Group, Rule

TITLE = Code("acme/title", Severity.WARNING, "Channels have titles.")


def untitled(subject):
    for channel in subject.outline.channels:
        if channel.node.get("title") is None:
            yield TITLE.at(channel.node.key_location, f"the channel {channel.key!r} has no title")


RULE = Rule(TITLE, Group.GENERATION, ALL, bad="one: {}", good="one: {title: One}", check=untitled)
"""


@pytest.fixture
def installed(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for packages; the document `rooms.yaml` stands in the current one."""
    (here / "rooms.yaml").write_text(ROOMS, encoding="utf-8")
    folder = here / "site-packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "acme_lint", raising=False)
    return folder


def install(folder: Path, module: str, entry_points: str, *, name: str = "acme-lint") -> None:
    """A package as an installer leaves it: a module and its metadata."""
    (folder / "acme_lint.py").write_text(module, encoding="utf-8")
    metadata = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    metadata.mkdir(exist_ok=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8")
    (metadata / "entry_points.txt").write_text(entry_points, encoding="utf-8")


ENTRY = "[sockspec.rules]\nacme = acme_lint:RULE\n"


def said(*options: str) -> list[str]:
    """The lines of findings, and the exit code."""
    printed, code = linted("rooms.yaml", "--no-config", *options)
    return [*(line for line in printed.splitlines() if line.startswith("rooms.yaml:")), f"exit code {code}"]


def test_a_rule_of_a_package_is_asked_with_its_group(installed: Path) -> None:
    install(installed, RULES, ENTRY)
    assert said("--ruleset", "acme", "--select", "acme/title") == [
        "rooms.yaml:4:3: warning acme/title the channel 'one' has no title",
        "rooms.yaml:5:3: warning acme/title the channel 'two' has no title",
        "exit code 0",
    ]
    assert said("--select", "acme", "--rule", "acme/title=error")[-1] == "exit code 1"
    assert not any("acme/title" in line for line in said("--preset", "minimal"))
    assert any("acme/title" in line for line in said())


def test_a_rule_of_a_package_is_suppressed_and_explained_like_ours(installed: Path) -> None:
    install(installed, RULES, ENTRY)
    text = ROOMS.replace("channels:\n", "channels:  # lint-ignore: acme/title -- they need none\n")
    Path("rooms.yaml").write_text(text, encoding="utf-8")
    assert said("--select", "acme,suppressions") == ["exit code 0"]
    printed, _ = linted("--explain", "acme/title")
    assert "from: the entry point 'acme' of acme-lint" in printed
    assert ["acme/title", "warning", "generation"] in [
        line.split()[:3] for line in linted("--list-rules")[0].splitlines()
    ]


def test_a_package_offers_several_rules_each_once(installed: Path) -> None:
    several = (
        RULES
        + "\nfrom dataclasses import replace\nRULES = [RULE, replace(RULE, code=replace(TITLE, id='acme/two'), check=None)]\n"
    )
    install(installed, several, "[sockspec.rules]\nacme = acme_lint:RULES\n")
    printed, _ = linted("rooms.yaml", "--no-config", "--select", "acme")
    assert "2 warnings in 1 file" in printed
    install(installed, several, "[sockspec.rules]\nacme = acme_lint:RULES\nagain = acme_lint:RULE\n")
    message = wrong("rooms.yaml", "--select", "acme")
    assert message == (
        "the entry point 'again' of acme-lint offers the rule 'acme/title', which the entry point 'acme' of acme-lint "
        "offers, too."
    )


@pytest.mark.parametrize(
    ("module", "message"),
    [
        ("RULE = 1", "the entry point 'acme' of acme-lint offers 1, which is no rule."),
        ("raise OSError('no network')", "the entry point 'acme' of acme-lint cannot be loaded: OSError: no network."),
        ("", "the entry point 'acme' of acme-lint cannot be loaded: AttributeError: "),
        (
            RULES.replace("acme/title", "title"),
            "the entry point 'acme' of acme-lint offers the rule 'title'; its id has to begin with a name of its own: 'acme/…'.",
        ),
        (
            RULES.replace("channel.node.get", "channel.nope.get"),
            "the rule 'acme/title' of the entry point 'acme' of acme-lint failed: AttributeError: ",
        ),
        (
            RULES.replace("yield TITLE.at(", "yield (").replace("channel.node.key_location, ", ""),
            (
                "the rule 'acme/title' of the entry point 'acme' of acme-lint gave \"the channel 'one' has no title\", "
                "which is no finding of it."
            ),
        ),
    ],
    ids=["no rule", "no import", "no such name", "no prefix", "a fault", "no finding"],
)
def test_a_package_that_cannot_be_used_is_named(installed: Path, module: str, message: str) -> None:
    install(installed, module, ENTRY)
    assert message in wrong("rooms.yaml", "--no-config")


def test_a_fix_of_a_package_that_fails_is_named(installed: Path) -> None:
    install(installed, RULES.replace("check=untitled", "check=untitled, fixer=lambda subject, finding: 1 / 0"), ENTRY)
    message = wrong("rooms.yaml", "--no-config", "--fix")
    assert message == (
        "the fix of 'acme/title' of the entry point 'acme' of acme-lint failed: ZeroDivisionError: division by zero."
    )


def test_a_configuration_of_a_package_is_extended(installed: Path) -> None:
    install(
        installed,
        "HOUSE = {'preset': 'minimal', 'rules': {'undeclared-parameter': 'info'}}\nLIST = []\n",
        "[sockspec.configurations]\nacme-house = acme_lint:HOUSE\nacme-list = acme_lint:LIST\n",
    )
    Path("lint.toml").write_text("extends = 'acme-house'\n", encoding="utf-8")
    printed, code = linted("rooms.yaml", "--config", "lint.toml", "--select", "undeclared-parameter")
    assert "rooms.yaml:4:18: info undeclared-parameter" in printed
    assert code == 0
    Path("lint.toml").write_text("extends = 'acme-list'\n", encoding="utf-8")
    assert "the entry point 'acme-list' of acme-lint is no mapping" in wrong("rooms.yaml", "--config", "lint.toml")
    Path("lint.toml").write_text("extends = 'acme-hose'\n", encoding="utf-8")
    assert "there is no configuration 'acme-hose'; did you mean 'acme-house'?" in wrong(
        "rooms.yaml", "--config", "lint.toml"
    )


def test_the_example_of_the_documentation_works(installed: Path) -> None:
    page = PAGE.read_text(encoding="utf-8")
    module = page.partition("```python\n")[2].partition("```")[0]
    install(installed, module, "[sockspec.rules]\nacme = acme_lint:RULES\n")
    assert said("--ruleset", "acme", "--select", "acme") == [
        "rooms.yaml:4:3: warning acme/channel-title the channel 'one' has no title",
        "rooms.yaml:5:3: warning acme/channel-title the channel 'two' has no title",
        "exit code 0",
    ]


def test_the_configuration_of_the_documentation_works(installed: Path) -> None:
    install(installed, "HOUSE = {}\n", "[sockspec.configurations]\nacme = acme_lint:HOUSE\n")
    configuration = PAGE.read_text(encoding="utf-8").partition("```toml\n")[2].partition("```")[0]
    Path("pyproject.toml").write_text(configuration.replace("../house-style", "house-style"), encoding="utf-8")
    Path("house-style.toml").write_text("preset = 'minimal'\n", encoding="utf-8")
    Path("lint-baseline.json").write_text('{"version": 1, "findings": []}\n', encoding="utf-8")
    printed, code = linted("rooms.yaml")
    assert "rooms.yaml:4:18: warning undeclared-parameter" in printed
    assert "info-contact" not in printed
    assert "info-license" in printed
    assert "error guide-" in printed
    assert code == 1
