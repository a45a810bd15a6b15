"""A client server that failed for a moment is asked again, and one that refuses is not."""

from __future__ import annotations

import pytest

from assay.engine.ray.cluster import TRIES, join_client

NOT_THERE = "Initialization failure from server:\nRuntimeError: Starting Ray client server failed. See its log"
JUST_ENDED = (
    "Initialization failure from server:\npsutil.ZombieProcess: PID still exists but it's a zombie"
)
REFUSED = "Initialization failure from server:\nVersion mismatch"


class Client:
    """What stands for the module ``ray``: it fails with these words, one after the other, and then is joined."""

    def __init__(self, *words: str) -> None:
        self.words = list(words)
        self.asked = self.ended = 0

    def init(self, *, address: str) -> None:
        assert address == "ray://there"
        self.asked += 1
        if self.words:
            raise ConnectionError(self.words.pop(0))

    def shutdown(self) -> None:
        self.ended += 1


@pytest.mark.parametrize("words", [NOT_THERE, JUST_ENDED])
def test_what_passes_is_asked_again_and_no_half_connection_is_left(words: str) -> None:
    client = Client(*[words] * (TRIES - 1))
    join_client(client, "ray://there", {})
    assert (client.asked, client.ended, client.words) == (TRIES, TRIES - 1, [])


@pytest.mark.parametrize("words", [NOT_THERE, JUST_ENDED])
def test_what_does_not_pass_is_said_after_the_last_try(words: str) -> None:
    client = Client(*[words] * TRIES)
    with pytest.raises(ConnectionError, match="Initialization failure"):
        join_client(client, "ray://there", {})
    assert client.asked == TRIES


def test_a_refusal_is_said_at_once() -> None:
    client = Client(REFUSED)
    with pytest.raises(ConnectionError, match="Version mismatch"):
        join_client(client, "ray://there", {})
    assert client.asked == 1
