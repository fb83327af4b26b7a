"""The rules for changes of what travels: messages, how they are told apart, replies, closing, limits, heartbeats."""

from __future__ import annotations

from sockspec.diagnostics import Severity
from sockspec.diff.rule import Category, table

_ERROR, _WARNING, _INFO = Severity.ERROR, Severity.WARNING, Severity.INFO

MESSAGES = table(
    Category.WIRE,
    (
        (
            "client-message-removed",
            _ERROR,
            "The server does not take a message any more that clients could send.",
            "Clients that send it get an error message in place of what they wanted.",
            "Mark it deprecated, and go on taking it until nobody sends it.",
        ),
        (
            "client-message-added",
            _INFO,
            "The server takes another message.",
            "Clients do not send it, and need not.",
            "",
        ),
        (
            "server-message-removed",
            _WARNING,
            "The server does not send a message any more.",
            "Clients that wait for it wait in vain; nothing tells them.",
            "Mark it deprecated, and go on sending it until nobody waits for it.",
        ),
        (
            "server-message-added",
            _WARNING,
            "The server sends another message.",
            (
                "Clients made by sockspec hand a message that they do not know to `on_unknown`, report it to `on_problem` "
                "and go on. Other clients may fail over it, or take it for another message."
            ),
            "Send it only to clients that asked for it: by a message, a query parameter or a subprotocol of its own.",
        ),
        (
            "content-changed",
            _ERROR,
            "A message travels in another way: as JSON, as plain text, or as a binary frame.",
            "Who knows the old way cannot read it.",
            "Add a new message for the new way.",
        ),
        (
            "property-default-changed",
            _WARNING,
            "A property means something else when it is left out: its `default` changed.",
            "Old clients that leave it out mean the old default, and fill in the old one where the server leaves it out.",
            "Keep the default.",
        ),
        (
            "order-given-up",
            _WARNING,
            "Messages of an operation are handled side by side (`x-concurrent`), which were handled one after another.",
            "Clients that rely on answers in the order of their requests get them in another one.",
            "Let clients tell answers by a correlation id before.",
        ),
    ),
)

DISPATCH = table(
    Category.WIRE,
    (
        (
            "tag-property-changed",
            _ERROR,
            "Messages of one direction are told apart by another property than before.",
            (
                "The old property tells nothing any more: messages of an old client are unknown to the server, and the other "
                "way about."
            ),
            "Keep the old property beside the new one.",
        ),
        (
            "tag-value-changed",
            _ERROR,
            "A message has another constant in the property that says what it is, or a value less.",
            "To a receiver that knows the old constant only, it is an unknown message.",
            "Add a message with the new constant, and keep the old one until nobody uses it.",
        ),
        (
            "tag-value-added",
            _WARNING,
            "A message may have more constants in the property that says what it is.",
            "Where the server sends it, old clients do not know the new constants.",
            "Send the old constants to clients that know no others.",
        ),
        (
            "messages-alike",
            _WARNING,
            "Nothing but trial in the order of the document tells the messages of one direction apart any more.",
            "A payload that fits two messages is taken for the first one, which may be the wrong one.",
            "Give each message a required property such as `type` with a constant of its own.",
        ),
    ),
)

