"""The text of a question."""

from __future__ import annotations

from collections.abc import Mapping

from assay import Failed, Question, Sample


def prompt_of(asked: Question | Sample) -> str | Failed:
    """Return the text that a recipe of this family reads.

    The input is the text itself, or a mapping with the text under ``prompt`` (tasks that also
    carry a menu for language models).  Anything else, and text that is not valid Unicode (a lone
    surrogate), is ``Failed("not_text")``: no system here can read it.

    >>> prompt_of(Question(id="q", input="swap 1 ETH for DAI"))
    'swap 1 ETH for DAI'
    >>> prompt_of(Question(id="q", input={"prompt": "stake it", "menu": ["stake_asset"]}))
    'stake it'
    >>> prompt_of(Question(id="q", input=7)).why
    'not_text'
    """
    said = asked.input
    text = said.get("prompt") if isinstance(said, Mapping) else said
    if not isinstance(text, str):
        return Failed("not_text", f"the input holds {type(text).__name__}, not text")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return Failed("not_text", str(error))
    return text
