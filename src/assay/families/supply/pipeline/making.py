"""The stages of one model: fetch, inspect, convert, gate."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from assay import PlanError
from assay.kept import digest_of
from assay.progress import sized

from ..fetching.lockfile import Lock, read_lock
from ..fetching.written import as_written
from .desk import Desk, Facts, Stage, done
from .journal import Outcome, key_of
from .listed import misdescribed
from .tiers import Level, Model, spell

_HEADS = ("lm_head.weight", "output.weight")
"""An output layer that some files store once more beside the embeddings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A model in a precision, and what became of it."""

    model: Model
    level: Level
    path: Path
    converted: Facts
    gate: Outcome

    @property
    def name(self) -> str:
        """What the system is called."""
        return f"{self.model.id}-{self.level.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """A model as its stages left it."""

    model: Model
    outcomes: tuple[Outcome, ...]
    made: tuple[Made, ...] = ()
    digests: tuple[str, ...] = ()
    """Of the fetched files."""

    source: Path | None = None

    @property
    def stops(self) -> tuple[Outcome, ...]:
        """What was stopped, of the model or of one of its precisions."""
        return tuple(each for each in self.outcomes if each.stopped)


def make(desk: Desk, model: Model) -> Brought:
    """Fetch a model, look into it, convert it to each of its precisions, and gate each.

    What stops one precision does not stop the next; what stops the source stops them all.
    """
    fetched = done(desk, _fetch(desk, model))
    if fetched.stopped:
        return Brought(model=model, outcomes=(fetched,))
    files: dict[str, str] = fetched.facts["files"]
    source = desk.out / fetched.facts["source"]
    brought = Brought(
        model=model, outcomes=(fetched,), digests=tuple(files.values()), source=source
    )
    inspected = done(desk, _inspect(desk, model, files, source))
    brought = replace(brought, outcomes=(*brought.outcomes, inspected))
    if inspected.stopped:
        return brought
    for name in model.quantisations:
        job = _Job(desk=desk, model=model, level=desk.file.level(name), files=files, source=source)
        converted = done(desk, _convert(job))
        brought = replace(brought, outcomes=(*brought.outcomes, converted))
        if converted.stopped:
            continue
        gate = done(desk, _gate(job, converted.facts))
        made = Made(
            model=model, level=job.level, path=job.path, converted=converted.facts, gate=gate
        )
        brought = replace(brought, outcomes=(*brought.outcomes, gate), made=(*brought.made, made))
    return brought


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """A model to be converted to one of its precisions."""

    desk: Desk
    model: Model
    level: Level
    files: dict[str, str]
    source: Path

    @property
    def of(self) -> str:
        """How it is told."""
        return f"{self.model.id}/{self.level.id}"

    @property
    def path(self) -> Path:
        """Where the converted file goes."""
        return self.desk.out / "models" / f"{self.model.id}-{self.level.id}.apr"

    def present(self) -> Path:
        """Return the source, fetched again where it was evicted."""
        return _present(self.desk, self.model, self.source)


# --- fetch ---------------------------------------------------------------------------------------


def locked_files(desk: Desk, model: Model) -> dict[str, str]:
    """Return what the lock names of a source: file to sha256; nothing where it does not know it."""
    known = read_lock(desk.lock) if desk.lock.is_file() else Lock()
    entry = known.sources.get(as_written(source_of(desk, model)))
    return {name: file.sha256 for name, file in sorted(entry.files.items())} if entry else {}


def _fetch(desk: Desk, model: Model) -> Stage:
    def do() -> Facts:
        path, files, size, licence = bring(desk, model)
        return {
            "files": files,
            "source": str(path.relative_to(desk.out)),
            "licence": licence,
            "size": size,
            "says": f"{len(files)} file{'s' if len(files) > 1 else ''}, {sized(size)}",
        }

    return Stage(
        name="fetch",
        of=model.id,
        inputs={"source": model.source, "files": model.files},
        do=do,
        # What was evicted after it had passed is fetched again only when a stage needs it; other
        # bytes in the lock are another model.
        is_there=lambda facts: facts["files"].items() <= locked_files(desk, model).items(),
    )


def bring(desk: Desk, model: Model) -> tuple[Path, dict[str, str], int, str | None]:
    """Fetch the files of a model and lay them out; return the file or folder that is the model."""
    from ..fetching.fetch import fetch
    from ..fetching.laid import lay_out

    fetched = fetch(
        source_of(desk, model),
        into=desk.cache,
        lock=desk.lock,
        files=tuple(model.files),
        offline=desk.offline,
    )
    files = {kept.name: kept.sha256 for kept in fetched.files}
    folder = desk.out / "sources" / f"{model.id}-{key_of('source', files)[:8]}"
    lay_out(fetched, folder, cache=desk.cache)
    size = sum(kept.size for kept in fetched.files)
    return _model_in(folder, list(files), model), files, size, fetched.licence


def source_of(desk: Desk, model: Model) -> str:
    """Return the source; a relative ``file:`` starts at the folder of the tier file."""
    if not model.source.startswith("file:"):
        return model.source
    return f"file:{desk.folder / model.source.removeprefix('file:')}"


def _model_in(folder: Path, names: list[str], model: Model) -> Path:
    weights = [name for name in names if name.endswith(f".{model.format}")]
    if model.format == "safetensors":
        homes = {(folder / name).parent for name in weights}
        if len(homes) == 1:
            return homes.pop()
    elif len(weights) == 1:
        return folder / weights[0]
    raise PlanError(
        f"{model.id} has {len(weights)} {model.format} files, and one model is asked for",
        where=as_written(model.source),
        hint="name the files of the model under `files`",
        code="A104",
    )


def _present(desk: Desk, model: Model, source: Path) -> Path:
    """Return the source, fetched again where it was evicted."""
    return source if source.exists() else bring(desk, model)[0]


# --- inspect -------------------------------------------------------------------------------------


def _inspect(desk: Desk, model: Model, files: dict[str, str], source: Path) -> Stage:
    def do() -> Facts:
        from ..describing.description import description
        from ..formats.opening import open_model

        with open_model(_present(desk, model, source)) as opened:
            found = description(opened)
            by_name = opened.header.by_name
            head = sum(by_name[name].numbers for name in _HEADS if name in by_name)
        for wrong, hint in misdescribed(model, found, head=head):
            raise PlanError(
                f"{model.id} is not what is listed: {wrong}",
                where=as_written(model.source),
                hint=hint,
                code="A104",
            )
        said = found["license"]
        return {
            "parameters": found["parameters"],
            "architecture": found["architecture"],
            "format": f"{found['format']} {found['variant']}",
            "size": found["size"],
            "licence": said["says"] if said else None,
            "says": f"{found['format']}, {spell(found['parameters'])}, {found['architecture']}",
        }

    listed = model.model_dump(include={"format", "params", "architecture", "tier"})
    return Stage(name="inspect", of=model.id, inputs={"files": files, "listed": listed}, do=do)


# --- convert and gate ----------------------------------------------------------------------------


def _convert(job: _Job) -> Stage:
    from ..converting.convert import CONVERTER, convert

    path, method = job.path, job.level.method

    def do() -> Facts:
        made = convert(job.present(), path, to="apr", quantise=method, force=True)
        return {
            "sha256": made.sha256,
            "size": made.artifact.size,
            "parents": list(made.artifact.parents),
            "says": f"{sized(made.artifact.size)}, sha256 {made.sha256[:12]}",
        }

    return Stage(
        name="convert",
        of=job.of,
        inputs={"files": job.files, "method": method, "converter": CONVERTER},
        do=do,
        is_there=lambda facts: path.is_file() and digest_of(path).sha256 == facts["sha256"],
    )


def _gate(job: _Job, converted: Facts) -> Stage:
    from ..agreeing.passport import passport_path

    limits: dict[str, Any] = dict(job.level.limits)
    beside = passport_path(job.path)

    def do() -> Facts:
        from ..agreeing.gate import refused, validate
        from ..agreeing.limits import Limits
        from ..agreeing.passport import write_passport

        found = validate(job.path, job.present(), limits=replace(Limits(), **limits))
        written = write_passport(found)
        if not found.accepted:
            raise refused(found, written.path)
        numbers = {one.name: one.value for one in found.numbers}
        shown = [name for name in ("kl_mean", "top1") if name in numbers]
        return {
            "numbers": numbers,
            "passport": digest_of(written.path).sha256,
            "says": ", ".join(f"{name} {numbers[name]:.3g}" for name in shown),
        }

    return Stage(
        name="gate",
        of=job.of,
        inputs={"files": job.files, "sha256": converted["sha256"], "limits": limits},
        do=do,
        is_there=lambda facts: beside.is_file() and digest_of(beside).sha256 == facts["passport"],
    )