REPLIES = table(
    Category.WIRE,
    (
        (
            "reply-removed",
            _ERROR,
            "The server does not answer a message any more that it answered.",
            "Clients that wait for the reply wait until their time is up.",
            "Go on answering.",
        ),
        (
            "reply-added",
            _INFO,
            "The server answers a message that it did not answer.",
            "Clients get the answer as any other message.",
            "",
        ),
        (
            "reply-message-added",
            _ERROR,
            "A message may be answered by another one than before.",
            "Clients that wait for the old replies do not take it for one, and wait until their time is up.",
            "Use the new reply for a new request only.",
        ),
        (
            "reply-message-removed",
            _INFO,
            "A message is not answered by one of several replies any more.",
            "Clients get one of the others.",
            "",
        ),
        (
            "server-request-added",
            _ERROR,
            "The server waits for clients to answer a message that needed no answer.",
            "Old clients do not answer.",
            "Ask with a new message, and only clients that told you that they answer.",
        ),
        (
            "server-request-removed",
            _INFO,
            "The server does not wait for an answer to a message any more.",
            "Clients may go on answering where the answer is still a message that the server takes.",
            "",
        ),
        (
            "answer-removed",
            _ERROR,
            "The server does not take one of the answers any more that clients could give to a message.",
            "Clients that answer so are not understood, and the server goes on waiting.",
            "Go on taking the old answer.",
        ),
        ("answer-added", _INFO, "Clients may answer a message in another way, too.", "The old answers do.", ""),
        (
            "correlation-removed",
            _ERROR,
            "A message has no correlation id any more.",
            "Who waits for a reply cannot tell to which of several requests it belongs.",
            "Keep the correlation id.",
        ),
        (
            "correlation-changed",
            _ERROR,
            "The correlation id stands at another place of a message.",
            "Who looks for it at the old place finds nothing, and waits until the time is up.",
            "Repeat the id at both places.",
        ),
        (
            "correlation-added",
            _INFO,
            "A message has a correlation id, and had none.",
            (
                "Without an id, replies go by their kind and order, as before. Where the new property is required, that is a "
                "change of its own."
            ),
            "",
        ),
    ),
)

LIFE = table(
    Category.WIRE,
    (
        (
            "close-code-removed",
            _INFO,
            "The server does not close connections with a code any more.",
            "Clients do not get it.",
            "",
        ),
        (
            "close-code-added",
            _WARNING,
            "The server closes connections with a code that clients do not know.",
            (
                "Clients decide by the code whether they connect again. One that they do not know is treated as any other "
                "failure."
            ),
            "Choose a code whose reading by old clients does no harm.",
        ),
        (
            "close-code-problem-changed",
            _WARNING,
            "A close code stands for another problem.",
            "Clients draw the old conclusions, such as to connect again or not.",
            "Use a code of its own for the new problem.",
        ),
        (
            "message-limit-lowered",
            _ERROR,
            "Messages have to be smaller or less deeply nested than before.",
            "Messages that were taken end the connection, or are answered with an error message.",
            "Keep the limit.",
        ),
        (
            "limit-lowered",
            _WARNING,
            "The server puts up with less: connections, rates, times.",
            "Clients that stayed within the old limit may be above the new one.",
            "Look at what clients use before you lower it.",
        ),
        (
            "limit-added",
            _WARNING,
            "The document declares a limit that it did not declare.",
            "Clients did not know of one.",
            "Look at what clients use.",
        ),
        ("limit-raised", _INFO, "The server puts up with more.", "Clients go on as they were.", ""),
        ("limit-removed", _INFO, "The document does not declare a limit any more.", "Clients go on as they were.", ""),
        (
            "server-heartbeat-added",
            _ERROR,
            "The server asks whether clients are there, and did not.",
            "Old clients do not answer, and are taken for dead.",
            "Use the pings of WebSocket itself (RFC 6455, section 5.5.2), which every client answers.",
        ),
        (
            "client-heartbeat-added",
            _INFO,
            "Clients may ask whether the server is there.",
            "Old clients do not ask, and need not.",
            "",
        ),
        (
            "heartbeat-removed",
            _WARNING,
            "There is no heartbeat any more.",
            "Clients that ask get no answer, or wait to be asked in vain, and give the connection up.",
            "Go on answering until nobody asks.",
        ),
        (
            "heartbeat-changed",
            _WARNING,
            "A heartbeat goes by other messages, by another side, or in other times.",
            "Old clients keep the old ones.",
            "Make times longer, not shorter.",
        ),
    ),
)

WIRE = {**MESSAGES, **DISPATCH, **REPLIES, **LIFE}
