"""What the page carries for its scripts, and how the scripts become one."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from sockspec import docs, ir
from sockspec.diagnostics import Location
from sockspec.docs import scripts
from sockspec.docs.data import AGAIN
from sockspec.pipeline import examine
from sockspec.render import renderer
from sockspec.runtime import problems

ROOT = Path(__file__).parents[1]
SCRIPTS = ROOT / "templates" / "docs" / "script"
HERE = Location("d.yaml", 3, 1, "/channels/chat")


def together(entries: list[str], modules: Mapping[str, str]) -> str:
    return scripts.inlined(entries, modules.__getitem__)


class Elements(HTMLParser):
    """The texts of the elements `script` and `style`, in their order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._is_in = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._is_in = tag in ("script", "style")
        if self._is_in:
            self.texts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._is_in = False

    def handle_data(self, data: str) -> None:
        if self._is_in:
            self.texts[-1] += data


def page_of(spec: Path) -> str:
    api, said = examine(spec, name=spec.name)
    assert api is not None, said
    return docs.files(api, renderer())["docs/index.html"]


def data_of(page: str) -> Any:
    return json.loads(Elements(page).texts[2])


# --- one script ------------------------------------------------------------------------------------------------------


def test_modules_become_one_script_what_is_imported_first() -> None:
    modules = {
        "a.js": '/** Says a. */\n\nimport { b,\n  c } from "./b.js";\n\nexport function a() {\n  // why\n  return b + c;\n}\n',
        "b.js": 'import { d } from "./d.js";\nexport const b = d;\nexport class c {\n}\n',
        "d.js": "export const d = `1`;\n",
    }
    script = "const d = `1`;\nconst b = d;\nclass c {\n}\nfunction a() {\nreturn b + c;\n}\n"
    assert together(["a.js", "d.js"], modules) == f'(() => {{\n"use strict";\n{script}}})();\n'


@pytest.mark.parametrize(
    ("modules", "why"),
    [
        (
            {"a.js": 'import { b } from "./b.js";\n', "b.js": 'import { a } from "./a.js";\nexport const b = 1;\n'},
            "modules import each other in a circle: a.js → b.js → a.js",
        ),
        (
            {"a.js": 'import { b } from "./b.js";\nconst c = 1;\n', "b.js": "export const b = 1;\nfunction c() {}\n"},
            "b.js and a.js both declare 'c'",
        ),
        (
            {"a.js": 'import { c } from "./b.js";\n', "b.js": "const c = 1;\n"},
            "a.js imports 'c', which b.js does not export",
        ),
        ({"a.js": 'import * as b from "./b.js";\n'}, "cannot be put together with others: 'import * as b from"),
        ({"a.js": "export default 1;\n"}, "cannot be put together with others: 'export default 1;'"),
        ({"a.js": "const a = `one\ntwo`;\n"}, "a text in backticks goes on beyond its line: 'const a = `one'"),
        ({"a.js": 'const a = "</script>";\n'}, "a script holds what would end its element"),
    ],
)
def test_what_cannot_be_put_together_is_refused(modules: dict[str, str], why: str) -> None:
    with pytest.raises(scripts.BadScript, match=re.escape(why)):
        together(["a.js"], modules)


def test_every_module_is_in_the_page_and_is_printed_as_it_is_written() -> None:
    modules = sorted(path.name for path in SCRIPTS.glob("*.js"))
    texts = {name: (SCRIPTS / name).read_text(encoding="utf-8") for name in modules}
    render = renderer()
    assert {name: render(f"docs/script/{name}") for name in modules} == texts
    _, early, *_, script = Elements(page_of(ROOT / "specs" / "chat.asyncapi.yaml")).texts
    assert early == together(["early.js"], texts)
    late = [name for name in modules if name != "early.js"]
    assert together(late, texts).count("\n") == script.count("\n")
    assert [
        name for name, text in texts.items() if "innerHTML" in text or "eval(" in text or "insertAdjacent" in text
    ] == []


def test_the_policy_lets_the_page_run_what_it_carries_and_open_sockets_only() -> None:
    page = page_of(ROOT / "specs" / "chat.asyncapi.yaml")
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    style, early, _, script = Elements(page).texts
    assert policy is not None
    assert policy[1].replace("&#39;", "'") == (
        f"default-src 'none'; script-src '{scripts.digest(early)}' '{scripts.digest(script)}'; "
        f"style-src '{scripts.digest(style)}'; "
        "connect-src ws: wss:; img-src data:; base-uri 'none'; form-action 'none'"
    )


