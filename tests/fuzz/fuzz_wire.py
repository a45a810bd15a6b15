"""Feed the engine what a system's process writes to it: see driver.py.

A system can find the pipe and write what it likes.  What arrives is no message, or a reply that records can hold.
"""

from __future__ import annotations

import json
import zlib

import driver
import msgspec

with driver.instrumented(
    __name__,
    "assay.engine.wire",
    "assay.engine.sound",
    "assay.engine.unchecked",
    "assay.store.replies",
):
    from assay.engine.sound import sound
    from assay.engine.unchecked import reply_of
    from assay.engine.wire import decode_message, encode, unpack_error, unpack_reply
    from assay.store.replies import first_of, read_replies

from assay import AssayError
from assay.core.record import Cell, Record
from assay.core.verdict import Outcome, Verdict
from assay.store.line import decode, to_line, to_record
from assay.store.line import encode as to_bytes
from assay.store.manifest import CellFacts

FILE = driver.new_folder() / "replies"
CELL = Cell(task="t", system="s", seed=0, split="test")


def seeds() -> list[bytes]:
    """Return a message of each kind, with a reply of each kind."""
    usage = {"busy_s": 0.5, "latency_s": 0.1, "first_token_s": 0.1, "tokens_in": 1, "tokens_cached": 0, "tokens_out": 3, "calls": 1,
             "billed_usd": 0.1, "joules": 1.0, "peak_bytes": 100, "cut": 0}  # fmt: skip
    answer = ["answer", {"a": [1, None, "x", 0.5]}, 0.5, {"a": 0.5}, "above"]
    said = [
        answer,
        ["bottom", "low", answer, "why"],
        ["bottom", "low", None, ""],
        ["failed", "died", "x"],
        ["crash", "machine", "x"],
    ]
    replies = [
        {"question": "q", "attempt": 0, "said": one, "usage": usage if one is answer else {}, "earlier": said[:number], "evidence": {"prompt": "p"}}
        for number, one in enumerate(said)
    ]  # fmt: skip
    made = {
        "digest": "sha256:0",
        "kind": "head",
        "size": 1,
        "source": None,
        "parents": ["sha256:1"],
        "made_by": "r",
        "license": None,
    }
    facts = {
        "build_s": 0.5,
        "notes": {"loss": 0.5, "n": 3, "of": "x"},
        "made": [made],
        "stateful": False,
        "in_flight": 1,
    }
    wrong = {"kind": "DataError", "what": "w", "where": "x", "hint": "h", "code": "A200"}
    messages: list[dict[str, object]] = [
        *({"reply": one, "number": 1} for one in replies),
        {"built": {"0": facts, "1": facts}},
        {"done": {"cpu_s": 0.5, "peak_bytes": 100}, "number": 1},
        {"crash": "OSError: x", "number": 2},
        {"error": wrong},
    ]
    waiting = [
        {"sample": one["question"], "attempt": 0, "crashed": False, "reply": one}
        for one in replies[:2]
    ]
    return [*(json.dumps(each).encode() for each in messages), driver.bundle({"waiting": waiting})]


def read(data: bytes) -> None:
    """Hear a line; what is heard must be fit for a journal, and be read back from it."""
    if data.startswith(b'{"waiting":'):
        unchecked(data)
        return
    try:
        message = decode_message(driver.trees.deepened(data))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return  # as the engine does: the process has died of it
    if message.reply is not None:
        reply = unpack_reply(message.reply)
        assert sound(reply) == reply
        record = Record(cell=CELL, sample=reply.question, attempt=reply.attempt, group="g", said=reply.said,
                        verdict=Verdict(outcome=Outcome.FAILED), usage=reply.usage, earlier=reply.earlier)  # fmt: skip
        written = to_bytes(to_line(record))
        assert to_bytes(to_line(to_record(decode(written), CELL))) == written
    if message.error is not None:
        assert isinstance(unpack_error(message.error), AssayError)
    for facts in (message.built or {}).values():
        known = msgspec.to_builtins(facts)
        CellFacts(
            task="t",
            system="s",
            seed=0,
            split="test",
            n=1,
            decisions="",
            build_s=known["build_s"],
            notes=known["notes"],
            made=known["made"],
        )
    encode(message)


def unchecked(data: bytes) -> None:
    """Read replies that wait for their check, whose checksums fit."""
    try:
        lines = json.loads(data)["waiting"]
    except (ValueError, RecursionError, LookupError):
        return
    bodies = [
        driver.file_bytes("line", line) for line in (lines if isinstance(lines, list) else [lines])
    ]
    FILE.write_bytes(b"".join(b"%08x %s\n" % (zlib.crc32(body), body) for body in bodies))
    assert len(first_of([FILE])) <= len(bodies)
    for said in read_replies(FILE):
        reply_of(said)


HARNESS = driver.Harness(read=read, seeds=seeds)

if __name__ == "__main__":
    driver.main(HARNESS)
