"""When a client connects again, by the clock of the test and with the draws that the test chooses."""

from __future__ import annotations

from random import Random

import pytest

from sockspec.runtime import ClientOptions, Problem
from sockspec.runtime.backoff import Backoff, Ending, Reconnection


class Drawn(Random):
    """Always draws at the same place of a range: 0 for its start, 1 for its end."""

    def __init__(self, place: float) -> None:
        super().__init__(0)
        self._place = place

    def random(self) -> float:
        return self._place


UNBOUNDED = ClientOptions(max_attempts=1000)
"""Back-off without the bound on attempts in a window."""


def delays(place: float, count: int, options: ClientOptions = UNBOUNDED) -> list[float]:
    backoff = Backoff(options, Drawn(place))
    return [backoff.delay(0.0) for _ in range(count)]


def test_delays_double_from_the_base_to_the_cap() -> None:
    assert delays(1.0, 9) == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]


def test_delays_are_drawn_from_the_whole_range() -> None:
    assert delays(0.0, 3) == [0, 0, 0]
    assert delays(0.5, 3) == [0.25, 0.5, 1]


def test_very_many_failures_overflow_nothing() -> None:
    assert delays(1.0, 3000)[-1] == 30


def test_a_short_connection_does_not_reset_the_delays_and_a_long_one_does() -> None:
    backoff = Backoff(UNBOUNDED, Drawn(1.0))
    assert [backoff.delay(0.0, uptime=uptime) for uptime in (0, 0, 9.9, 10, 0)] == [0.5, 1, 2, 0.5, 1]


@pytest.mark.parametrize("place", [0.0, 0.01, 0.5, 1.0])
def test_a_server_that_accepts_and_closes_sees_at_most_five_attempts_in_any_thirty_seconds(place: float) -> None:
    backoff = Backoff(ClientOptions(), Drawn(place))
    now = 0.0
    attempts: list[float] = []
    while now < 300:
        backoff.attempted(now)
        attempts.append(now)
        now += backoff.delay(now)
    assert sum(moment < 30 for moment in attempts) <= 5
    assert all(later - earlier >= 30 for earlier, later in zip(attempts, attempts[5:], strict=False))


def test_a_thousand_clients_that_lose_their_server_together_come_back_apart() -> None:
    random = Random(7)
    found = sorted(Backoff(ClientOptions(), random).delay(0.0, uptime=60, asked=10) for _ in range(1000))
    assert found[0] >= 10
    assert found[-1] <= 20
    busiest = max(sum(start <= moment < start + 1 for moment in found) for start in range(10, 20))
    assert busiest < 150


def test_what_the_server_asks_for_is_obeyed_up_to_a_bound() -> None:
    assert [Backoff(UNBOUNDED, Drawn(0.0)).delay(0.0, asked=asked) for asked in (5, 300, 1e9)] == [5, 300, 300]


def after(*endings: Ending, renewable_token: bool = False) -> list[float | None]:
    reconnection = Reconnection(UNBOUNDED, Drawn(1.0), renewable_token=renewable_token)
    return [reconnection.after(ending, 0.0) for ending in endings]


def test_a_connection_that_broke_off_is_opened_again_and_one_that_was_ended_is_not() -> None:
    assert after(Ending(1006), Ending(1012), Ending(1000), Ending(1008)) == [0.5, 1, None, None]


def test_a_problem_decides_and_says_when() -> None:
    restart = Problem("/problems/service-restart", "", retry_after=3)
    assert after(Ending(1012, problem=restart)) == [6]
    assert after(Ending(1011, problem=Problem.of("/problems/internal-server-error"))) == [0.5]


@pytest.mark.parametrize("asked", [-1.0, float("nan"), float("inf")])
def test_a_delay_that_makes_no_sense_counts_as_none(asked: float) -> None:
    assert after(Ending(1012, problem=Problem("/problems/service-restart", "", retry_after=asked))) == [0.5]


def test_a_refused_handshake_is_judged_by_its_status() -> None:
    busy = Ending(status=503, retry_after=2)
    assert after(Ending(status=404), Ending(status=500), busy, Ending(hopeless=True)) == [None, 0.5, 4, None]


def test_a_new_token_is_asked_for_once_until_a_connection_lasted() -> None:
    refused = Ending(status=401)
    assert after(refused) == [None]
    assert after(refused, refused, renewable_token=True) == [0.5, None]
    lasted = Ending(1006, uptime=10)
    assert after(refused, lasted, refused, refused, renewable_token=True) == [0.5, 0.5, 1, None]
    assert after(Ending(3000), Ending(3000), renewable_token=True) == [0.5, None]
