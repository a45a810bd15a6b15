"""A network of a sealed run, found where it was kept or taught again, with the gate that it ships with."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from assay import Needs, PlanError, PluginError, Sample
from assay.runs import Place, Point, digest_of_file, training_samples

from ..learning.head import best_gate
from ..learning.kept import NETWORK, Network, open_network
from ..learning.projective import Projective
from ..learning.together import Lesson, named
from ..recipes.learner import Learner, steady
from ..recipes.networks import Softmax, TwoHeaded
from ..recipes.projective import Rational
from .deployed import Deployed, Gate, before_rounding

ONE_NETWORK = (TwoHeaded, Softmax, Rational)
"""Recipes whose system is one network and one head; subclasses read rows in ways of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A network of a run, ready to be exported."""

    deployed: Deployed
    lesson: Lesson
    samples: Mapping[str, Sequence[Sample]]
    network: Network
    digest: str
    taught_again: bool
    """Whether its file was gone, and it learnt again what it had learnt."""

    chosen: str
    """Who chose the threshold of the gate, and on what."""

    point: Point | None


def exportable(place: Place) -> bool:
    """Whether a system is one network with a head that has a graph."""
    facts = place.run.manifest.systems[place.original]
    # Other families' recipes need not be loaded for that.
    return facts.use.startswith("science.") and type(place.recipe()) in ONE_NETWORK


def find(place: Place) -> Found:
    """Return the network of one seed of a system.

    Raises ``PlanError`` A104 for a system that is no network with one head, or declines everything;
    ``PluginError`` A403 where the network is gone and another one is learnt in its place, A401 where
    torch is not installed; ``DataError`` A200 where the samples it learnt from are not there.
    """
    recipe = place.recipe()
    if not isinstance(recipe, Learner) or type(recipe) not in ONE_NETWORK:
        raise PlanError(
            f"{place.system} is no network with one head: a bundle holds one",
            where=str(place.run.path),
            hint="name a system of science.two_heads, science.softmax or science.projective",
            code="A104",
        )
    point = place.point
    samples = training_samples(place)
    # Where it learnt does not matter to what it says: a network taught on a GPU ships from anywhere.
    lesson = replace(recipe, device="cpu", needs=Needs()).lesson(samples["train"], samples["tune"])
    network, digest, taught = _network(place, recipe, samples)
    weights = named(lesson.parts, network.weights)
    tau, own, chosen = 0.0, False, "never: every value is given"
    match recipe.gate:
        case "tuned":
            read, tune, scale = steady(recipe.reader(lesson, [weights])), lesson.tune, lesson.scale
            found = best_gate(read(scale.inward(tune.x)), tune, scale.wanted(tune.y))
            tau = before_rounding(found.threshold)
            chosen = "on tune rows, where the mean cost of a row is least"
        case "own":
            own, chosen = True, "by the rule of its head"
    if point is not None:
        above = before_rounding(point.value)
        if own or above > tau:
            chosen = f"on calibration records: {point.promise}" + (f"; and {chosen}" if own else "")
        tau = max(tau, above)
    head = lesson.head
    if own and isinstance(head, Projective):
        tau, own = max(tau, head.taus.infer), False
    gate = Gate(
        tau=tau, own=own, tau_train=head.taus.train if isinstance(head, Projective) else None
    )
    deployed = Deployed(
        shape=lesson.shape,
        head=head,
        scale=lesson.scale,
        weights=weights,
        reasons=lesson.train.reasons,
        gate=gate,
    )
    return Found(
        deployed=deployed,
        lesson=lesson,
        samples=samples,
        network=network,
        digest=digest,
        taught_again=taught,
        chosen=chosen,
        point=point,
    )


def _network(
    place: Place, recipe: Learner, samples: Mapping[str, Sequence[Sample]]
) -> tuple[Network, str, bool]:
    """Return the network whose digest the run's provenance names."""
    sealed = [file.digest for file in place.made if file.kind == "weights"]
    if len(sealed) != 1:
        raise PlanError(
            f"the run names {len(sealed)} files of weights that {place.system} made: a bundle holds one",
            where=str(place.run.path),
            code="A104",
        )
    kept = place.workdir / NETWORK
    if kept.is_file() and digest_of_file(kept) == sealed[0]:
        network = open_network(kept)
        if network is not None:
            return network, sealed[0], False
    lesson = recipe.lesson(samples["train"], samples["tune"])
    with tempfile.TemporaryDirectory(prefix="assay-taught-") as folder:
        there = Path(folder)
        network = recipe.taught(lesson, {place.seed: there / "seed"}, there)[place.seed]
        digest = digest_of_file(there / "seed" / NETWORK)
    if digest != sealed[0]:
        raise PluginError(
            f"the network of {place.system} is gone, and taught again it is {digest[:19]} and not "
            f"{sealed[0][:19]}",
            where=str(place.workdir),
            hint="teach it with the versions that provenance.json names, on the same kind of machine",
            code="A403",
        )
    return network, digest, True
