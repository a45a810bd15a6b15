"""The tokenizer and the chat template that a model brings, and whether a prompt would begin twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from assay import DataError

from ..header import ModelFile
from .build import number

_BEGINS_BY_ITSELF = {"llama": True, "bert": True, "gpt2": False}
"""What llama.cpp does for a kind of tokenizer where the file does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What is known of a tokenizer; None for what the file does not say."""

    kind: str
    vocabulary: int | None = None
    bos: str | None = None
    eos: str | None = None
    adds_bos: bool | None = None
    adds_eos: bool | None = None
    template: str | None = None
    templates: int = 0
    """How many templates there are, for tools and the like."""

    note: str = ""

    @property
    def begins_twice(self) -> str | None:
        """Why a prompt may begin with two marks of a beginning; None where it will not."""
        template = self.template or ""
        if not self.adds_bos or not template:
            return None
        written = "bos_token" in template or (self.bos is not None and self.bos in template)
        if not written:
            return None
        return (
            f"the chat template writes {self.bos or 'the first token'}, and the tokenizer adds it: tokenize what "
            "the template makes without special tokens"
        )

    @property
    def facts(self) -> dict[str, Any]:
        """Return it as ``--json`` has it, the template apart."""
        return {
            "kind": self.kind,
            "vocabulary": self.vocabulary,
            "bos": self.bos,
            "eos": self.eos,
            "adds_bos": self.adds_bos,
            "adds_eos": self.adds_eos,
            "begins_twice": self.begins_twice,
        }

    @property
    def template_facts(self) -> dict[str, Any] | None:
        """Return what is said of the chat template."""
        if not self.template:
            return None
        return {
            "first_line": self.template.strip().split("\n", 1)[0][:200],
            "characters": len(self.template),
            "templates": self.templates,
        }


def tokens_of(model: ModelFile) -> Tokens | None:
    """Return what a model says of its tokenizer; None where it brings none."""
    header = model.header
    if header.format == "gguf":
        return _of_gguf(header.metadata)
    sides = set(header.side_files)
    config = _json(model, "tokenizer_config.json", sides)
    template, templates = _template(model, config, sides)
    if template is None and header.format == "apr":
        template = _text(header.metadata.get("chat_template"))
        templates = int(template is not None)
    said: dict[str, Any] = {
        "bos": _token(config.get("bos_token")),
        "eos": _token(config.get("eos_token")),
        "template": template,
        "templates": templates,
        "adds_eos": _truth(config.get("add_eos_token")),
    }
    marked = header.metadata.get("special_tokens")
    if isinstance(marked, Mapping):
        said["bos"] = said["bos"] or _text(marked.get("bos_token"))
        said["eos"] = said["eos"] or _text(marked.get("eos_token"))
    if "tokenizer.json" in sides:
        return _of_tokenizer_json(model, config, said)
    adds = _truth(config.get("add_bos_token"))
    for name in ("tokenizer.model", "spiece.model"):
        if name in sides:
            return Tokens(kind=f"SentencePiece ({name})", adds_bos=adds, **said)
    for name in ("vocab.txt", "vocab.json"):
        if name in sides:
            return Tokens(kind=f"a list of words ({name})", adds_bos=adds, **said)
    return Tokens(kind="not in the file", **said) if template else None


def _of_gguf(metadata: Mapping[str, Any]) -> Tokens | None:
    def own(key: str) -> Any:
        return metadata.get(f"tokenizer.ggml.{key}")

    kind, before = _text(own("model")), _text(own("pre"))
    if kind is None:
        return None
    listed = own("tokens")
    words: Sequence[Any] = listed if isinstance(listed, Sequence) else ()

    def word(key: str) -> str | None:
        at = own(key)
        known = isinstance(at, int) and 0 <= at < len(words)
        return _text(words[at]) if known else None

    said = _truth(own("add_bos_token"))
    template = _text(metadata.get("tokenizer.chat_template"))
    return Tokens(
        kind=f"{kind} ({before})" if before else kind,
        vocabulary=len(words) or None,
        bos=word("bos_token_id"),
        eos=word("eos_token_id"),
        adds_bos=_BEGINS_BY_ITSELF.get(kind) if said is None else said,
        adds_eos=_truth(own("add_eos_token")),
        template=template,
        templates=sum(key.startswith("tokenizer.chat_template") for key in metadata),
        note=""
        if said is not None or kind not in _BEGINS_BY_ITSELF
        else "as llama.cpp does by default",
    )


def _of_tokenizer_json(model: ModelFile, config: Mapping[str, Any], said: dict[str, Any]) -> Tokens:
    found = _json(model, "tokenizer.json", {"tokenizer.json"})
    inner = found.get("model")
    inner = inner if isinstance(inner, Mapping) else {}
    vocabulary = inner.get("vocab")
    added = found.get("added_tokens")
    ids = [
        number(one.get("id")) or 0
        for one in (added if isinstance(added, list) else [])
        if isinstance(one, Mapping)
    ]
    size = len(vocabulary) if isinstance(vocabulary, (Mapping, list)) else 0
    kind = _text(inner.get("type")) or ("Unigram" if isinstance(vocabulary, list) else "unknown")
    first = _first_added(found.get("post_processor"))
    adds = _truth(config.get("add_bos_token"))
    if first is not None:  # what is in tokenizer.json is what happens
        adds = True
    return Tokens(
        kind=f"{kind} (tokenizer.json)",
        vocabulary=max([size, *(one + 1 for one in ids)]) or None,
        adds_bos=adds if adds is not None else False,
        **{**said, "bos": said["bos"] or first},
    )


def _first_added(processor: object) -> str | None:
    """Return the token that a post-processor puts before every text."""
    if not isinstance(processor, Mapping):
        return None
    steps = processor.get("processors")
    for one in steps if isinstance(steps, list) else [processor]:
        single = one.get("single") if isinstance(one, Mapping) else None
        if isinstance(single, list) and single and isinstance(single[0], Mapping):
            special = single[0].get("SpecialToken")
            if isinstance(special, Mapping):
                return _text(special.get("id"))
        if isinstance(one, Mapping) and one.get("type") in ("BertProcessing", "RobertaProcessing"):
            pair = one.get("cls")
            return _text(pair[0]) if isinstance(pair, list) and pair else None
    return None


def _template(
    model: ModelFile, config: Mapping[str, Any], sides: set[str]
) -> tuple[str | None, int]:
    if "chat_template.jinja" in sides:
        text = model.side_file("chat_template.jinja").decode("utf-8", "replace")
        return text or None, 1
    if "chat_template.json" in sides:
        found = _text(_json(model, "chat_template.json", sides).get("chat_template"))
        return found, int(found is not None)
    said = config.get("chat_template")
    if isinstance(said, list):
        named = [one for one in said if isinstance(one, Mapping)]
        ordered = sorted(named, key=lambda one: one.get("name") != "default")
        return (_text(ordered[0].get("template")) if ordered else None), len(named)
    return _text(said), int(_text(said) is not None)


def _json(model: ModelFile, name: str, sides: set[str]) -> Mapping[str, Any]:
    if name not in sides:
        return {}
    try:
        found = msgspec.json.decode(model.side_file(name))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as problem:
        where = f"{model.path}: {name}"
        hint = "fetch the file again and compare its size and sha256"
        raise DataError(
            f"{name} is no JSON: {problem}", where=where, hint=hint, code="A205"
        ) from None
    return found if isinstance(found, Mapping) else {}


def _token(value: object) -> str | None:
    """Return a token, which older files write as an object."""
    return _text(value.get("content") if isinstance(value, Mapping) else value)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _truth(value: object) -> bool | None:
    return value if isinstance(value, bool) else None
