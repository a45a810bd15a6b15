"""``toy.errands``: which of four errands does a short request ask for, if any?

Made by a generator of its own, so that plans, crash tests and newcomers have a real task that
needs nothing.  Groups are sentence patterns and are never shared between splits.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from assay import OUTCOME_METRICS, Answer, Bottom, PlanError, SameAnswer, Sample, Task

VERBS = {
    "buy": ("buy", "purchase", "pick up", "order", "get me"),
    "call": ("call", "phone", "ring", "dial", "telephone"),
    "clean": ("clean", "wipe", "scrub", "wash", "dust"),
    "pay": ("pay", "settle", "transfer for", "pay off", "clear"),
}
THINGS = {
    "buy": ("two loaves of bread", "a bag of rice", "new batteries", "some stamps"),
    "call": ("my sister", "the dentist", "the plumber", "Ada at work"),
    "clean": ("the kitchen floor", "the windows", "the old bike", "the fridge"),
    "pay": ("the gas bill", "the rent", "the invoice from May", "the library fine"),
}
FRAMES = (
    "{verb} {thing}",
    "please {verb} {thing}",
    "could you {verb} {thing} today",
    "I need you to {verb} {thing}",
    "{thing}: {verb} it by noon",
    "remember to {verb} {thing} tomorrow",
    "before lunch, {verb} {thing}",
    "when you have a minute {verb} {thing}",
    "{verb} {thing}, it cannot wait",
    "first of all {verb} {thing}",
    "{verb} {thing} on your way home",
    "would you mind if I asked you to {verb} {thing}",
    "{verb} {thing} and tell me when it is done",
    "next on the list: {verb} {thing}",
)
NOTHING = (
    "do not {verb} {thing}",
    "why would anybody {verb} {thing}",
    "yesterday I had to {verb} {thing}",
    "my neighbour likes to {verb} {thing}",
    "never again will I {verb} {thing}",
    "is it dear to {verb} {thing} these days",
    "nobody needs to {verb} {thing} any more",
    "she told me how to {verb} {thing}",
)
SHARES = (("train", 0.35), ("tune", 0.1), ("calibration", 0.25), ("test", 0.3))


def errands(*, seed: int = 7, copies: int = 1) -> Task:
    """Return the task: 440 patterns, 1,760 requests, about one in three of them asks for nothing.

    With ``copies`` each test request is asked so many times, of other houses: for runs of any size.
    Raises ``PlanError`` A102 for fewer than one.
    """
    if copies < 1:
        raise PlanError(
            f"toy.errands.copies: {copies} copies of a request are none",
            hint="leave it out, or give 1 or more",
            code="A102",
        )
    splits: dict[str, list[Sample]] = {}

    def samples(split: str) -> Sequence[Sample]:
        if not splits:
            made = _make(seed)
            made["test"] = [_of_house(sample, k) for k in range(copies) for sample in made["test"]]
            splits.update(made)
        return splits[split]

    return Task(
        name="toy.errands",
        version="1",
        says="Which of four errands does a short request ask for, if any?",
        samples=samples,
        verifier=SameAnswer(),
        metrics=OUTCOME_METRICS,
        license="CC0-1.0",
    )


def _of_house(sample: Sample, house: int) -> Sample:
    if house == 0:
        return sample
    return replace(sample, id=f"{sample.id}/{house}", input=f"house {house}: {sample.input}")


def _make(seed: int) -> dict[str, list[Sample]]:
    patterns = [
        (action, frame, verb, frame in NOTHING)
        for action, verbs in VERBS.items()
        for verb in verbs
        for frame in (*FRAMES, *NOTHING)
    ]
    random.Random(seed).shuffle(patterns)
    bounds, start = {}, 0.0
    for split, share in SHARES:
        bounds[split] = (start, start + share)
        start += share
    made: dict[str, list[Sample]] = {split: [] for split, _ in SHARES}
    for place, (action, frame, verb, nothing) in enumerate(patterns):
        at = (place + 0.5) / len(patterns)
        split = next(s for s, (low, high) in bounds.items() if low <= at < high)
        for number, thing in enumerate(THINGS[action]):
            made[split].append(
                Sample(
                    id=f"{split}/{place:03}-{number}",
                    input=frame.format(verb=verb, thing=thing),
                    target=Bottom("nothing_asked") if nothing else Answer(action),
                    group=f"pattern/{place:03}",
                    tags=frozenset({"nothing" if nothing else "errand"}),
                )
            )
    return made
