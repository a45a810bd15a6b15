"""The sides of ``bench/intent_peers.py`` speak one protocol, and its tables hide no loss."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))

import intent_peers_told
from intent_peers_apart import Child, digest, once

LAST_WORD = '''
"""A side that knows a label by the last word of what it learnt."""


class LastWord:
    def learn(self, asked):
        print("a library that prints")
        pairs = zip(asked["texts"], asked["labels"])
        self.labels = {text.split()[-1]: label for text, label in pairs}
        return {"words": len(self.labels)}

    def fit(self, texts, labels):
        return {"none": labels.count(None)}

    def answer(self, texts):
        said = [self.alone(text) for text in texts]
        return [label for label, _ in said], [sure for _, sure in said]

    def alone(self, text):
        known = self.labels.get(text.split()[-1])
        return (known, 1.0) if known else ("swap", 0.25)
'''


@pytest.fixture
def child(tmp_path, monkeypatch):
    (tmp_path / "last_word_side.py").write_text(LAST_WORD, "utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    side = "last_word_side:LastWord"
    with Child(side=side, python=Path(sys.executable), log=tmp_path / "side.log") as started:
        yield started


def test_a_side_in_another_process_learns_answers_and_is_timed(child, tmp_path):
    learnt = child.ask(do="learn", texts=["swap my eth", "pay it back"], labels=["swap", "repay"])
    assert learnt["words"] == 2
    assert learnt["all_wall"] > 0
    assert child.ask(do="fit", texts=["a", "b"], labels=["swap", None])["none"] == 1
    texts = ["give it back", "my ETH, ünïcode: eth", "weather"]
    said = child.ask(do="answer", texts=texts)
    assert said["labels"] == ["repay", "swap", "swap"]
    assert said["sure"] == [1.0, 1.0, 0.25]
    took = child.ask(do="time", texts=texts)
    assert (took["labels"], took["sure"]) == (said["labels"], said["sure"])
    assert len(took["cpu"]) == len(took["wall"]) == 3
    assert all(second >= 0 for second in took["cpu"] + took["wall"])
    assert "a library that prints" in (tmp_path / "side.log").read_text("utf-8")


def test_a_side_that_breaks_ends_the_run_and_names_its_log(child, tmp_path):
    with pytest.raises(SystemExit, match=r"ended with status 1 at 'dance': see .*side\.log"):
        child.ask(do="dance")
    assert "unknown request 'dance'" in (tmp_path / "side.log").read_text("utf-8")


def test_what_was_made_once_is_read_back(tmp_path):
    path = tmp_path / "deep" / "kept.json"
    assert once(path, lambda: {"made": 1}) == {"made": 1}
    assert once(path, lambda: {"made": 2}) == {"made": 1}


def test_a_name_changes_with_anything_that_decides():
    assert digest("setfit", {"steps": 4}) == digest("setfit", {"steps": 4})
    assert digest("setfit", {"steps": 4}) != digest("setfit", {"steps": 5})


def told(name, labels, sure, wanted, ms):
    return intent_peers_told.Told(
        name=name,
        base="assay: minilm",
        wanted=wanted,
        known=wanted,
        said={
            "learnt": {"all_cpu": 1.0},
            "fit": {},
            "known": {"labels": labels, "sure": sure},
            "test": {"labels": labels, "sure": sure},
        },
        times=[[ms, ms, ms], [ms, ms, ms]],
    )


@given(
    peer=st.lists(st.booleans(), min_size=1, max_size=40),
    ours=st.lists(st.booleans(), min_size=40, max_size=40),
    peer_ms=st.floats(0.1, 9),
    our_ms=st.floats(0.1, 9),
)
def test_a_row_says_a_loss_exactly_where_there_is_one(peer, ours, peer_ms, our_ms):
    ours = ours[: len(peer)]
    wanted = ["yes"] * len(peer)

    def said(right):
        return ["yes" if each else "no" for each in right]

    rows = [
        told("assay: minilm", said(ours), [0.9] * len(peer), wanted, our_ms),
        told("peer", said(peer), [0.9] * len(peer), wanted, peer_ms),
    ]
    row = intent_peers_told.accuracy_table(rows).splitlines()[-1]
    assert ("accuracy" in row) == (sum(peer) > sum(ours))
    assert ("CPU" in row) == (peer_ms < our_ms)


def test_out_of_scope_is_counted_at_both_thresholds():
    wanted = ["yes"] * 20 + [None] * 5
    labels = ["yes"] * 19 + ["no"] + ["yes"] * 5
    sure = [0.9] * 18 + [0.6, 0.4] + [0.7, 0.45, 0.1, 0.1, 0.1]
    found = told("peer", labels, sure, wanted, 1.0).outside()
    assert found["half"]["recall"][0] == pytest.approx(4 / 5)
    assert found["half"]["right"][0] == pytest.approx(19 / 20)
    assert found["kept"]["threshold"] == pytest.approx(0.59)
    assert found["kept"]["passed"][0] == pytest.approx(19 / 20)
    assert found["kept"]["recall"][0] == pytest.approx(4 / 5)
    assert found["auroc"] == pytest.approx(0.97)
