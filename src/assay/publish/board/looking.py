"""What is where a submission says its files are, held against what it says of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path, PurePosixPath

from ...core.errors import AssayError
from . import licences
from .comparing import compared
from .notes import Level, Note, safe, safe_lines, shown
from .places import Place, place_of
from .repository import Repository, RepositoryFile, Weights, reader_of
from .sent import Quantization, Submission
from .submission import Read

NOT_HERE = "A401"
"""The code of what is not installed here: nothing is wrong with it."""

_NAMES = 5
_NAMED = re.compile(r"model(-\d{5}-of-\d{5})?\.safetensors")
_MOST_COMPARED, _LONGEST_COMPARED = 500, 200
"""Names that are looked through for the nearest one: likeness takes time, and strangers choose the names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A quantization whose files were found."""

    quantization: Quantization
    place: Place
    """With the commit that it is now."""

    files: tuple[RepositoryFile, ...]
    """All that a plan needs: the weights, and for a folder what stands beside them."""

    weights: Weights | None = None

    @property
    def size(self) -> int:
        """Bytes to fetch, as far as they are known."""
        return sum(file.size or 0 for file in self.files)


class Look:
    """A look at the sources of one submission; each source is asked once."""

    def __init__(self, read: Read, beside: Path) -> None:
        """Look for ``file:`` sources in the folder ``beside``."""
        self.read, self.beside = read, beside.absolute()
        self.notes: list[Note] = []
        self.seen: list[Seen] = []
        self.skipped: list[str] = []
        self._asked: dict[str, Repository | AssayError] = {}

    def all(self, sent: Submission, *, offline: bool = False) -> None:
        """Look at every quantization, and at what the repository says of itself.

        ``offline`` leaves out what is not on this machine.
        """
        for i, quantization in enumerate(sent.quantizations):
            if offline and place_of(sent, quantization).scheme == "hf":
                self.skipped.append(f"the files and the size of {quantization.name}: --offline")
                continue
            self._one(f"model.quantizations[{i}]", sent, quantization)
        if offline:
            self.skipped.append(f"the revision and the licence of {sent.hf_repo}: --offline")
        elif (there := self._itself(sent)) is not None:
            self._revision(sent, there)
            self._licence(sent, there.licence, f"hf:{sent.hf_repo}")

    def _itself(self, sent: Submission) -> Repository | None:
        """Return what the repository has; None where it cannot be asked, which is no fault of a submission that needs it not."""
        hub = f"hf:{sent.hf_repo}@{sent.revision or 'main'}"
        if hub not in self._asked:
            try:
                self._asked[hub] = reader_of(hub).look(hub)
            except AssayError as error:
                self._asked[hub] = error
                says = f"the repository was not looked at: {error.what}"
                self._say("warning", "model.hf_repo", says, error.hint)
        found = self._asked[hub]
        return found if isinstance(found, Repository) else None

    def _one(self, key: str, sent: Submission, quantization: Quantization) -> None:
        place = place_of(sent, quantization)
        found = self._ask(key, place)
        if found is None:
            return
        if quantization.source is not None and place.scheme == "pypi":
            self._licence(sent, found.licence, place.source.partition("#")[0])
        if quantization.source is not None and place.scheme == "hf" and place.commit is None:
            says = f"the source is a branch, now at {found.commit}"
            self._say("publish", f"{key}.source", says, f"source: {found.resolved}")
        files = self._files(key, quantization, place, found)
        if not files:
            return
        pinned = replace(place, source=found.resolved) if found.commit else place
        seen = Seen(quantization=quantization, place=pinned, files=files)
        self.seen.append(replace(seen, weights=self._weights(key, sent, seen)))

    def _ask(self, key: str, place: Place) -> Repository | None:
        source = place.source
        if source not in self._asked:
            try:
                self._asked[source] = reader_of(source).look(self._here(place))
            except AssayError as error:
                self._asked[source] = error
                self._fault(key, place, error)
        found = self._asked[source]
        return found if isinstance(found, Repository) else None

    def _here(self, place: Place) -> str:
        """Return a source as it is asked; files beside the submission by their whole path."""
        if place.scheme != "file":
            return place.source
        path = self.beside / place.source.removeprefix("file:")
        if not path.resolve().is_relative_to(self.beside.resolve()):
            raise AssayError(
                "it leads out of the submission's folder", hint="put the file itself there"
            )
        return f"file:{path}"

    def _fault(self, key: str, place: Place, error: AssayError) -> None:
        given = f"{key}.source" in self.read.lines
        where = f"{key}.source" if given else "model.hf_repo" if place.scheme == "hf" else key
        if not given and "revision" in error.what:
            where = "model.hf_revision"
        level: Level = "warning" if error.code == NOT_HERE else "error"
        what = f"not looked at: {error.what}" if error.code == NOT_HERE else error.what
        self._say(level, where, what, error.hint)

    def _files(
        self, key: str, quantization: Quantization, place: Place, found: Repository
    ) -> tuple[RepositoryFile, ...]:
        """Return the files that make the quantization; none, with a note, where they do not."""
        if quantization.format in ("gguf", "onnx"):
            return self._single(key, quantization, place, found)
        within = f"{quantization.file}/" if quantization.file else ""
        there = [file for file in found.files if file.name.startswith(within)]
        if quantization.file and not there:
            return self._single(key, quantization, place, found)
        flat = [file for file in there if "/" not in file.name.removeprefix(within)]
        weights = [file for file in flat if file.name.endswith(".safetensors")]
        named = [file for file in weights if _NAMED.fullmatch(file.name.removeprefix(within))]
        weights = (
            named or weights
        )  # beside them may stand the same again, in its maker's own layout
        if not weights:
            self._no_weights(key, flat)
            return ()
        pickles = [file.name for file in flat if file.refused == "a pickle"]
        if pickles:
            says = f"pickles are never read, and stay where they are: {_some(pickles)}"
            self._say("warning", f"{key}.format", says)
        if not any(file.name == f"{within}config.json" for file in flat):
            self._say("error", f"{key}.format", "there is no config.json beside the weights")
            return ()
        ends = (".json", ".jinja", ".model", ".txt")
        return tuple(file for file in flat if file in weights or file.name.endswith(ends))

    def _single(
        self, key: str, quantization: Quantization, place: Place, found: Repository
    ) -> tuple[RepositoryFile, ...]:
        names = {file.name: file for file in found.files}
        name = place.file if place.file is not None else next(iter(names), None)
        where = f"{key}.{'file' if quantization.file is not None else 'source'}"
        file = names.get(name or "")
        if place.file is None and len(names) > 1:
            says = f"the source means {len(names):,} files: {_some(list(names))}"
            self._say("error", where, says, "name one with file:")
        elif file is None:
            fits = [each for each in names if each.endswith(f".{quantization.format}")]
            short = [each for each in fits or names if len(each) <= _LONGEST_COMPARED]
            near = get_close_matches(name or "", short[:_MOST_COMPARED], n=1, cutoff=0.4)
            hint = (
                f"file: {near[0]}" if near else f"there are {_some(fits) or 'none of that format'}"
            )
            self._say("error", where, f"there is no file {shown(name)}", hint)
        elif file.refused:
            says = f"{shown(name)} is {file.refused}, which is never read"
            self._say("error", where, says, "convert it to safetensors or GGUF")
        else:
            return (file,)
        return ()

    def _no_weights(self, key: str, files: Sequence[RepositoryFile]) -> None:
        pickles = [file.name for file in files if file.refused == "a pickle"]
        others = [file.name for file in files if file.name.endswith((".gguf", ".onnx"))]
        if pickles:
            says = f"it has pickles only, which run code when they are read: {_some(pickles)}"
            hint = (
                "convert them: assay model fetch --unsafe-allow-pickle, and publish the safetensors"
            )
        else:
            says = "it has no weights in safetensors"
            form = PurePosixPath(others[0]).suffix[1:] if others else ""
            hint = f"write format: {form}, and file: {others[0]}" if others else ""
        self._say("error", f"{key}.format", says, hint)

    def _weights(self, key: str, sent: Submission, seen: Seen) -> Weights | None:
        """Read the heads of the files, and hold what is said against them."""
        sides = (
            "config.json",
            ".index.json",
            ".safetensors",
            ".jinja",
        )  # tokenizer_config.json, too
        single = len(seen.files) == 1
        names = [each.name for each in seen.files if single or each.name.endswith(sides)]
        if seen.quantization.format == "onnx" and seen.place.scheme == "hf":
            says = "not compared: the head of an ONNX file stands among its weights"
            self._say("warning", f"{key}.file", says, "")
            return None
        try:
            weights = reader_of(seen.place.source).weigh(self._here(seen.place), names)
        except AssayError as error:
            what = f"the weights: {error.what}"
            self._say("error", f"{key}.{self._which(key)}", what, error.hint)
            return None
        for note in compared(sent, weights, self.read):
            if note not in self.notes:
                self.notes.append(note)
        if weights.writes is False:
            says = f"{seen.quantization.name} is an encoder, which writes no text: no suite asks it"
            self._say("warning", f"{key}.name", says, "measure it with a plan of your own")
        if weights.refused:
            self._say(
                "error", f"{key}.format", weights.refused, "use a model that transformers has"
            )
        if weights.format != ("gguf" if seen.quantization.format == "gguf" else weights.format):
            says = f"the file is {weights.format}, and no {seen.quantization.format}"
            self._say("error", f"{key}.format", says, f"format: {weights.format}")
        return weights

    def _which(self, key: str) -> str:
        return next((k for k in ("file", "source") if f"{key}.{k}" in self.read.lines), "format")

    def _revision(self, sent: Submission, there: Repository) -> None:
        needs_it = any(each.source is None for each in sent.quantizations)
        if there.commit is None or sent.revision == there.commit or not needs_it:
            return
        was = sent.revision or "it is missing; main"
        key = "model.revision" if "model.revision" in self.read.lines else "model.hf_revision"
        name = key.partition(".")[2]
        says = f"{was} of {sent.hf_repo} is now the commit {there.commit}"
        self._say("publish", key, says, f"  {name}: {there.commit}\n")

    def _licence(self, sent: Submission, there: str | None, where: str) -> None:
        if there is None:
            return
        known = licences.canonical(there)
        if sent.license is None:
            says = f"license is missing; {where} says {shown(there)}"
            self._say("publish", "model.license", says, f"  license: {known}\n" if known else "")
        elif known is not None and known != sent.license:
            says = f"{sent.license} is written, and {where} says {shown(there)}"
            self._say("warning", "model.license", says, f"  license: {known}\n")

    def _say(self, level: Level, key: str, says: str, suggests: str = "") -> None:
        note = Note(
            level=level,
            line=self.read.line(key),
            key=key,
            says=safe(says),
            suggests=safe_lines(suggests),
        )
        if note not in self.notes:
            self.notes.append(note)


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMES:,} more" if len(names) > _NAMES else ""
    return ", ".join(names[:_NAMES]) + more


__all__ = ["Look", "Seen"]
