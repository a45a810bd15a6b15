"""The recipe ``lm.openai``: a model behind any endpoint that speaks OpenAI's protocol."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal
from urllib.parse import urlsplit

from assay import Artifact, Needs, PlanError, PluginError

from .api_line import Endpoint
from .api_speaker import ApiSpeaker
from .recipe import Prompting, require, wrong
from .speaker import Speaker


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAi(Prompting):
    """Put each question to a served model: OpenAI's, anybody's, or one on this machine.

    A refusal by the model or its filter is ``Bottom("refusal")`` or ``Bottom("content_filter")``,
    an answer that takes longer than ``timeout_s`` ``Failed("timeout")``, a prompt that is too long
    for the model ``Failed("too_long")``.  What stays busy or broken (429, 5xx, no connection) after
    all tries is a ``Crash``.

    >>> OpenAi(base_url="https://api.openai.com/v1", model="gpt-4.1-nano").seeded
    False

    Raises ``PlanError`` A102 for options that make no sense.  While it is asked, ``PluginError``
    A404 stops the run when the endpoint refuses the key, the model or the address.  *Not to be
    trusted when* the service changes the model behind its name: nothing here can tell, and
    temperature 0 does not make a service deterministic.
    """

    base_url: str
    """Up to and without ``/chat/completions``; it mostly ends with ``/v1``."""

    model: str
    key: str = "OPENAI_API_KEY"
    """NAME of the environment variable that holds the key; empty for an endpoint without keys."""

    transfer: Literal["whole", "streamed"] = "whole"
    """``streamed`` measures the time to the first token."""

    limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    """What the endpoint calls the limit of an answer."""

    retries: int = 4
    per_minute: float | None = None
    """Requests a minute, at most, other tries included; None for no limit."""

    tokens_per_minute: float | None = None
    """Tokens a minute, at most, of prompts and answers together; None for no limit."""

    parallel: int = 8
    """Requests in flight."""

    @property
    def needs(self) -> Needs:
        """Return little: the model runs elsewhere."""
        return Needs(cpus=1, memory_mb=200)

    def loads(self) -> tuple[Artifact, ...]:
        """Return nothing, when the endpoint can be asked.

        Raises ``PluginError`` A401 without the client, ``PlanError`` A103 when the variable that
        holds the key is not set.
        """
        return self._files()

    @property
    def _in_flight(self) -> int:
        return self.parallel

    def _check(self) -> None:
        address = urlsplit(self.base_url)
        if address.scheme not in ("http", "https") or not address.hostname:
            hint = "write it with its scheme, like https://api.openai.com/v1"
            raise wrong("base_url", f"{self.base_url!r} is no address of a server", hint)
        if address.username or address.password or address.query:
            hint = "name the variable of the key in options.key"
            raise wrong("base_url", "base_url holds a name, a password or a query", hint)
        if not self.model:
            raise wrong("model", "model is empty", "name the model as the endpoint does")
        if self.key and not self.key.isidentifier():
            # Not quoted: it may be the key itself.
            hint = "give the NAME of the variable, not the key"
            raise wrong("key", "key is not the name of an environment variable", hint)
        require("retries", self.retries, 0)
        require("parallel", self.parallel, 1)
        for name in ("per_minute", "tokens_per_minute"):
            rate: float | None = getattr(self, name)
            if rate is not None and not 0 < rate < float("inf"):
                raise wrong(name, f"{name} is {rate:g}", "give a number above 0")
        if self.tokens_per_minute is not None and self.tokens_per_minute < 2 * self.max_tokens:
            what = f"tokens_per_minute is {self.tokens_per_minute:g}, and one answer may take {self.max_tokens}"
            hint = "set max_tokens to what an answer needs: half of tokens_per_minute at most"
            raise wrong("tokens_per_minute", what, hint)

    def _files(self) -> tuple[Artifact, ...]:
        if find_spec("openai") is None:
            raise PluginError(
                "openai is not installed",
                where="lm.openai",
                hint="run pip install 'assay-eval[openai]'",
                code="A401",
            )
        self._secret()
        return ()

    def _secret(self) -> str:
        if not self.key:
            return ""
        found = os.environ.get(self.key, "").strip()
        if not found:
            raise PlanError(
                f"the environment variable {self.key} is not set",
                where="options.key",
                hint=f'set {self.key} to the key of {self.base_url}, or write key: "" for none',
                code="A103",
            )
        return found

    def _speaker(self) -> Speaker:
        return self.speaker()

    def speaker(self) -> ApiSpeaker:
        """Return what asks the endpoint.  Raises ``PlanError`` A103 where the key is not set."""
        return ApiSpeaker(
            Endpoint(
                base_url=self.base_url.rstrip("/"),
                model=self.model,
                key=self._secret(),
                transfer=self.transfer,
                limit=self.limit,
                retries=self.retries,
                per_minute=self.per_minute,
                tokens_per_minute=self.tokens_per_minute,
                parallel=self.parallel,
            ),
            timeout_s=self.timeout_s,
        )
