"""Names of definitions, in the document's words: a component's key, else where a schema stands."""

from __future__ import annotations

import re
from pathlib import Path

from sockspec.spec.resolve import Documents, Node
from sockspec.spec.source import unescape

_STRUCTURE = re.compile(r"/(?:properties|items|oneOf|anyOf|allOf|additionalProperties|definitions|\$defs)(?=/|$)")


class Names:
    """Hands out names, each once. The keys of `components/schemas` belong to the schemas that stand there."""

    def __init__(self, documents: Documents) -> None:
        self._taken: set[str] = set()
        self._numbers: dict[str, int] = {}
        self._targets: dict[tuple[Path, str], str] = {}
        components = documents.root.get("components")
        schemas = components.get("schemas") if components is not None else None
        if schemas is not None:
            for key, schema in schemas.items():
                self._taken.add(key)
                self._targets[schema.identity] = key

    def claim(self, words: str) -> str:
        """A name that nothing else has, made of these words."""
        stem = "".join(word[:1].upper() + word[1:] for word in re.split(r"[\s/]+", words)) or "Schema"
        claimed = stem
        while claimed in self._taken:
            self._numbers[stem] = self._numbers.get(stem, 1) + 1
            claimed = f"{stem}{self._numbers[stem]}"
        self._taken.add(claimed)
        return claimed

    def of_target(self, target: Node) -> str:
        """The name of what a reference leads to."""
        known = self._targets.get(target.identity)
        if known is None:
            known = self._targets[target.identity] = self.claim(self._describe(target))
        return known

    def _describe(self, target: Node) -> str:
        tokens = [unescape(token) for token in _STRUCTURE.sub("", target.pointer).split("/") if token]
        if tokens[:1] == ["components"]:
            tokens = tokens[2:]
        elif tokens[:1] in (["channels"], ["operations"], ["paths"]):
            tokens = tokens[1:]
        if not tokens or all(token.isdigit() for token in tokens):
            return target.text("title") or target.document.path.name.partition(".")[0]
        return " ".join(tokens)
