"""The standard problems of the design guide's error messages, in the words of somebody who receives them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """A kind of problem. `refusal` is the HTTP status of a refused handshake, `close` the close code that follows."""

    type: str
    meaning: str
    refusal: str
    close: str
    advice: str

    @property
    def anchor(self) -> str:
        """Where it is on the page."""
        return f"problem-{self.type.strip('`').rpartition('/')[2]}"


PROBLEMS = tuple(
    Problem(f"/problems/{name}", *row)
    for name, *row in (
        ("unauthorized", "The credentials are missing or wrong.", "401", "3000", "Get a new token and try once more."),
        ("token-expired", "The credentials have expired.", "401", "3000", "Get a new token and try once more."),
        ("forbidden", "The credentials do not allow this.", "403", "3003", "Do not try again."),
        ("origin-not-allowed", "Pages of this origin may not connect.", "403", "", "Do not try again."),
        (
            "reach-maximum-connections",
            "There are as many connections as are allowed.",
            "503",
            "1013",
            "Wait, longer each time, and try again.",
        ),
        ("too-many-requests", "Messages or connections come too fast.", "429", "1008", "Send more slowly."),
        (
            "validation-error",
            "The message breaks its schema; its errors say where.",
            "",
            "1008",
            "Correct the message.",
        ),
        ("unknown-type", "The message is none of those that this endpoint takes.", "", "1008", "Correct the message."),
        ("malformed-message", "The message is not JSON.", "", "1008", "Correct the message."),
        ("binary-not-supported", "Binary frames are not understood here.", "", "1003", "Send text frames."),
        ("message-too-large", "The message is larger than is allowed.", "", "1009", "Send smaller messages."),
        ("slow-consumer", "Messages are read more slowly than they are sent.", "", "1013", "Connect again."),
        ("idle-timeout", "Nothing was sent for too long.", "", "3008", "Connect again."),
        (
            "internal-server-error",
            "Something failed on the server.",
            "500",
            "1011",
            "Wait, longer each time, and try again.",
        ),
        (
            "service-restart",
            "The server restarts.",
            "503",
            "1012",
            "Connect again after the time that it names (retryAfter, in seconds) and a random delay.",
        ),
        (
            "service-unavailable",
            "The server cannot do this just now.",
            "503",
            "1013",
            "Try again after the time that it names (retryAfter, in seconds).",
        ),
        ("invalid-parameters", "A parameter of the address or a header is missing or wrong.", "400", "", "Correct it."),
        ("not-found", "There is no endpoint at this address.", "404", "", "Do not try again."),
        ("unsupported-version", "The version in the address is no longer served.", "410", "", "Do not try again."),
    )
)
