"""``assay lm edge``: what models take on this machine, and how that stands to a reference."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from assay import AssayError, PlanError
from assay.pages import Page, check_file, progress, wrong_option

if TYPE_CHECKING:
    from ..edge.profiles import Profile
    from ..edge.telling import Told

FEWEST = 6
"""Answers from which on a median has an interval of 95 %: all on one side of it is rarer than 1 in 20."""

Runtime = Literal["transformers", "llama.cpp"]


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Lengths:
    """How much is asked, and how often."""

    prompt: int = 512
    """Tokens of the prompt; 512 unless given."""

    generate: int = 64
    """Tokens of an answer, exactly; 64 unless given."""

    repeats: int = 21
    """Answers of each model, over three processes; 21 unless given, 20 or more for p90 and p95."""

    threads: int = 1
    """Threads of a runtime; 1 unless given."""


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Against:
    """What is done with the numbers."""

    profile: str | None = None
    """A reference profile: cpu-2, or a file of --save-profile."""

    save_profile: Path | None = None
    """Write the numbers of the one model as a profile, in YAML."""

    out: Path | None = None
    """Write everything as JSON, every token's time included."""


def edge(
    *model: str,
    runtime: Annotated[tuple[Runtime, ...], Parameter(negative="", consume_multiple=False)] = (),
    dtype: Literal["float32", "float16", "bfloat16"] = "float32",
    lengths: Lengths | None = None,
    against: Against | None = None,
) -> Page:
    """Measure latency, throughput, memory, load time and energy of models, by turns, in processes of their own.

    Parameters
    ----------
    model
        Names of models, GGUF files, folders of safetensors, or files of an installed format.
    runtime
        transformers or llama.cpp; may be given again, for both. Without it GGUF runs in llama.cpp.
    dtype
        Precision of weights in transformers.
    """
    lengths, against = lengths or Lengths(), against or Against()
    _check(model, lengths, against)
    from assay.machines import machine, usable_cpus

    from ..edge.measuring import Setting, load_average, measure
    from ..edge.profiles import find_profile, require_like
    from ..edge.subject import find_subject
    from ..edge.telling import facts, lines, tell

    here = machine()
    setting = Setting(**asdict(lengths))
    profile = None if against.profile is None else find_profile(against.profile)
    if profile is not None:
        require_like(profile, setting, cores=usable_cpus())
    kinds: tuple[Runtime | None, ...] = tuple(dict.fromkeys(runtime)) or (None,)
    subjects = [find_subject(name, kind, dtype=dtype) for name in model for kind in kinds]
    if against.save_profile is not None and len(subjects) != 1:
        raise wrong_option(
            "--save-profile", "a profile is of one model in one runtime", "name one of each"
        )
    before = load_average()
    told = [tell(one, setting, profile) for one in measure(subjects, setting, tell=progress)]
    found: dict[str, Any] = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": here,
        "load_before": before,
        "load_after": load_average(),
        **asdict(lengths),
        "versions": _versions(),
        "profile": None if profile is None else profile.model_dump(mode="json"),
        "models": [facts(each) for each in told],
    }
    page = _head(found)
    for each in told:
        page += ["", *lines(each)]
    if lengths.repeats < FEWEST:
        page += ["", f"Fewer than {FEWEST} answers bound nothing: give --repeats 21"]
    if profile is not None:
        page += ["", *_reference(profile, str(here["cpu"]))]
    if against.out is not None:
        _write(against.out, found)
        page += ["", f"Wrote {against.out}"]
    if against.save_profile is not None:
        _save(against.save_profile, found, told[0])
        page += ["", f"Wrote {against.save_profile}"]
    return Page(lines=page, facts=found)


def _check(models: tuple[str, ...], lengths: Lengths, against: Against) -> None:
    if not models:
        raise wrong_option("MODEL", "there is no model", "name one, as smollm2-135m-instruct")
    for name, least in (("prompt", 2), ("generate", 2), ("repeats", 1), ("threads", 1)):
        if (value := getattr(lengths, name)) < least:
            raise wrong_option(f"--{name}", f"{value} cannot be measured", f"give {least} or more")
    for option, file in (("--out", against.out), ("--save-profile", against.save_profile)):
        if file is not None and (file.is_dir() or not file.absolute().parent.is_dir()):
            raise wrong_option(option, f"{file} cannot be written", "name a file in a folder")
        check_file(option, file)


def _head(found: dict[str, Any]) -> list[str | tuple[str, ...]]:
    here = found["machine"]
    loads = f"{_spell(found['load_before'])} before, {_spell(found['load_after'])} after"
    lengths = f"{found['prompt']} tokens in, {found['generate']} out"
    return [
        f"{lengths}; {found['threads']} thread(s), {found['repeats']} answers each",
        f"{here['cpu']}, {here['cpus_usable']} core(s); load {loads}",
    ]


def _reference(profile: Profile, cpu: str) -> list[str]:
    what = f"{profile.model} in {profile.runtime}, {profile.date}; {profile.source}"
    said = [f"Reference {profile.name}: {what}."]
    if profile.machine.name != cpu:
        said.append(f"It was measured on another processor: {profile.machine.name}.")
    return said


def _spell(load: tuple[float, ...] | None) -> str:
    return "unknown" if load is None else " ".join(f"{each:g}" for each in load)


def _versions() -> dict[str, str]:
    """Return the versions of what may have run."""
    found = {}
    for name in ("xllamacpp", "torch", "transformers"):
        with suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def _save(path: Path, found: dict[str, Any], told: Told) -> None:
    from ..edge.profiles import (
        Profile,
        ProfileMachine,
        ProfileValues,
        require_quiet,
        write_profile,
    )
    from ..edge.telling import reference

    values = reference(told)
    if values is None:
        raise PlanError(
            f"{told.measured.subject.says} was not measured, and gives no profile",
            where="--save-profile",
            hint="see what is not measured",
            code="A104",
        )
    require_quiet(told.share)
    here, subject = found["machine"], told.measured.subject
    uses = ("xllamacpp",) if subject.runtime == "llama.cpp" else ("torch", "transformers")
    profile = Profile(
        name=path.stem,
        source=f"assay lm edge, medians of {found['repeats']} answers over three processes",
        date=date.fromisoformat(found["date"]),
        machine=ProfileMachine(
            kind="cpu",
            name=here["cpu"],
            cores=here["cpus_usable"],
            os=here["os"],
            load=None if found["load_before"] is None else list(found["load_before"]),
        ),
        model=subject.name,
        sha256=[file.digest for file in subject.files],
        runtime=subject.runtime,
        dtype=subject.dtype if subject.runtime == "transformers" else None,
        versions={name: found["versions"][name] for name in uses},
        threads=found["threads"],
        prompt=found["prompt"],
        generate=found["generate"],
        repeats=found["repeats"],
        share=round(told.share or 0.0, 3),
        values=ProfileValues.model_validate(dict(values)),
    )
    write_profile(path, profile)


def _write(path: Path, found: dict[str, Any]) -> None:
    try:
        path.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    except OSError as error:
        raise AssayError(
            f"the file cannot be written: {error.strerror or error}",
            where=str(path),
            hint="name a file in a folder of yours",
            code="A500",
        ) from error
