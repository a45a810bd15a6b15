"""The recipes without an encoder: keywords, first word, n-grams."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay import (
    OUTCOME_METRICS,
    Answer,
    Bottom,
    Failed,
    PlanError,
    PluginError,
    Question,
    SameAnswer,
    Sample,
    Task,
)
from assay.families.intent.recipes import tfidf
from assay.families.intent.recipes.first_word import FirstWord
from assay.families.intent.recipes.keywords import Keywords, defi_patterns
from assay.families.intent.recipes.tfidf import Tfidf, char_ngrams, fit_ngrams
from assay.families.intent.recipes.trained import load
from assay.testing import check_recipe

ODD = ("", " \n\t", "🦊🥩🚀", "?!", "swap " * 2000, "x" * 10_000, "質押", "\x00", "a\u0301")
RECIPES = (Keywords(), FirstWord(), Tfidf())
FRAMES = {
    "swap": ("swap {} for {}", "trade my {} to {}", "exchange {} into {}", "convert {} to {}"),
    "stake": ("stake {} with {}", "delegate {} at {}", "bond {} on {}", "lock {} for {}"),
    None: ("is {} like {}?", "tell me of {} and {}", "who made {} not {}", "why {} over {}?"),
}
COINS = ("ETH", "DAI", "SOL", "OP", "ARB")


def samples(split, frames):
    """Frames are groups; ``frames`` says which of each label's frames the split may use."""
    return [
        Sample(
            id=f"{split}/{label}/{k}/{coin}",
            input=FRAMES[label][k].format(coin, COINS[k]),
            target=Answer(label) if label else Bottom("out_of_scope"),
            group=f"{label}/{k}",
        )
        for label in FRAMES
        for k in frames
        for coin in COINS
    ]


SPLITS = {"train": (0, 1), "tune": (2,), "calibration": (3,), "test": (3,)}
TASK = Task(
    name="frames",
    version="1",
    samples=lambda split: samples(split, SPLITS[split]),
    verifier=SameAnswer(),
    metrics=OUTCOME_METRICS,
)


def built(recipe, workdir, seed=0):
    return recipe.build(TASK.samples("train"), TASK.samples("tune"), seed=seed, workdir=workdir)


def said(system, *texts):
    questions = [Question(id=str(k), input=text) for k, text in enumerate(texts)]
    by_id = {reply.question: reply.said for reply in system.answer(questions)}
    return [by_id[q.id] for q in questions]


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda r: type(r).__name__)
def test_a_recipe_keeps_its_contract(recipe, tmp_path):
    check_recipe(recipe, TASK, workdir=tmp_path)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda r: type(r).__name__)
def test_odd_prompts_get_one_reply_each(recipe, tmp_path):
    replies = said(built(recipe, tmp_path).system, *ODD)
    assert all(isinstance(reply, Answer | Bottom) for reply in replies)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda r: type(r).__name__)
def test_an_input_that_is_not_text_is_the_systems_failure(recipe, tmp_path):
    for reply in said(built(recipe, tmp_path).system, 7, {"question": "swap"}, "\udc80"):
        assert isinstance(reply, Failed)


def test_a_menu_beside_the_prompt_changes_nothing(tmp_path):
    system = built(Tfidf(), tmp_path).system
    bare, carried = said(system, "swap it", {"prompt": "swap it", "menu": ["swap", "stake"]})
    assert bare == carried


def test_every_defi_action_has_a_keyword_that_only_it_has():
    plain = {
        "borrow_asset": "borrow 5 DAI",
        "claim_rewards": "claim my rewards",
        "deposit_asset": "deposit 5 DAI",
        "repay_asset": "repay 5 DAI",
        "stake_asset": "stake 5 ETH",
        "swap_asset": "swap 5 ETH for DAI",
        "unstake_asset": "unstake 5 ETH",
        "withdraw_asset": "withdraw 5 DAI",
    }
    assert set(plain) == set(defi_patterns())
    system = Keywords().build([], [], seed=0, workdir=None).system
    assert said(system, *plain.values()) == [Answer(action) for action in plain]


def test_two_actions_in_one_prompt_are_ambiguous_and_the_first_in_the_text_is_proposed():
    system = Keywords().build([], [], seed=0, workdir=None).system
    [reply] = said(system, "unstake my ETH and swap it for DAI")
    assert reply == Bottom("ambiguous", Answer("unstake_asset"))


def test_no_keyword_is_a_decline():
    system = Keywords().build([], [], seed=0, workdir=None).system
    assert said(system, "sing me a song") == [Bottom("no_keyword")]


def test_a_pattern_that_does_not_compile_is_the_plans_mistake():
    with pytest.raises(PlanError, match=r"A102.*'swap'"):
        Keywords(patterns={"swap": ["("]})


def test_the_first_word_decides_and_an_unknown_one_declines(tmp_path):
    system = built(FirstWord(), tmp_path).system
    known, unknown, nothing = said(system, "Swap, please!", "perhaps swap", "...")
    assert known == Answer("swap", 1.0, {"stake": 0.0, "swap": 1.0})
    assert unknown == nothing == Bottom("unknown_word")


