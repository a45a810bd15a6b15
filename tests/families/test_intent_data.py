"""The samples of ``intent.defi``: what they promise, and that a leak cannot pass."""

import hashlib
import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay import Answer, Bottom, DataError, PlanError, Question, Reply, SameAnswer, Sample
from assay.families.intent.draws import Draws
from assay.families.intent.likeness import alike, leakage
from assay.families.intent.tasks import defi, noise, templates
from assay.families.intent.tasks import fillings as slots

SEED = 20261120
SPLITS = ("train", "tune", "calibration", "test")
DIGEST = "7de3c50b0e72c3b11da736b835070082af2594b945ab1e7c2c57a5bafe755ba2"


@pytest.fixture(scope="module")
def data():
    task = defi.defi()
    return {split: task.samples(split) for split in SPLITS}


@pytest.fixture(scope="module")
def everything(data):
    return [sample for split in SPLITS for sample in data[split]]


def label(sample):
    return sample.target.value if isinstance(sample.target, Answer) else "none"


def dump(samples):
    lines = [f"{s.id}\t{s.input}\t{label(s)}\t{s.group}\t{sorted(s.tags)}\n" for s in samples]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


# What the data set promises


def test_no_group_is_in_two_splits(data):
    split_of = {}
    for split, samples in data.items():
        for sample in samples:
            assert split_of.setdefault(sample.group, split) == split


def test_sizes_and_numbers_of_groups_reach_their_minimums(data):
    assert {split: len(s) for split, s in data.items()} == {
        "train": 2400,
        "tune": 500,
        "calibration": 1700,
        "test": 5000,
    }
    groups = {split: len({s.group for s in samples}) for split, samples in data.items()}
    assert groups["test"] >= 200
    assert groups["calibration"] >= 200
    assert groups["train"] >= 600
    assert groups["tune"] >= 60


def test_every_kind_and_action_is_in_every_split(data):
    kinds = {*templates.ACTIONS, *templates.NONE_KINDS}
    for samples in data.values():
        assert {s.group.removeprefix("plain/").split("/")[0] for s in samples} == kinds


def test_a_quarter_to_a_third_of_every_split_has_no_answer(data):
    for samples in data.values():
        share = sum(isinstance(s.target, Bottom) for s in samples) / len(samples)
        assert 0.22 < share < 0.34


def test_actions_are_balanced(data):
    for samples in data.values():
        counts = Counter(map(label, samples))
        actions = [counts[action] for action in templates.ACTIONS]
        assert max(actions) < 1.35 * min(actions)


def test_tags_tell_the_kind_and_agree_with_the_target(everything):
    for sample in everything:
        kind = sample.tags - {"typo", "noise"}
        match sample.target:
            case Answer(value):
                assert kind == {"in_scope"}
                assert f"/{sample.group}".rsplit("/", 2)[1] == value
            case Bottom(reason):
                assert kind == {reason}
                assert f"/{sample.group}".rsplit("/", 2)[1] == reason


def test_typos_and_noise_come_as_often_as_promised(everything):
    for tag, share in (("typo", 0.12), ("noise", 0.25)):
        found = sum(tag in s.tags for s in everything) / len(everything)
        assert abs(found - share) < 0.03


def test_no_two_prompts_are_the_same(everything):
    assert len({" ".join(s.input.lower().split()) for s in everything}) == len(everything)


def test_no_prompt_has_an_unfilled_slot_or_odd_spaces(everything):
    for sample in everything:
        assert not re.search(r"[{}]|  |^ | $", sample.input), sample.input


def test_articles_fit_what_follows_them(everything):
    for sample in everything:
        for article, value in re.findall(r"\b([Aa]n?) (\d[\d.,]*k?)", sample.input):
            assert (article.lower() == "an") == slots.takes_an(value), sample.input


def test_gold_answers_are_right(data):
    asked = [s for s in data["test"] if isinstance(s.target, Answer)]
    checks = SameAnswer().check([(s, Reply(s.id, s.target)) for s in asked])
    assert all(check.passed for check in checks)


