"""JSON Web Tokens (RFC 7519), by PyJWT: the extra `jwt`."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.request import Request, urlopen

import jwt
import msgspec

from sockspec.runtime.problems import TOKEN_EXPIRED, UNAUTHORIZED, Problem, Refused
from sockspec.runtime.security.principal import Principal

_log: Final = logging.getLogger("sockspec.server")

_MOST_KEY_SET: Final = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class JwtPrincipal(Principal):
    """Whoever a token was issued to: `id` is its `sub`, `expires` its `exp`."""

    claims: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)


class JwtVerifier:
    """Verifies tokens: signature, `exp`, `nbf`, `aud` and `iss`, with algorithms that are named beforehand.

    A key that a token brings along or points to is never used.
    """

    def __init__(
        self,
        *,
        algorithms: Sequence[str],
        issuer: str,
        audience: str | Sequence[str],
        key: str | bytes | None = None,
        key_set_url: str = "",
        leeway: float = 10.0,
        scope_claims: Sequence[str] = ("scope", "scp"),
        fetch: Callable[[str], bytes] | None = None,
        refresh_after: float = 30.0,
    ) -> None:
        """Either `key`, a secret or a public key in PEM, or `key_set_url`, where a JSON Web Key Set (RFC 7517) is.

        `leeway` is how many seconds clocks may differ. `fetch` gets the key set in place of the built-in way, in a thread
        of its own. A token with a key that is not known has the set read anew, every `refresh_after` seconds at most.
        Raises ValueError for algorithms that are unsafe here, and unless there is exactly one kind of key.
        """
        if not algorithms or any(name.lower() == "none" for name in algorithms):
            raise ValueError("name the algorithms that tokens are signed with; 'none' is no signature")
        symmetric = {name.startswith("HS") for name in algorithms}
        if len(symmetric) > 1:
            raise ValueError("a public key must not serve as a secret: name either HS… or other algorithms")
        if (key is None) is (not key_set_url):
            raise ValueError("give either key= or key_set_url=")
        if key_set_url and True in symmetric:
            raise ValueError("a key set is public: secrets for HS… algorithms do not belong there")
        if key_set_url and not key_set_url.startswith("https://") and fetch is None:
            raise ValueError("a key set has to come over https://")
        self._algorithms = list(algorithms)
        self._issuer = issuer
        self._audience = audience
        self._key = key
        self._url = key_set_url
        self._leeway = leeway
        self._scope_claims = tuple(scope_claims)
        self._fetch = fetch or _fetch
        self._refresh_after = refresh_after
        self._keys: dict[str, Any] = {}
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    async def verify(self, token: str) -> JwtPrincipal:
        """Whose token it is. Raises Refused: token-expired for one that was good, else unauthorized."""
        try:
            key = self._key if self._key is not None else await self._key_of(token)
            claims = jwt.decode(
                token,
                key,
                algorithms=self._algorithms,
                audience=self._audience,
                issuer=self._issuer,
                leeway=self._leeway,
                options={"require": ["exp", "sub", "aud", "iss"], "verify_sub": True},
            )
            # Times that no calendar has are signed as easily as others, and so is nobody's name.
            expires = dt.datetime.fromtimestamp(claims["exp"], dt.UTC) + dt.timedelta(seconds=self._leeway)
            if not claims["sub"]:
                raise jwt.InvalidTokenError("the subject is empty")
        except jwt.ExpiredSignatureError:
            raise Refused(Problem.of(TOKEN_EXPIRED)) from None
        except (jwt.PyJWTError, ValueError, TypeError, OSError, OverflowError, RecursionError) as error:
            _log.info("a token is refused: %s", type(error).__name__)  # its text can quote the token
            raise Refused(Problem.of(UNAUTHORIZED, "the token is not valid")) from None
        return JwtPrincipal(id=claims["sub"], scopes=frozenset(self._scopes(claims)), expires=expires, claims=claims)

    def _scopes(self, claims: Mapping[str, Any]) -> Iterable[str]:
        """Scopes as one text (RFC 8693, section 4.2) or as a list."""
        for name in self._scope_claims:
            value = claims.get(name)
            if isinstance(value, str):
                yield from value.split()
            elif isinstance(value, list):
                yield from (one for one in value if isinstance(one, str))

    async def _key_of(self, token: str) -> Any:
        header = jwt.get_unverified_header(token)
        name = header.get("kid")
        if not isinstance(name, str):
            raise jwt.InvalidTokenError("no key is named")
        if name not in self._keys:
            async with self._reading:
                # One attempt for all that wait, and none at all soon after the last: anybody can make up names of keys.
                if name not in self._keys and time.monotonic() - self._read_at >= self._refresh_after:
                    self._read_at = time.monotonic()
                    await self._read_key_set()
        key = self._keys.get(name)
        if key is None:
            raise jwt.InvalidTokenError("the key is not known")
        return key

    async def _read_key_set(self) -> None:
        try:
            text = await asyncio.to_thread(self._fetch, self._url)
            keys = jwt.PyJWKSet.from_dict(msgspec.json.decode(text)).keys
        except Exception as error:
            # Whoever has a key that is known still gets in.
            _log.warning("the key set could not be read: %s", type(error).__name__)
            return
        self._keys = {key.key_id: key.key for key in keys if key.key_id and key.public_key_use in (None, "sig")}


def _fetch(url: str) -> bytes:
    with urlopen(Request(url, headers={"Accept": "application/json"}), timeout=5.0) as response:
        text: bytes = response.read(_MOST_KEY_SET + 1)
    if len(text) > _MOST_KEY_SET:
        raise ValueError("the key set is too large")
    return text
