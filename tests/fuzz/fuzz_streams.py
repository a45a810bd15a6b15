"""Feed the reader of answers that come in pieces: an endpoint's server-sent events, through its client.  See driver.py.

A list is the events' data; other bytes are the body as it came.
"""

from __future__ import annotations

import asyncio
import atexit
import json
from contextlib import suppress

import driver

with driver.instrumented(__name__, "assay.families.lm.prompted", "openai._streaming"):
    import httpx2
    import openai
    from openai.types.chat import ChatCompletionChunk

    from assay.families.lm.prompted.completion import read_answer
    from assay.families.lm.prompted.streamed import Heard, chunk_of

REQUEST = httpx2.Request("POST", "http://127.0.0.1/v1/chat/completions")
CLIENT = openai.AsyncOpenAI(base_url="http://127.0.0.1/v1", api_key="none")
LOOP = asyncio.new_event_loop()


@atexit.register
def _end() -> None:
    """End the streams that an error cut short, which asyncio would speak of otherwise."""
    LOOP.run_until_complete(LOOP.shutdown_asyncgens())
    LOOP.close()


def seeds() -> list[bytes]:
    """Return an answer in pieces, a refusal, an error, and a body."""
    first = {"id": "c", "model": "m", "choices": [{"index": 0, "delta": {"role": "assistant"}}]}
    word = {"id": "c", "choices": [{"index": 0, "delta": {"content": "hi", "refusal": None}}]}
    end = {"id": "c", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    usage = {"id": "c", "choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 2}}
    no = {"id": "c", "choices": [{"delta": {"refusal": "no"}, "finish_reason": "content_filter"}]}
    error = {"error": {"message": "no", "type": "t", "param": "p", "code": 429}}
    body = b": here\nevent: x\ndata: " + json.dumps(word).encode() + b"\r\n\r\ndata: [DONE]\n\n"
    whole = json.dumps([first, word, word, end, usage, "[DONE]"]).encode()
    return [whole, json.dumps([no]).encode(), json.dumps([word, error]).encode(), body]


def read(data: bytes) -> None:
    """Hear an input; what the line takes for a try that failed is an outcome."""
    try:
        events = json.loads(data)
    except (ValueError, RecursionError):
        events = None
    if isinstance(events, list):
        said = (each if isinstance(each, str) else json.dumps(each) for each in events)
        data = b"".join(b"data: " + driver.raw(each) + b"\n\n" for each in said)
    with suppress(ValueError, openai.APIError):
        LOOP.run_until_complete(_heard(data))


async def _heard(data: bytes) -> None:
    heard = Heard()
    response = httpx2.Response(200, content=data, request=REQUEST)
    stream = openai.AsyncStream(cast_to=ChatCompletionChunk, response=response, client=CLIENT)
    async for piece in stream:
        heard.take(chunk_of(piece))
    read_answer(json.loads(json.dumps(heard.whole())))


HARNESS = driver.Harness(read=read, seeds=seeds)

if __name__ == "__main__":
    driver.main(HARNESS)