def test_a_question_shows_neither_group_nor_tags(data):
    asked = data["test"][0].question()
    assert isinstance(asked, Question)
    assert asked.input == data["test"][0].input


def test_a_smaller_test_is_the_beginning_of_a_larger_one(data):
    small = defi.defi(size=700)
    assert small.samples("test") == data["test"][:700]
    assert small.samples("calibration") == data["calibration"]


def test_other_seeds_make_other_splits_without_leaks(data):
    for seed in (0, 1):
        other = defi.defi(size=800, seed=seed)  # the leakage check runs in here
        assert {s.group for s in other.samples("test")} != {s.group for s in data["test"]}


CHILD = """
import hashlib
from assay import Answer
from assay.families.intent.tasks.defi import defi
task, sha = defi(), hashlib.sha256()
for split in ("train", "tune", "calibration", "test"):
    for s in task.samples(split):
        said = s.target.value if isinstance(s.target, Answer) else "none"
        sha.update(f"{s.id}\\t{s.input}\\t{said}\\t{s.group}\\t{sorted(s.tags)}\\n".encode())
print(sha.hexdigest())
"""


def test_another_process_makes_the_same_bytes(everything):
    here = os.environ.get("PYTHONHASHSEED", "random")
    made = subprocess.run(
        [sys.executable, "-c", CHILD],
        env={
            **os.environ,
            "PYTHONHASHSEED": "2" if here == "1" else "1",
            "PYTHONPATH": os.pathsep.join(sys.path),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert made.stdout.strip() == dump(everything)


def test_a_quarter_of_the_families_are_hand_written_unless_the_plan_says_otherwise():
    everybody = templates.families()
    for unusual in (0.0, 0.25, 1.0):
        kept = templates.mix(everybody, unusual=unusual)
        share = sum(not f.is_plain for f in kept) / len(kept)
        assert abs(share - unusual) < 0.02
    assert len({f.id for f in everybody}) == len(everybody) >= 600


def test_no_plain_core_stands_in_two_families():
    plain = [f for f in templates.families() if f.is_plain]
    assert all(1 <= len(f.templates) <= 3 for f in plain)
    seen = {}
    for family in plain:
        for template in family.templates:
            assert seen.setdefault(template.lower(), family.id) == family.id


def test_a_share_that_is_none_is_a_plan_error():
    with pytest.raises(PlanError, match="A102"):
        defi.defi(unusual=1.5)


def test_the_data_is_the_data_of_version_1(everything):
    """Change the digest and ``Task.version`` together, once numbers on the task are published."""
    assert (defi.defi().version, dump(everything)) == ("1", DIGEST)


@pytest.mark.parametrize("size", [0, -1, 100_001])
def test_an_impossible_size_is_a_plan_error(size):
    with pytest.raises(PlanError, match="A102"):
        defi.defi(size=size)


def test_a_negative_seed_is_a_plan_error():
    with pytest.raises(PlanError, match="negative"):
        defi.defi(seed=-1).samples("test")


# How little a cheap trick gets


def test_the_first_word_does_not_give_the_answer_away(data):
    """In an earlier data set a lookup on the first word was right 98 times in 100."""
    seen = defaultdict(Counter)
    for sample in data["train"]:
        seen[first_word(sample)][label(sample)] += 1
    guess = {word: counts.most_common(1)[0][0] for word, counts in seen.items()}
    right = sum(guess.get(first_word(s), "none") == label(s) for s in data["test"])
    assert right / len(data["test"]) < 0.35


def first_word(sample):
    return re.findall(r"\w+|\S", sample.input.lower())[0]


def test_the_venue_alone_hardly_tells_the_action(data):
    names = sorted((v.lower() for v in slots.all_venues()), key=len, reverse=True)
    venue = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, names))})(?!\w)")

    def named(samples):
        found = ((venue.findall(s.input.lower()), label(s)) for s in samples)
        return [(venues[0], said) for venues, said in found if venues]

    seen = defaultdict(Counter)
    for name, said in named(data["train"]):
        seen[name][said] += 1
    test = named(data["test"])
    right = sum(seen[name].most_common(1)[0][0] == said for name, said in test if seen[name])
    most = Counter(said for _, said in test).most_common(1)[0][1]
    assert right / len(test) < most / len(test) + 0.08


