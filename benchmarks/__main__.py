"""Figures for the README, each beside what it is measured against, in one run: `make bench`.

Machines differ and are shared, so ratios are what counts; nothing here fails.
"""

from __future__ import annotations

from benchmarks import checking, decoding, fleet, generating, holding, importing, lanes, real, receiving, serving


def main() -> None:
    """Run all benchmarks and print their tables."""
    for title, run in (
        ("One chat message: decoded, judged, dispatched", decoding.run),
        ("Larger payloads, in each lane", lanes.run),
        ("Large documents: validated and linted, in seconds of processor time", checking.run),
        ("A document of many messages: generated", generating.run),
        ("Real documents: generated", real.run),
        ("A generated package: imported", importing.run),
        (
            "Servers: thousands of chat messages in a second of their time, and times FastAPI + pydantic",
            serving.run,
        ),
        ("Many connections", holding.run),
        ("Clients", receiving.run),
        (f"A room of {fleet.MEMBERS}, by each backplane", fleet.deliveries),
        (f"The same room on {fleet.NODES} nodes", fleet.growth),
        ("Connections in a room", fleet.memory),
        ("Everybody comes back at once", fleet.storms),
        ("Publishing to a room that nobody is in", fleet.publishing),
    ):
        print(f"\n{title}\n{'-' * len(title)}")
        for line in run():
            print(line)


if __name__ == "__main__":
    main()
