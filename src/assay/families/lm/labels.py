"""What names each option to a model: a token, or tokens of which it writes one after the other."""

from __future__ import annotations

from assay import PlanError

from .chooser import Decoder
from .listing import Listing, listing_of
from .prompt import Script


def named_listing(decoder: Decoder, script: Script) -> Listing:
    """Return the tokens of each option's answer, none of which begins another.

    Raises ``PlanError`` A104 where one does.
    """
    said = [tuple(decoder.text(text)) for text in script.spoken()]
    for option, tokens in zip(script.menu, said, strict=True):
        for other, more in zip(script.menu, said, strict=True):
            if option is not other and more[: len(tokens)] == tokens:
                raise unfit(
                    "labels",
                    f"the option {other.name!r} begins with all of {option.name!r}",
                    "set labels: letters",
                )
    return listing_of(said)


def label_tokens(llama: Decoder, script: Script) -> tuple[int, ...]:
    """Return the first token of each option's answer, all different.

    Raises ``PlanError`` A104 where two are the same.
    """
    first: dict[int, str] = {}
    for option, said in zip(script.menu, script.spoken(), strict=True):
        token = llama.text(said)[0]
        if token in first:
            raise unfit(
                "labels",
                f"the options {first[token]!r} and {option.name!r} begin with the same token",
                "set labels: letters, or by: constrained"
                if script.labels == "words"
                else "set labels: words",
            )
        first[token] = option.name
    return tuple(first)


def unfit(option: str, what: str, hint: str) -> PlanError:
    """Return the error of an option that does not fit the task or the model."""
    return PlanError(what, where=f"options.{option}", hint=hint, code="A104")


def no_prior() -> PlanError:
    """Return the error of a prior that there is nothing to measure on."""
    what = "the examples leave no train samples to measure the prior on"
    return unfit("shots", what, "set fewer shots, or prior: kept")