# Templates, slots and noise


def test_no_two_families_are_near_duplicates_so_that_any_seed_is_clean():
    found = [
        Sample(id=f"{family.id}-{n}", input=slots.SLOT.sub("5", text), group=family.id)
        for family in templates.families()
        for n, text in enumerate(family.templates)
    ]
    by_group = defaultdict(list)
    for sample in found:
        by_group[sample.group].append(sample)
    leakage.check(by_group, alike=0.7)


def test_there_are_enough_families():
    counts = Counter(family.kind for family in templates.families())
    assert all(counts[action] >= 68 for action in templates.ACTIONS)
    assert all(counts[kind] >= 48 for kind in templates.NONE_KINDS)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("just text", "not a list"),
        ("[]", "not a list"),
        ('- "swap {amout}"', "unknown slot"),
        ('- "swap {amount"', "stray brace"),
        ("- 7", "not text"),
        ("- []", "0 paraphrases"),
        ("- [a, b, c, d]", "4 paraphrases"),
        ('- " "', "not text"),
    ],
)
def test_a_broken_template_file_is_an_error(text, says):
    with pytest.raises(DataError, match=says):
        templates.parse_families(text, "swap_asset", where="swap_asset.yaml")


def test_there_are_enough_values_for_every_slot():
    assert len({a.symbol for a in slots.assets()}) == len(slots.assets()) >= 24
    assert len(set(slots.all_venues())) == len(slots.all_venues()) >= 24
    assert len(set(slots.chains())) == 10


@given(st.integers(0, 2**32), st.sampled_from(slots.assets()))
def test_an_amount_is_a_numeral_of_the_assets_size(seed, asset):
    text = slots.amount(asset, Draws(seed))
    assert re.fullmatch(r"\d{1,3}(,\d{3})*|\d+(\.\d+)?k?", text)
    size = float(text.replace(",", "").replace("k", "e3"))
    assert asset.low / 2 <= size <= asset.high * 1.5


@given(st.integers(0, 2**32))
def test_the_two_assets_of_a_prompt_can_be_traded(seed):
    values = slots.slot_values("swap {amount} {asset} to {asset2}", Draws(seed))
    pair = {values["asset"], values["asset2"]}
    assert len(pair) == 2
    assert not pair <= slots.WRAPPERS


@given(st.integers(0, 2**32), st.sampled_from(templates.families()))
def test_a_typo_is_one_letter_of_the_template_and_never_of_a_slot(seed, family):
    draws = Draws(seed)
    template = draws.one_of(family.templates)
    pieces = defi.fill(template, slots.slot_values(template, draws))
    wrong = noise.mistype(pieces, draws)
    if wrong is None:
        return
    changed = [(a, b) for a, b in zip(pieces, wrong, strict=True) if a != b]
    assert len(changed) == 1
    before, after = changed[0]
    assert not before.slot
    assert abs(len(before.text) - len(after.text)) <= 1
    assert Counter(before.text.split())  # words stay words: no space was touched
    assert len(before.text.split()) == len(after.text.split())


@given(st.integers(0, 2**32), st.sampled_from(["stake 5 ETH", "is it safe?", "Do it. Please."]))
def test_noise_keeps_the_request_whole(seed, text):
    dressed = noise.dress(text, Draws(seed), onchain=True)
    if dressed is not None:
        assert text.lower() in dressed.lower()
        assert len(dressed) > len(text)


def test_role_of_a_venue_follows_the_words_and_not_the_label():
    assert slots.role_of("do not swap my {asset} on {venue}") == "dex"
    assert slots.role_of("is it safe to stake {asset} with {venue}") == "staking"
    assert slots.role_of("open a loan at {venue}") == "lending"
    assert slots.role_of("sign up at {venue}") == "any"


# The leakage check


