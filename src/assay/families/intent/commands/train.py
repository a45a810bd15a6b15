"""``assay intent train``: labelled prompts to a mapper in a folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from assay import PlanError
from assay.pages import Page, check_folder, check_seed, progress, wrong_option

if TYPE_CHECKING:
    from assay import Artifact

    from ..encoders.finetune import Tuning
    from ..heads.card import Card, MetricFacts, SplitFacts


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Which columns of the file hold what."""

    prompt: str = "prompt"
    """Column of the prompts."""

    label: str = "label"
    """Column of the labels."""

    group: str | None = None
    """Column that says which prompts belong together; without it, prompts nearly alike do."""

    split: str | None = None
    """Column that says which rows are train, tune, calibration or test."""

    none: str = "none"
    """The label of prompts that have no answer; an empty label says the same."""

    leaks: Literal["error", "allow"] = "error"
    """error: refuse parts that share prompts; allow: use them, and say how much leaks."""

    learn_from: Literal["train", "all"] = "train"
    """train: leave calibration and test out; all: learn from every row, without held-out numbers."""


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How the mapper is trained."""

    encoder: str = "minilm"
    """minilm, minilm-int8, static, tfidf, one of them with n-grams beside it (minilm+tfidf), or a
    sentence-transformers folder."""

    head: Literal["linear", "mlp"] = "linear"
    """linear, or mlp: one hidden layer."""

    calibration: Literal["temperature", "sigmoid", "isotonic", "none"] = "temperature"
    """How scores become probabilities."""

    c: Annotated[float | None, Parameter(name="--C")] = None
    """Inverse strength of the penalty; chosen by cross-validation over groups if not given."""

    reject: (
        Literal["class", "softmax", "logit", "energy", "mahalanobis", "relative", "knn", "familiar"]
        | None
    ) = None
    """What the confidence says: class, the probability of the label; a score of how much a prompt looks
    like those that were learnt; familiar, both.  Without it familiar; class where some prompts of
    train have no answer, for n-grams, and with another calibration than temperature."""

    max_risk: float | None = None
    """Put the threshold in force that keeps this share of wrong answers, with 95 % confidence."""

    seed: int = 0
    """Draws the splits, the folds, and what is random in a hidden layer."""


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Teaching:
    """Whether, and how, the encoder learns too."""

    finetune: Annotated[bool, Parameter(negative="")] = False
    """Teach the encoder before the head: minutes to hours, and torch."""

    epochs: int | None = None
    """How often each prompt is seen, 4 if not given; with --finetune."""

    rate: float | None = None
    """The highest rate of learning, 0.0002 if not given; with --finetune."""


def train(
    *,
    data: Path,
    out: Path,
    source: Source | None = None,
    way: Way | None = None,
    teaching: Teaching | None = None,
    force: Annotated[bool, Parameter(negative="")] = False,
) -> Page:
    """Train a mapper on labelled prompts, measure it on groups that it did not see, write a folder.

    Parameters
    ----------
    data
        A CSV file with a header, or a JSON Lines file, with columns prompt and label.
    out
        The folder to write head.safetensors and card.json to.
    force
        Replace a mapper that is there.
    """
    from ..heads.fitting import Form
    from ..training.filed import Filed, train_file
    from ..training.learning import Training

    _check_out(out, force=force)
    source, way, teaching = source or Source(), way or Way(), teaching or Teaching()
    check_seed(way.seed)
    try:
        how = Training(
            # Whole, so that what is wrong with it names the folder; no card holds it.
            encoder=Path(way.encoder).resolve() if _is_path(way.encoder) else way.encoder,
            form=Form(head=way.head, calibration=way.calibration, seed=way.seed),
            strength=way.c,
            max_risk=way.max_risk,
            reject=way.reject,
            tuning=_tuning(teaching),
        )
    except PlanError as error:
        at = error.where or "the options"
        raise PlanError(error.what, where=at, hint=error.hint, code=error.code) from None
    file = Filed(
        path=data,
        prompt=source.prompt,
        label=source.label,
        group=source.group,
        split=source.split,
        none=source.none,
        leaks=source.leaks,
    )
    made = train_file(file, how, learn_from=source.learn_from, workdir=out, say=progress)
    artifacts = made.save(out)
    return page(made.card, artifacts, out)


def _check_out(out: Path, *, force: bool) -> None:
    check_folder(out)
    if not force and any((out / name).exists() for name in ("card.json", "head.safetensors")):
        raise PlanError(
            "this folder holds a mapper already; it is left as it is",
            where=str(out),
            hint="give another folder with --out, or --force to replace it",
            code="A106",
        )


def _tuning(asked: Teaching) -> Tuning | None:
    from ..encoders.finetune import Tuning

    usual = Tuning()
    if asked.epochs is not None and asked.epochs < 1:
        raise wrong_option(
            "--epochs", f"{asked.epochs} is no number of epochs", f"{usual.epochs} is usual"
        )
    if asked.rate is not None and not 0 < asked.rate < 1:
        raise wrong_option("--rate", f"{asked.rate:g} is no rate", f"{usual.rate:g} is usual")
    if asked.finetune:
        return Tuning(
            epochs=usual.epochs if asked.epochs is None else asked.epochs,
            rate=usual.rate if asked.rate is None else asked.rate,
        )
    for option, value in (("--epochs", asked.epochs), ("--rate", asked.rate)):
        if value is not None:
            raise wrong_option(
                option,
                "it says how the encoder is taught, and --finetune is not given",
                f"add --finetune, or leave {option} out",
            )
    return None


def page(card: Card, artifacts: tuple[Artifact, ...], out: Path) -> Page:
    """Return what is said of a mapper that was trained."""
    import msgspec

    own = ("head", "card", "vocabulary", *(("weights",) if card.taught else ()))
    files = [a for a in artifacts if a.kind in own]
    facts = {
        "mapper": str(out),
        "card": msgspec.to_builtins(card),
        "files": [{"kind": a.kind, "size": a.size, "digest": a.digest} for a in files],
    }
    lines: list[str | tuple[str, ...]] = [
        f"{out}: {card.encoder.name}, {card.head.kind} head, {card.calibration.kind}",
        ("C", f"{card.head.strength:g}"),
        *_rows(card),
        ("files", ", ".join(f"{a.kind} {a.size / 1000:,.0f} kB" for a in files)),
        f"In Python: Mapper.load({str(out)!r}).answer(text)",
    ]
    return Page(lines=lines, facts=facts)


def _rows(card: Card) -> Iterator[tuple[str, ...]]:
    assert card.data is not None
    for name, split in card.data.splits.items():
        yield (name, _size(split))
    if (taught := card.taught) is not None:
        epochs = "1 epoch" if taught.epochs == 1 else f"{taught.epochs} epochs"
        yield ("taught", f"{_size(taught.on)}; {epochs} at a rate of {taught.rate:g}")
        yield ("held back", f"{_size(taught.held_back)}: from encoder and head, to calibrate on")
    yield from (("caveat", caveat) for caveat in card.caveats)
    none = ", and declines" if card.reasons else ", and never declines"
    yield ("labels", f"{len(card.labels)}{none}")
    yield ("confidence", card.confidence_from)
    held_out = [m for m in card.metrics if m.on == "calibration"]
    for metric in held_out or card.metrics:
        yield (SAYS[metric.name], f"{spell(metric)}, {WHERE[metric.on]}")
    for limit in card.thresholds:
        value = "none" if limit.value is None else f"{limit.value:.3f}"
        force = "; in force" if limit.max_risk == card.max_risk else ""
        yield (f"threshold {limit.max_risk:.0%}", f"{value}: {limit.says}{force}")


def _size(split: SplitFacts) -> str:
    lacks = f"; none of {', '.join(split.without)}" if split.without else ""
    return f"{split.prompts:,} prompts in {split.groups:,} groups{lacks}"


SAYS = {
    "accuracy": "right",
    "coverage": "answered",
    "selective_accuracy": "right when it answers",
    "invention_rate": "invented",
}
WHERE = {
    "calibration": "on groups that it did not see",
    "held_back": "on groups that were held back from it",
    "cross_fitted": "each by a head that did not see its group",
}


def spell(metric: MetricFacts) -> str:
    """Return a number with its interval."""
    if metric.value is None:
        return metric.method
    if metric.low is None or metric.high is None:
        return f"{metric.value:.3f}"
    return f"{metric.value:.3f} [{metric.low:.3f}, {metric.high:.3f}] n={metric.n:,}"


def _is_path(text: str) -> bool:
    return "/" in text or (bool(text) and Path(text).is_dir())
