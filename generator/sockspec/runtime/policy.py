"""What becomes of messages that break the document's schemas, and of those that it does not have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Policy: TypeAlias = Literal["strict", "report", "off"]
"""What is done about a received message that its schema refuses.

`strict`: it is reported and not delivered. `report`: it is reported, and delivered as far as it fits its class; what does
not fit stays a plain value, and what is missing is `UNSET`. `off`: the validator is not asked, and nothing is reported.
"""


@dataclass(frozen=True, slots=True)
class UnknownMessage:
    """Something received that is no message of the document, for instance a newer one."""

    value: object
    """The plain JSON value; the text or the bytes of a frame that is not JSON."""


SlowConsumer = Literal["disconnect", "drop-oldest", "coalesce"]
"""What happens when more waits for a peer than the limits allow.

`disconnect` ends the connection. `drop-oldest` forgets what has waited longest. `coalesce` keeps of all messages with the
same key only the latest, and ends the connection when that is not enough.
"""

Overflow = Literal["pause", "drop-oldest", "fail"]
"""What happens when an application takes what is received more slowly than it comes.

`pause` stops reading from the network, so that the server notices. `drop-oldest` forgets what has waited longest. `fail`
ends the client with InboxFull.
"""

Offline = Literal["wait", "raise", "queue"]
"""What becomes of messages that are sent while there is no connection.

`wait` holds the sender up until there is one, `ClientOptions.send_timeout` at most. `raise` raises NotConnected at once.
`queue` takes them, returns at once, and sends them in order later.
"""
