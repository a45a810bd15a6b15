"""Feed the readers of what systems say: a worker's lines, an endpoint's completions, function calls, a compiler.  See driver.py."""

from __future__ import annotations

import json
from contextlib import suppress

import driver

with driver.instrumented(
    __name__, "assay.engine.wire", "assay.families.lm", "assay.families.transpile.rust.outcomes"
):
    from assay.families.lm.own.call_reading import NoCalls, calls, parsed
    from assay.families.lm.prompted.completion import read_answer, read_echo, read_refusal
    from assay.families.lm.prompted.prompt_logprobs import read_prompt_logprobs
    from assay.families.transpile.rust.outcomes import complaints


def seeds() -> list[bytes]:
    """Return one of each."""
    usage = {
        "prompt_tokens": 5,
        "completion_tokens": 2,
        "prompt_tokens_details": {"cached_tokens": 1},
        "cost": 0.1,
    }
    completion = {
        "id": "1",
        "model": "m",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "hi", "refusal": None},
                "finish_reason": "stop",
            }
        ],
        "usage": usage,
    }
    error = {"error": {"message": "no", "type": "t", "param": "p", "code": 429}}
    call = '<tool_call>{"name": "f", "arguments": {"a": [1]}}</tool_call> ```json\n[{"function": {"name": "g", "arguments": "{}"}}]\n```'
    span = {"file_name": "a.rs", "expansion": {"span": {"file_name": "b.rs", "expansion": None}}}
    rustc = {
        "level": "error",
        "code": {"code": "E0308"},
        "message": "m",
        "rendered": "r",
        "spans": [span],
        "children": [{"spans": [span], "children": []}],
    }
    echo = {"choices": [{"text": "Hi all!", "logprobs": {"tokens": ["Hi", " all", "!"], "token_logprobs": [None, -1.5, -2], "top_logprobs": [None, {" all": -1.5}, {"!": -2, "?": -1}]}}],
            "usage": {"prompt_tokens": 2, "prompt_tokens_details": {"cached_tokens": 1}, "cost": 0.1}}  # fmt: skip
    place = {
        "7": {"logprob": -1.5, "rank": 3, "decoded_token": "Hi"},
        "9": {"logprob": -0.5, "rank": 1, "decoded_token": "A"},
    }
    other = {"8": {"logprob": -1, "rank": 1, "decoded_token": " all"}}
    places = {
        "choices": [
            {"text": "!", "prompt_token_ids": [1, 7, 8], "prompt_logprobs": [None, place, other]}
        ],
        "usage": {"prompt_tokens": 3},
    }
    return [
        driver.bundle({"echo": echo}),
        driver.bundle({"places": places}),
        driver.bundle({"completion": completion}),
        driver.bundle({"completion": error}),
        driver.bundle({"calls": call}),
        driver.bundle({"calls": [{"name": "f", "arguments": {}}]}),
        driver.bundle({"rustc": [rustc]}),
    ]  # fmt: skip


def read(data: bytes) -> None:
    """Read an input as what it is called."""
    try:
        given = json.loads(data)
    except (ValueError, RecursionError):
        given = {"calls": data.decode("utf-8", "replace")}
    if not isinstance(given, dict):
        return
    if "completion" in given:
        read_answer(given["completion"])
        read_refusal(500, given["completion"])
    if "echo" in given:
        read_echo(given["echo"], "Hi all")
    if "places" in given:
        read_prompt_logprobs(given["places"], "Hi all")
    if "calls" in given:
        with suppress(NoCalls):
            calls(parsed(given["calls"]))
    if "rustc" in given:
        complaints(driver.file_bytes("linesl", given["rustc"]))


HARNESS = driver.Harness(read=read, seeds=seeds)

if __name__ == "__main__":
    driver.main(HARNESS)
