"""What stays the same of a finding while its file changes around it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable

from sockspec.diagnostics import Diagnostic


def fingerprints(findings: Iterable[Diagnostic], name: Callable[[str], str] = str) -> list[str]:
    """A fingerprint of each finding, in their order, each once.

    It is made of the code, the file, what stands there and the message, and of no line: a finding keeps it when lines
    move. Of findings that are alike in all that, it tells which one it is. `name` gives the name of a file that counts.
    """
    seen: Counter[str] = Counter()
    found: list[str] = []
    for finding in findings:
        parts = (finding.code.id, name(finding.location.path), finding.location.pointer, finding.message)
        text = "\0".join(parts).encode(errors="surrogatepass")
        digest = hashlib.sha256(text).hexdigest()[:32]
        found.append(
            digest if not seen[digest] else hashlib.sha256(f"{digest}:{seen[digest]}".encode()).hexdigest()[:32]
        )
        seen[digest] += 1
    return found
