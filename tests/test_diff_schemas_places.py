"""Where the parts of the schemas that judge payloads were written."""

from __future__ import annotations

from pathlib import Path

import pytest

from sockspec import ir
from sockspec.diff.schemas import compare
from sockspec.pipeline import examine

TEXT = """\
asyncapi: 3.0.0
info: {title: Places, version: 1.0.0}
channels:
  all:
    address: /
    messages:
      note:
        payload:
          type: object
          required: [text]
          properties:
            text:
              $ref: '#/components/schemas/Text'
            rank:
              type: integer
              nullable: true
              minimum: 1
operations:
  note: {action: receive, channel: {$ref: '#/channels/all'}}
components:
  schemas:
    Text:
      type: string
      maxLength: 5
"""


def api_of(folder: Path, text: str = TEXT) -> ir.Api:
    path = folder / "places.yaml"
    path.write_text(text, encoding="utf-8")
    api, _ = examine(path, name="places.yaml")
    assert api is not None
    return api


@pytest.mark.parametrize(
    ("pointer", "line"),
    [
        ("#/definitions/note", 8),
        ("#/definitions/note/required", 10),
        ("#/definitions/note/properties/text", 12),
        ("#/definitions/Text/maxLength", 24),
        ("#/definitions/note/properties/rank/anyOf/0/minimum", 17),
        ("#/definitions/note/properties/rank/anyOf/1", 14),
        ("#/definitions/note/nowhere/at/all", 8),
    ],
)
def test_a_part_of_the_schemas_is_where_it_was_written(pointer: str, line: int, tmp_path: Path) -> None:
    api = api_of(tmp_path)
    assert api.schema_place is not None
    assert api.schema_place(pointer).line == line


def test_a_change_leads_to_the_lines_of_both_versions(tmp_path: Path) -> None:
    old, new = (
        api_of(tmp_path),
        api_of(tmp_path, TEXT.replace("maxLength: 5", "description: short\n      maxLength: 4")),
    )
    (change,) = compare(old.schemas, "#/definitions/note", new.schemas, "#/definitions/note")
    assert old.schema_place is not None
    assert new.schema_place is not None
    places = old.schema_place(change.old_pointer), new.schema_place(change.new_pointer)
    assert (change.kind, *map(str, places)) == ("max-length-lowered", "places.yaml:24:7", "places.yaml:25:7")