# --- the data --------------------------------------------------------------------------------------------------------


def test_the_data_has_what_a_client_has_to_know() -> None:
    data = data_of(page_of(ROOT / "specs" / "chat.asyncapi.yaml"))
    (room,) = data["channels"]
    assert room["address"] == "/rooms/{room}"
    assert [choice["message"] for choice in room["sends"]["choices"]] == ["Join", "Leave", "SendMessage", "GetHistory"]
    assert room["replies"] == {"GetHistory": ["History"]}
    assert data["messages"]["GetHistory"]["correlation"] == ["id"]
    assert data["messages"]["GetHistory"]["schema"] == "#/definitions/GetHistory"
    assert data["schemes"] == {"accessToken": {"type": "http", "scheme": "bearer"}}
    limit = data["schemas"]["definitions"]["GetHistoryData"]["properties"]["limit"]
    assert (limit["default"], limit["description"]) == (50, "How many messages at most.")


def test_the_console_lists_all_that_a_parameter_can_be() -> None:
    data = data_of(page_of(ROOT / "specs" / "market.asyncapi.yaml"))
    parameters = [*data["servers"][0]["variables"], *data["channels"][0]["query"]]
    assert {one["name"]: one.get("values") for one in parameters} == {
        "region": ["eu", "us"],
        "depth": None,
        "quiet": ["true", "false"],
        "venue": None,
    }


def test_only_what_clients_send_has_examples() -> None:
    messages = data_of(page_of(ROOT / "specs" / "chat.asyncapi.yaml"))["messages"]
    assert [name for name, message in messages.items() if "examples" in message] == [
        *("Join", "Leave", "SendMessage", "GetHistory"),
    ]


def test_the_problems_after_which_clients_come_back_are_those_of_the_runtime() -> None:
    renewing = problems.Reaction.RENEW_TOKEN
    assert {
        kind.type for kind in problems.PROBLEMS.values() if kind.reaction.retriable and kind.reaction is not renewing
    } == AGAIN


@pytest.mark.parametrize("spec", sorted((ROOT / "specs").glob("*.yaml")), ids=lambda path: path.name)
def test_the_schemas_judge_as_those_of_the_package(spec: Path) -> None:
    """What only describes is added, and nothing else."""
    api, _ = examine(spec, name=spec.name)
    assert api is not None
    assert without_words(data_of(page_of(spec))["schemas"], api.schemas) == json.loads(json.dumps(dict(api.schemas)))


def without_words(value: Any, original: Any) -> Any:
    """The value without the descriptions that the original does not have."""
    if isinstance(value, dict):
        return {
            key: without_words(inner, original.get(key))
            for key, inner in value.items()
            if key in original or key not in ("title", "description", "default", "deprecated")
        }
    if isinstance(value, list):
        return [without_words(inner, other) for inner, other in zip(value, original, strict=True)]
    return value


@pytest.mark.parametrize(
    "text", ["</script><script>alert(1)</script>", "<!--", "\u2028\u202e\x00\ud800", "&quot;", "${a}`"]
)
def test_no_text_of_a_document_leaves_the_data(text: str) -> None:
    schema = {"definitions": {"A": {"const": text, "properties": {text: {"pattern": text}}}}}
    message = ir.Message(
        text,
        ir.Payload(ir.Anything(), "#/definitions/A"),
        HERE,
        text,
        examples=(ir.Example({text: [text]}, HERE, text),),
    )
    api = ir.Api(
        text,
        text,
        HERE,
        channels=(ir.Channel(text, f"/{text}", HERE),),
        operations=(ir.Operation("o", ir.Direction.CLIENT_TO_SERVER, text, (text,), HERE),),
        messages=(message,),
        schemas=schema,
    )
    page = docs.files(api, renderer())["docs/index.html"]
    *_, data, _ = Elements(page).texts
    found = json.loads(data)
    assert found["messages"][text]["examples"] == [{"name": text, "payload": {text: [text]}}]
    assert found["schemas"] == schema
    assert not {*data} & {"<", ">", "&", "\u2028", "\u202e", "\x00", "\ud800"}
