"""Hundreds of requests at once: held to a rate, honest about time and money, bounded in bytes."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import Iterable, Sequence
from itertools import accumulate
from math import ceil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import Answer, Crash, Failed, PlanError, Question, Reply, System
from assay.families.lm.prompted import sockets
from assay.families.lm.prompted.endpoint import OpenAi
from assay.families.lm.prompted.pace import Turns

pytest.importorskip("openai")

from faulty_endpoint import faulty_endpoint
from many_endpoint import Many, answer_to, many_endpoint

MINUTE = 60.0


class Quick(asyncio.SelectorEventLoop):
    """A loop on which a sleep takes no time: the clock is put forward instead."""

    def __init__(self) -> None:
        super().__init__()
        self.now, real = 0.0, self._selector  # type: ignore[attr-defined]
        select = real.select

        def at_once(timeout: float | None = None) -> list[Any]:
            self.now += timeout or 0.0
            found: list[Any] = select(0)
            return found

        real.select = at_once

    def time(self) -> float:
        return self.now


def quickly(coroutine: Any) -> Any:
    with asyncio.Runner(loop_factory=Quick) as runner:
        return runner.run(coroutine)


async def leave(
    turns: Turns, asked: Iterable[tuple[float, float, float]]
) -> list[tuple[float, float]]:
    """Return when requests left, and with how many tokens: each after a pause, some given back."""
    loop = asyncio.get_running_loop()
    left: list[tuple[float, float]] = []

    async def one(tokens: float, used: float) -> None:
        await turns.take(tokens)
        left.append((loop.time(), tokens))
        await asyncio.sleep(1.0)
        turns.give_back(tokens * (1 - used))

    tasks = []
    for pause, tokens, used in asked:
        await asyncio.sleep(pause)
        tasks.append(asyncio.create_task(one(tokens, used)))
    await asyncio.gather(*tasks)
    return sorted(left)


def worst_minute(left: Sequence[tuple[float, float]]) -> tuple[int, float]:
    """Return the most requests and the most tokens that left in one minute."""
    totals = [0.0, *accumulate(tokens for _, tokens in left)]
    start, most, largest = 0, 0, 0.0
    for end, (at, _) in enumerate(left):
        while at - left[start][0] >= MINUTE:
            start += 1
        most = max(most, end + 1 - start)
        largest = max(largest, totals[end + 1] - totals[start])
    return most, largest


PAUSES = st.one_of(st.just(0.0), st.floats(0, 100))


@given(
    st.floats(1, 3000),
    st.lists(st.tuples(PAUSES, st.just(0.0), st.just(1.0)), max_size=200),
)
def test_no_minute_has_more_requests_than_it_may(
    rate: float, asked: list[tuple[float, float, float]]
) -> None:
    left = quickly(leave(Turns(rate), asked))
    assert len(left) == len(asked)
    assert worst_minute(left)[0] <= ceil(rate)  # three in two minutes are two in one of them


@given(st.floats(100, 1e6), st.data())
def test_no_minute_has_more_tokens_than_it_may(rate: float, data: st.DataObject) -> None:
    sizes = st.floats(1, rate / 2)
    asked = data.draw(st.lists(st.tuples(PAUSES, sizes, st.just(1.0)), max_size=60))
    left = quickly(leave(Turns(None, rate), asked))
    assert len(left) == len(asked)
    assert worst_minute(left)[1] <= rate * (1 + 1e-6)


def test_a_rate_is_nearly_used_up() -> None:
    left = quickly(leave(Turns(600), [(0.0, 0.0, 1.0)] * 1800))
    assert left[-1][0] - left[0][0] <= 3 * MINUTE / 0.97
    left = quickly(leave(Turns(None, 60_000), [(0.0, 500.0, 1.0)] * 360))
    assert left[-1][0] - left[0][0] <= 3 * MINUTE / 0.87


def test_tokens_that_were_not_taken_are_given_back() -> None:
    """Answers that are ten times shorter than they might be let ten times as many through."""
    whole = quickly(leave(Turns(None, 60_000), [(0.0, 1000.0, 1.0)] * 240))
    tenth = quickly(leave(Turns(None, 60_000), [(0.0, 1000.0, 0.1)] * 240))
    assert 5 * tenth[-1][0] < whole[-1][0]


@given(st.lists(st.tuples(st.floats(0, 5), st.floats(0.01, 60)), min_size=1, max_size=8))
def test_a_wait_that_one_is_asked_for_holds_all(holds: list[tuple[float, float]]) -> None:
    async def ask() -> None:
        loop, turns = asyncio.get_running_loop(), Turns(None)
        until = 0.0
        for pause, seconds in holds:
            await asyncio.sleep(pause)
            turns.hold(seconds)
            until = max(until, loop.time() + seconds)
            waiting = [asyncio.create_task(turns.take()) for _ in range(3)]
            await asyncio.sleep(0)
            assert loop.time() >= until or not any(task.done() for task in waiting)
        await turns.take()
        assert loop.time() >= until - 1e-6
        await asyncio.gather(*waiting)

    quickly(ask())


def build(url: str, folder: Path, **options: Any) -> System:
    given: dict[str, Any] = {"base_url": url, "model": "m", "key": "", "max_tokens": 8} | options
    return OpenAi(**given).build([], [], seed=0, workdir=folder).system


def ask(system: System, texts: Sequence[str]) -> dict[str, Reply]:
    asked = [Question(id=text, input=text) for text in texts]
    return {reply.question: reply for reply in system.answer(asked)}


def texts(count: int) -> list[str]:
    return [f"review {i}" for i in range(count)]


def right(replies: dict[str, Reply]) -> bool:
    return all(reply.said == Answer(answer_to(text)) for text, reply in replies.items())


@pytest.mark.slow
def test_three_hundred_are_in_flight_at_once_and_each_gets_its_own(tmp_path: Path) -> None:
    with many_endpoint(0.0, gather=300) as server:  # it answers nobody before there are 300
        replies = ask(build(server.url, tmp_path, parallel=300), texts(320))
        assert len(replies) == 320
        assert right(replies)
        assert server.told()["most"] == 300


@pytest.mark.slow
def test_a_tenth_of_the_calls_goes_wrong_and_nothing_is_lost_or_paid_twice(tmp_path: Path) -> None:
    with many_endpoint(0.0, faults=0.1, seed=3) as server:
        replies = ask(build(server.url, tmp_path, parallel=100, retries=9), texts(300))
        told = server.told()
    assert right(replies)
    assert set(told["answered"].values()) == {1}
    assert len(told["went_wrong"]) == 6
    asked = {text: reply.usage.calls for text, reply in replies.items()}
    assert asked == told["asked"]
    assert sum(asked.values()) > 310


@pytest.mark.slow
def test_the_server_sees_the_rate_that_was_declared_whatever_goes_wrong(tmp_path: Path) -> None:
    with many_endpoint(0.0, faults=0.1, seed=4) as server:
        system = build(server.url, tmp_path, parallel=100, retries=9, per_minute=900.0)
        assert right(ask(system, texts(40)))
        at = sorted(server.told()["at"])
    assert len(at) > 40
    for first, start in enumerate(at):
        for count, when in enumerate(at[first:], 1):
            # Fifteen a second; what was delayed on its way, or by a busy machine, comes a second late at most.
            assert count <= 15 * (when - start + 1.0) + 1


def test_a_wait_for_a_turn_or_a_free_place_is_no_latency(tmp_path: Path) -> None:
    with many_endpoint(0.0) as server:
        for options in ({"parallel": 50, "per_minute": 1200.0}, {"parallel": 1}):
            replies = ask(build(server.url, tmp_path, **options), texts(20))
            latencies = sorted(reply.usage.latency_s or 0.0 for reply in replies.values())
            assert 0 < latencies[len(latencies) // 2] < 0.4


@pytest.fixture(scope="module")
def faulty():
    with faulty_endpoint() as server:
        yield server


def test_what_one_is_asked_to_wait_all_wait(faulty: Any, tmp_path: Path) -> None:
    faulty.at.clear()
    replies = ask(build(faulty.url, tmp_path, parallel=2), ["busy once", *texts(150)])
    assert all(isinstance(reply.said, Answer) for reply in replies.values())
    first, second = faulty.at["busy once"]
    between = [at for times in faulty.at.values() for at in times if first < at < second]
    # One other was under way; nothing was begun after it before the 0.3 s were over.
    assert all(at < first + 0.15 or at > first + 0.3 for at in between)


def test_a_reply_that_was_paid_for_and_is_none_costs_what_it_costs(
    faulty: Any, tmp_path: Path
) -> None:
    [reply] = ask(build(faulty.url, tmp_path, retries=1), ["paid for nothing"]).values()
    assert reply.said == Crash("malformed", reply.said.detail)
    usage = reply.usage
    assert (usage.calls, usage.tokens_in, usage.tokens_out, usage.billed_usd) == (2, 22, 6, 0.5)


@pytest.mark.parametrize("what", ["endless", "endless refusal", "endless stream", "bomb"])
def test_a_reply_without_end_has_failed_and_takes_bounded_memory(
    faulty: Any, tmp_path: Path, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "MOST_BYTES", 3_000_000)
    transfer = "streamed" if what == "endless stream" else "whole"
    system = build(faulty.url, tmp_path, transfer=transfer, retries=3)
    faulty.asked.clear()
    tracemalloc.start()
    try:
        [reply] = ask(system, [what]).values()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert reply.said == Failed("too_large", "the reply has more than 3,000,000 bytes")
    assert faulty.asked[what] == 1, "nobody pays for it again"
    assert peak < 40_000_000
    assert ask(system, ["hello"])["hello"].said == Answer("you said hello")


def test_a_packed_reply_is_unpacked_and_one_in_an_odd_packing_is_refused(
    faulty: Any, tmp_path: Path
) -> None:
    system = build(faulty.url, tmp_path, retries=0)
    replies = ask(system, ["packed", "odd packing"])
    assert replies["packed"].said == Answer("unpacked")
    odd = replies["odd packing"].said
    assert isinstance(odd, Crash)
    assert "packed by 'br'" in odd.detail


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"tokens_per_minute": 0.0}, "is 0"),
        ({"tokens_per_minute": float("inf")}, "is inf"),
        ({"tokens_per_minute": 1000, "max_tokens": 501}, "one answer may take 501"),
    ],
)
def test_a_rate_of_tokens_that_makes_no_sense_is_refused(options: Any, why: str) -> None:
    with pytest.raises(PlanError, match=why) as caught:
        OpenAi(base_url="https://api.openai.com/v1", model="m", **options)
    assert (caught.value.code, caught.value.where) == ("A102", "options.tokens_per_minute")


def test_the_server_of_these_tests_says_where_it_is() -> None:
    with many_endpoint() as server:
        assert isinstance(server, Many)
        assert server.told()["asked"] == {}
