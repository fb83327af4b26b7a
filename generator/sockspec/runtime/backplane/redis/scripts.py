"""The scripts that the engine runs, as they are called."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from typing import Final, TypeAlias

Command: TypeAlias = tuple[bytes | str, ...]
"""The name of a command, a text, and what follows it."""


@dataclass(frozen=True, slots=True)
class Script:
    """A script, and its name in the engine."""

    text: bytes
    digest: bytes

    def call(self, keys: tuple[bytes, ...], *arguments: bytes) -> Command:
        """As the engine is asked for it once it knows it."""
        return ("EVALSHA", self.digest, b"%d" % len(keys), *keys, *arguments)


def _script(*names: str) -> Script:
    folder = files("sockspec.runtime.backplane.redis") / "lua"
    text = b"".join((folder / f"{name}.lua").read_bytes() for name in names)
    script = Script(text, hashlib.sha1(text, usedforsecurity=False).hexdigest().encode())
    _BY_DIGEST[script.digest] = script
    return script


def with_text(command: Command) -> Command:
    """A call of a script as the engine is asked for it when it does not know it."""
    digest = command[1]
    assert isinstance(digest, bytes)
    return ("EVAL", _BY_DIGEST[digest].text, *command[2:])


_BY_DIGEST: Final[dict[bytes, Script]] = {}

PUBLISH: Final = _script("stream", "publish")
POSITION: Final = _script("stream", "position")
READ: Final = _script("stream", "read")
RENEW: Final = _script("nodes", "renew")
RETIRE: Final = _script("nodes", "retire")
PLACE: Final = _script("nodes", "place")
DROP: Final = _script("nodes", "drop")
RECORDS: Final = _script("nodes", "records")
REAP: Final = _script("nodes", "reap")
TAKE: Final = _script("take")