def test_a_first_word_of_rejected_samples_declines_with_a_proposal(tmp_path):
    [reply] = said(built(FirstWord(), tmp_path).system, "tell me how to stake")
    assert reply.reason == "out_of_scope"
    assert reply.proposal.confidence == 0.0


words = st.text(alphabet="ab Cßİ\t\u00a0é-🦊", max_size=30)


@settings(deadline=None)  # the first call imports
@given(st.lists(words, min_size=1, max_size=6), st.lists(words, min_size=1, max_size=3))
def test_features_are_those_of_scikit_learn(train, asked):
    from sklearn.feature_extraction.text import TfidfVectorizer

    if not any(text.split() for text in train):
        return
    theirs = TfidfVectorizer(analyzer="char_wb", ngram_range=tfidf.LENGTHS).fit(train)
    mine = fit_ngrams(train)
    assert list(mine.number) == theirs.get_feature_names_out().tolist()
    difference = mine.matrix(asked) - theirs.transform(asked)
    assert abs(difference).max() < 1e-12


@settings(deadline=None)  # the first call imports
@given(words)
def test_ngrams_do_not_see_case_or_spacing(text):
    assert list(char_ngrams(text.upper().lower())) == list(
        char_ngrams("  ".join(text.upper().split()))
    )


def test_ngrams_learn_words_that_frames_share(tmp_path):
    system = built(Tfidf(), tmp_path).system
    swap, stake = said(system, "swap ETH for DAI", "stake SOL with DAI")
    assert (swap.value, stake.value) == ("swap", "stake")
    assert 0 < swap.confidence <= 1


def test_an_ngram_classifier_comes_back_equal_from_its_folder(tmp_path):
    system = built(Tfidf(), tmp_path).system
    prompts = [sample.input for sample in TASK.samples("test")] + list(ODD)
    assert load(tmp_path).answer_all(prompts) == said(system, *prompts)


def test_a_changed_vocabulary_is_refused(tmp_path):
    built(Tfidf(), tmp_path)
    (tmp_path / "ngrams.json").write_text("{}")
    with pytest.raises(PluginError, match="A403"):
        load(tmp_path)


def test_a_seed_is_a_draw_of_groups_and_the_whole_bag_has_none(tmp_path):
    one, two = (
        built(Tfidf(bag=0.5), tmp_path / str(seed), seed).artifacts[1].digest for seed in (0, 1)
    )
    assert one != two
    assert not Tfidf(bag=1.0).seeded
    same = {
        built(Tfidf(bag=1.0), tmp_path / f"w{seed}", seed).artifacts[1].digest for seed in (0, 1)
    }
    assert len(same) == 1


def test_training_on_shuffled_labels_teaches_nothing(tmp_path):
    """Held-out accuracy over label permutations stays near chance: a broken system looks broken."""
    random = np.random.default_rng(3)
    train, right = TASK.samples("train"), []
    for k in range(8):
        targets = [train[i].target for i in random.permutation(len(train))]
        spoiled = [
            Sample(id=s.id, input=s.input, target=t, group=s.id)
            for s, t in zip(train, targets, strict=True)
        ]
        system = Tfidf().build(spoiled, TASK.samples("tune"), seed=k, workdir=tmp_path).system
        test = [s for s in TASK.samples("test") if isinstance(s.target, Answer)]
        replies = said(system, *(s.input for s in test))
        right += [
            isinstance(r, Answer) and r.value == s.target.value
            for r, s in zip(replies, test, strict=True)
        ]
    assert sum(right) / len(right) < 0.55


def test_a_head_is_trained_once_for_the_same_lessons_and_again_for_others(tmp_path):
    from assay.families.intent.recipes.tfidf import Tfidf

    train = [
        Sample(id=f"t{i}", input=f"{verb} {i} things", target=Answer(verb), group=f"g{i}")
        for i, verb in enumerate(["buy", "sell"] * 12)
    ]
    tune = [
        Sample(id=f"u{i}", input=f"{v} it", target=Answer(v)) for i, v in enumerate(["buy", "sell"])
    ]
    first = Tfidf().build(train, tune, seed=0, workdir=tmp_path)
    again = Tfidf().build(train, tune, seed=0, workdir=tmp_path)
    assert "trained" not in first.notes
    assert again.notes == {"trained": "before"}
    assert again.usage == first.usage
    asked = [s.question() for s in train]
    assert list(again.system.answer(asked)) == list(first.system.answer(asked))
    for other in (
        Tfidf().build(train[:-2], tune, seed=0, workdir=tmp_path),
        Tfidf().build(train, tune, seed=1, workdir=tmp_path),
        Tfidf(bag=0.5).build(train, tune, seed=1, workdir=tmp_path),
    ):
        assert "trained" not in other.notes
    (tmp_path / "ngrams.json").write_text("{}")
    assert "trained" not in Tfidf(bag=0.5).build(train, tune, seed=1, workdir=tmp_path).notes