def planted(data, text, *, group="planted/0"):
    extra = Sample(id="test/planted", input=text, target=Bottom("planted"), group=group)
    return {**data, "test": (*data["test"], extra)}


def leaks(splits):
    with pytest.raises(DataError) as caught:
        leakage.check(splits, fillers=defi.fillers())
    assert caught.value.code == "A201"
    assert caught.value.hint
    return str(caught.value)


def test_a_copy_of_a_training_prompt_is_found(data):
    text = data["train"][100].input
    assert "are the same prompt" in leaks(planted(data, text))


def test_a_copy_in_other_casing_and_spacing_is_found(data):
    text = "  ".join(data["train"][100].input.upper().split())
    message = leaks(planted(data, text))
    assert "are the same prompt" in message
    assert "train/00100" in message
    assert "test/planted" in message


def test_the_same_template_with_other_values_is_found(data):
    there = {**data, "train": (replace(data["train"][0], input="hurl 3 DAI at Lido on Base"),)}
    message = leaks(planted(there, "hurl 2,500 wbtc at ether.fi on bnb chain, thanks"))
    assert "near-duplicates" in message or "same template" in message
    message = leaks(planted(there, "hurl 2,500 wbtc at ether.fi on bnb chain"))
    assert "same template" in message


def test_a_near_duplicate_is_found(data):
    trained = {sample.group for sample in data["train"]}
    families = [f for f in templates.families() if f.id in trained]
    for family in families[:: len(families) // 3]:
        text = slots.SLOT.sub("7", max(family.templates, key=len)) + "s"
        assert "near-duplicates" in leaks(planted(data, text))


def test_a_shared_group_is_found(data):
    text = "nothing like this stands anywhere else: zyx wvu"
    message = leaks(planted(data, text, group=data["tune"][3].group))
    assert "share the group" in message


def test_near_duplicates_in_one_split_are_no_leak():
    one = Sample(id="a", input="stake all of my tokens with them today", group="a")
    two = Sample(id="b", input="stake all of my tokens with them todays", group="b")
    leakage.check({"train": [one, two], "test": []})
    with pytest.raises(DataError, match="near-duplicates"):
        leakage.check({"train": [one], "test": [two]})


def test_an_input_that_is_not_text_is_an_error():
    with pytest.raises(DataError, match="not text"):
        leakage.check({"train": [Sample(id="a", input=7)]})


# The search behind it

WORDS = st.sampled_from(["stake", "swap", "my", "all", "eth", "steak", "a", "é", "日本"])
TEXTS = st.lists(st.lists(WORDS, min_size=1, max_size=6).map(" ".join), max_size=25, unique=True)


def trigrams(text):
    padded = f" {text} "
    return {padded[i : i + 3] for i in range(len(padded) - 2)}


def brute(a, b):
    return len(trigrams(a) & trigrams(b)) / len(trigrams(a) | trigrams(b))


@settings(deadline=None)
@given(TEXTS, st.sampled_from([0.3, 0.5, 0.75, 0.8, 1.0]))
def test_the_search_finds_exactly_the_pairs_that_comparing_all_finds(texts, threshold):
    sets = alike.grams(texts)
    found = set()
    labels = alike.np.arange(len(texts))
    for left, right in alike.candidates(sets, alike=threshold, labels=labels):
        for a, b in zip(left.tolist(), right.tolist(), strict=True):
            if alike.jaccard(sets, a, b) >= threshold:
                found.add((min(a, b), max(a, b)))
    assert found == {
        (a, b)
        for b in range(len(texts))
        for a in range(b)
        if brute(texts[a], texts[b]) >= threshold
    }


@settings(deadline=None)
@given(TEXTS, st.sampled_from([0.4, 0.8]))
def test_clusters_are_the_connected_components(texts, threshold):
    expected = list(range(len(texts)))
    for b in range(len(texts)):
        for a in range(b):
            if brute(texts[a], texts[b]) >= threshold:
                one, other = sorted((expected[a], expected[b]))
                expected = [one if x == other else x for x in expected]
    assert alike.clusters(texts, alike=threshold) == expected
