"""NATS with JetStream, 2.11 or newer, as the backplane of a fleet: the extra `nats`.

All streams are subjects of one JetStream stream. The server republishes what it has stored on core NATS, which is the fan-out:
with the sequence that the entry got, and with that of the entry before it on the same subject.

What differs from the other backplanes:

- Offsets are sequences of the JetStream stream, so those of one stream have holes, and all streams are of one epoch.
- A stream of which nothing is stored stands where the JetStream stream does, which is never before its last entry; and at 0
  only while the JetStream stream is young.
- A JetStream stream has one bound of its own for all subjects: it is the largest `History.size` that was asked for. A smaller
  one is kept to when history is read.
- Entries stay stored for `remember` seconds, so that a position in a stream that nobody publishes to can still be told from one
  that missed something. They are given out for no longer than `History.seconds`. A position that is older than `remember`, in
  a stream of which nothing is stored, is not complete.
- With replicas, the one that answers a read may be behind: `Slice.top` is then the end that it knows.
- What JetStream has acknowledged is in the operating system's hands, and on the disk within the server's `sync_interval`.
- What was lost was lost of all streams, as far as anybody can tell: renouncing one begins another epoch of all of them, and
  removes what is stored. Other nodes learn of it within half of their `timeout`.
"""

from __future__ import annotations

try:
    from sockspec.runtime.backplane.nats.backplane import NatsBackplane
except ModuleNotFoundError as missing:
    if missing.name != "nats":
        raise
    raise ModuleNotFoundError("NatsBackplane needs nats-py: pip install 'sockspec[nats]'", name="nats") from None

__all__ = ["NatsBackplane"]
