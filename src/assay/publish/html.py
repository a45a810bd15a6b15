"""How a document reads as one self-contained page: no network, no script but ours.

Covered: text from models, plans and data is text (autoescape; sample JSON without ``<``), and the
page's policy lets nothing run or load but the style and script in it, by their digests.
Not covered: a reader who copies a command from a sample and runs it.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib import resources

import jinja2
from markupsafe import Markup

from .document import Browser, Document, Fold, Section
from .hostile import visible

_WHOLE = re.compile(r" %|\[[-+\d.,$%µsminx ]{1,40}\]")


def render(document: Document) -> str:
    """Return a document as a page."""
    style, script = _text("page.css"), _text("page.js")
    return fill(
        "page.html",
        document=document,
        style=Markup(style),  # noqa: S704  (our own file)
        script=Markup(script),  # noqa: S704  (our own file)
        style_digest=_digest(style),
        script_digest=_digest(script),
    )


def fill(template: str, **values: object) -> str:
    """Return one of our templates with values, each of them escaped and made visible."""
    return _environment().get_template(template).render(**values)


def script_digest() -> str:
    """Return what a policy must name so that the script of a report may run."""
    return _digest(_text("page.js"))


def style() -> str:
    """Return the style of every page."""
    return _text("page.css")


def template_text(name: str) -> str:
    """Return one of our templates as it is."""
    return _text(name)


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _text(name: str) -> str:
    return (resources.files("assay.publish") / "templates" / name).read_text("utf-8")


def harmless_json(text: str) -> Markup:
    r"""Return JSON that can stand inside of a script element: it cannot end it.

    >>> harmless_json('["</script>&"]')
    Markup('["\\u003c/script\\u003e\\u0026"]')
    """
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return Markup(text)  # noqa: S704  (made harmless above)


def interval(ends: tuple[float, float, float]) -> dict[str, str]:
    """Return where an interval of shares stands in a strip of 100."""
    value, low, high = (f"{100 * end:.1f}" for end in ends)
    return {"value": value, "low": low, "width": f"{100 * (ends[2] - ends[1]):.1f}", "high": high}


def shares(parts: tuple[tuple[str, int, str], ...]) -> list[dict[str, str | int]]:
    """Return the parts of a bar as places on a strip of 1000."""
    total = sum(count for _, count, _ in parts) or 1
    made: list[dict[str, str | int]] = []
    start = 0.0
    for outcome, count, href in parts:
        width = 1000 * count / total
        made.append(
            {
                "outcome": outcome,
                "count": count,
                "href": href,
                "x": f"{start:.2f}",
                "width": f"{width:.2f}",
            }
        )
        start += width
    return made


def as_shown(text: str) -> str:
    """Return a text as it stands on a page, before it is escaped."""
    return str(_text_of(text))


def _text_of(value: object) -> object:
    if type(value) is not str:
        return value
    # A percent sign stays with its number, and an interval in one line.
    return _WHOLE.sub(lambda found: found[0].replace(" ", "\u00a0"), visible(value))


@cache
def _environment() -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.FunctionLoader(_text),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_text_of,
    )
    made.filters |= {
        "harmless_json": harmless_json,
        "interval": interval,
        "shares": shares,
        "kind": lambda value: type(value).__name__.lower(),
        "inline": lambda drawing: Markup(drawing.inline),  # noqa: S704  (shapes and text only)
    }
    made.tests |= {
        "section": lambda value: isinstance(value, Section | Fold),
        "browser": lambda value: isinstance(value, Browser),
    }
    return made
