"""What the engine and a worker say to each other arrives as it was said."""

from __future__ import annotations

from dataclasses import replace

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from assay import Answer, Artifact, Bottom, Failed, Outcome, Question, Reply, Usage, Verdict
from assay.engine.judging import evidence
from assay.engine.sound import sound
from assay.engine.wire import (
    Ask,
    Job,
    decode_ask,
    decode_job,
    decode_message,
    encode,
    pack_artifact,
    pack_reply,
    unpack_reply,
)
from assay.store.manifest import ArtifactFacts
from strategies import artifacts, questions, texts


def over(reply: Reply) -> Reply:
    """Return what arrives of a reply."""
    heard = decode_message(encode({"reply": pack_reply(reply, Usage())})).reply
    assert heard is not None
    return unpack_reply(heard)


PATHS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(asked=st.lists(questions(), max_size=5), seed=st.integers(0, 2**32 - 1))
def test_questions_arrive_as_they_were_asked(asked: list[Question], seed: int) -> None:
    line = encode(Ask.of(seed, asked))
    assert b"\n" not in line
    assert decode_ask(line).unpack() == [replace(q, seed=seed) for q in asked]


@given(
    job=st.builds(
        Job,
        use=texts(),
        options=st.dictionaries(texts(), st.integers() | texts() | st.booleans(), max_size=3),
        base=PATHS,
        train=PATHS,
        tune=PATHS,
        workdir=PATHS,
        seeds=st.lists(st.integers(0, 2**32 - 1), max_size=4),
    )
)
def test_a_job_arrives_as_it_was_given(job: Job) -> None:
    line = encode(job)
    assert b"\n" not in line
    assert decode_job(line) == job


@given(artifact=artifacts())
def test_a_file_that_a_system_made_arrives_with_its_past(artifact: Artifact) -> None:
    facts = ArtifactFacts(**msgspec.to_builtins(pack_artifact(artifact)))
    assert Artifact(**facts.model_dump()) == artifact


@given(reason=texts(), detail=texts(), proposal=st.none() | st.builds(Answer, texts()))
def test_the_numbers_behind_a_decline_arrive_and_are_kept_as_evidence(reason, detail, proposal):
    reply = Reply("q", Bottom(reason, proposal, detail))
    assert over(sound(reply)) == reply
    kept = evidence(reply, Verdict(outcome=Outcome.DECLINED))
    assert kept == (f"[detail]\n{detail}".encode() if detail else b"")


def test_what_a_system_shows_of_its_work_is_kept_beside_what_the_verifier_found() -> None:
    reply = Reply("q", Answer("4"), evidence={"prompt": "2 + 2", "code": "the system's"})
    found = Verdict(outcome=Outcome.CORRECT, evidence={"code": "the verifier's"})
    arrived = over(sound(reply))
    assert evidence(arrived, found) == b"[code]\nthe verifier's\n\n[prompt]\n2 + 2"


def test_an_earlier_turn_that_no_record_can_hold_has_failed() -> None:
    reply = Reply("q", Answer("4"), earlier=(Answer(float("nan")), Bottom("unsure")))
    assert sound(reply).earlier == (Failed("non_finite", "the value"), Bottom("unsure"))
