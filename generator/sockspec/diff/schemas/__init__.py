"""How two versions of a payload's schema relate: what has changed, and which payloads stay valid.

A change says where in the payload it was made and what it does to the set of valid payloads. The claims can be relied
on: where no change of a comparison may narrow (`Effect.may_narrow`), every payload that was valid by the old schema is
proven to be valid by the new one; where none may widen, the other way round. What cannot be proven is `UNPROVEN`.
The proofs are of what `jsonschema` judges with the formats that payloads are held to: `proving` has them.

There is one exception, and each change says whether it makes use of it. Where a schema allows properties that it does
not speak of, payloads may by chance have one of the very name of a property that is added later, with a value that does
not fit. Strictly, adding an optional property narrows then, and no API could ever grow. So there are two effects:

- `effect` leaves such payloads aside. An optional property that is added or removed, and was or is allowed anyway, has
  the effect `NONE`.
- `strict` reckons with them: the same change is `NARROWED`, or `WIDENED` where the property is removed.

Where the two differ, the last step of the change's path is the name. What is claimed by `effect` holds for all payloads
that have no member of that name but where the schema by which they are valid speaks of it.

What does not judge payloads is not in the documents that `ir.Api.schemas` are: titles, descriptions, and defaults.
Those of fields are in `ir.Field`. Where a document has them, `default` and `deprecated` are compared.

`Comparison` reads two documents once for any number of comparisons. The pointers of changes lead into these documents;
`ir.Api.schema_place` says where that was written.
"""

from __future__ import annotations

from collections.abc import Mapping

from sockspec.diff.schemas.change import Effect, SchemaChange
from sockspec.diff.schemas.comparison import Comparison
from sockspec.diff.schemas.kinds import KINDS, Kind

__all__ = ["KINDS", "Comparison", "Effect", "Kind", "SchemaChange", "compare"]


def compare(
    old: Mapping[str, object], old_ref: str, new: Mapping[str, object], new_ref: str
) -> tuple[SchemaChange, ...]:
    """What has changed from the schema at a reference into one document to that at a reference into another.

    The documents are such as `ir.Api.schemas`, and references such as `ir.Payload.schema`. Nothing has changed where
    there is no change; the order of changes is that of the schemas, from the outside in.
    """
    return Comparison(old, new).changes(old_ref, new_ref)
