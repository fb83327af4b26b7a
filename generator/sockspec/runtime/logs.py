"""Log records as lines of JSON, with the ids of connections and incidents as members of their own."""

from __future__ import annotations

import datetime as dt
import logging
from typing import Final

import msgspec

_MEMBERS: Final = ("connection", "incident")


class JsonFormatter(logging.Formatter):
    """A line of JSON for each record: `time`, `level`, `logger`, `message`, and `connection` and `incident` if any.

    It holds for all records, not only the runtime's own. Those have no payloads, no tokens and no queries.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        moment = dt.datetime.fromtimestamp(record.created, dt.UTC)
        line: dict[str, object] = {
            "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: getattr(record, name) for name in _MEMBERS if hasattr(record, name)}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line).decode()
