"""``lm.command``: a program of this machine that answers what it is given."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from assay import Artifact, Needs, PluginError
from assay.kept import digest_of

from .command_speaker import CommandSpeaker, located
from .recipe import Prompting, wrong
from .speaker import Speaker


@dataclass(frozen=True, slots=True, kw_only=True)
class Command(Prompting):
    """Ask any program: the prompt on its standard input, the answer on its standard output.

    ``temperature``, ``max_tokens`` and the seed of the draw are handed to the program in its environment
    (``ASSAY_TEMPERATURE``, ``ASSAY_MAX_TOKENS``, ``ASSAY_SEED``); whether it heeds them is its own affair.  At
    ``temperature: 0`` it is taken to say the same each time.

    Raises ``PluginError`` A401 where the program is not there; what ``Prompting`` raises.

    >>> Command(argv=("cat",)).seeded
    False

    *Not to be trusted when* the program is only a wrapper: its digest says nothing of the model behind it.
    """

    argv: tuple[str, ...]
    """The program and its arguments."""

    @property
    def needs(self) -> Needs:
        """Little that could be known."""
        return Needs()

    def loads(self) -> tuple[Artifact, ...]:
        """Return the program, found and digested.  Raises ``PluginError`` A401."""
        return self._files()

    @property
    def _in_flight(self) -> int:
        return 1

    def _check(self) -> None:
        if not self.argv or not self.argv[0]:
            raise wrong("argv", "argv names no program", "write argv: [claude, -p]")

    def _files(self) -> tuple[Artifact, ...]:
        return (_program(self.argv),)

    def _speaker(self) -> Speaker:
        return CommandSpeaker((str(_found(self.argv)), *self.argv[1:]))


def _found(argv: tuple[str, ...]) -> Path:
    found = located(argv)
    if found is None:
        raise PluginError(
            f"there is no program {argv[0]!r}",
            where="options.argv",
            hint="install it, or give its whole path",
            code="A401",
        )
    return found.absolute()


def _program(argv: tuple[str, ...]) -> Artifact:
    path = _found(argv)
    size, digest = digest_of(path)
    return Artifact(
        digest=f"sha256:{digest}", kind="program", size=size, source=f"file:{path.name}"
    )
