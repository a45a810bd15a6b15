"""Every error that assay raises, by code.

* AssayError
  x PlanError       A1xx  the plan is wrong; nothing ran
  x DataError       A2xx  a data set, a number or an artifact is not what it says it is
  x SealError       A3xx  a run directory was changed, is unfinished, or is of another version
  x PluginError     A4xx  a plugin is missing, broken, or breaks its contract
  x RunError        A5xx  the machine said no: disk, lock, permission
"""

from __future__ import annotations

from typing import ClassVar

CODES: dict[str, str] = {
    "A000": "An error of assay's own",
    "A100": "The plan cannot be read",
    "A101": "The plan has an unknown key",
    "A102": "The plan has a value of the wrong type",
    "A103": "The plan names something that does not exist",
    "A104": "The plan contradicts itself",
    "A105": "The plan is too large or uses YAML that assay does not read",
    "A106": "The command line is wrong",
    "A200": "The data is not what it says it is",
    "A201": "The data leaks from one split into another",
    "A202": "The records cannot carry that number",
    "A203": "Two systems cannot be paired",
    "A204": "The price table cannot be read",
    "A205": "A model file is damaged, or of a kind that is not read",
    "A206": "A model file holds code",
    "A207": "HALT: the bytes are not the ones that were named",
    "A208": "REFUSED: the conversion changed what the model says",
    "A300": "The run was changed after it was sealed",
    "A301": "The run is not sealed",
    "A302": "The run was written by another schema version",
    "A303": "This is not a run directory",
    "A304": "The journal is damaged",
    "A400": "A plugin is broken",
    "A401": "An extra is not installed",
    "A402": "A system broke its contract",
    "A403": "A model file is missing or is not the one that was named",
    "A404": "An endpoint refuses the key, the model or the address",
    "A405": "A file could not be fetched",
    "A500": "The machine said no",
    "A501": "Another process is writing this run",
    "A502": "The run was interrupted",
    "A503": "The run directory belongs to another plan",
    "A504": "The cache of model files is full",
    "A505": "The cluster cannot do this",
}
"""Code to one line.  ``docs/errors.md`` has a heading for each; a test compares them."""


_KEPT = "\n\xa0\u200c\u200d"
"""Of what does not print: ends of lines, and what is part of words."""


def _shown(char: str) -> str:
    return char if char.isprintable() or char in _KEPT else ascii(char)[1:-1]


class AssayError(Exception):
    """What happened, where, and what to try next.

    ``what`` states the fact; ``where`` is a file and line, a cell or a plan key; ``hint`` is a
    sentence that begins with a verb.  The command line prints all three and ``explain CODE``.
    """

    default: ClassVar[str] = "A000"
    exit_code: int = 2

    def __init__(self, what: str, *, where: str = "", hint: str = "", code: str = "") -> None:
        self.code = code or self.default
        if type(self) is AssayError and self.code.startswith("A5"):
            self.exit_code = 3  # of the machine, and raised where no RunError can be named
        self.what, self.where, self.hint = what, where, hint
        lines = [f"{self.code} {what}"]
        if where:
            lines.append(f"  at: {where}")
        if hint:
            lines.append(f"  try: {hint}")
        super().__init__("\n".join(lines))

    def __str__(self) -> str:
        # A traceback in a terminal or a notebook shows this, and names in it may be a stranger's.
        text = super().__str__()
        return text if text.isprintable() else "".join(map(_shown, text))

    def __reduce__(self) -> tuple[object, ...]:
        # Errors cross process boundaries; keyword-only arguments need their own way to travel.
        return (_rebuild, (type(self), self.what, self.where, self.hint, self.code))


def _rebuild(kind: type[AssayError], what: str, where: str, hint: str, code: str) -> AssayError:
    return kind(what, where=where, hint=hint, code=code)


class PlanError(AssayError):
    """The plan is wrong; nothing ran."""

    default = "A100"


class DataError(AssayError):
    """A data set, a number or an artifact is not what it says it is."""

    default = "A200"


class SealError(AssayError):
    """A run directory was changed, is unfinished, or is of another version."""

    default = "A300"


class PluginError(AssayError):
    """A plugin is missing, broken, or breaks its contract."""

    default = "A400"


class RunError(AssayError):
    """The machine said no: disk, lock, permission."""

    default = "A500"
    exit_code = 3
