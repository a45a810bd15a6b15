"""A gate as GitHub workflow commands: one annotation for each check that fails, at its line of the plan."""

from __future__ import annotations

from .judged import Judged, sentence

TITLES = {
    "claim": "claim not supported",
    "baseline": "not shown to be as good as the baseline",
    "performance": "not shown to be as fast as the baseline",
}


def annotated(judged: Judged) -> list[str]:
    """Return the lines; each is one command, whatever stands in names and sentences."""
    return [
        _command(
            sentence(check),
            file=place.path,
            line=str(place.line),
            title=f"assay gate: {TITLES[check.source.value]}",
        )
        for check, place in zip(judged.gate.checks, judged.places, strict=True)
        if not check.passes
    ]


def _command(message: str, **properties: str) -> str:
    r"""Return an error command, escaped as GitHub's runner reads it back.

    >>> _command("50 %, or\nless", file="a,b:c.yaml")
    '::error file=a%2Cb%3Ac.yaml::50 %25, or%0Aless'
    """
    said = ",".join(f"{key}={_property(text)}" for key, text in properties.items())
    return f"::error {said}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
