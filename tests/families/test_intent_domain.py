"""Domains are data: what a folder may hold, and what is wrong with it, with the line."""

import shutil
from collections import Counter
from importlib.resources import as_file

import pytest
import yaml

from assay import Answer, Bottom, DataError, PlanError, load_tasks
from assay.families.intent.grammar.domain import load_domain, shipped
from assay.families.intent.grammar.reading import as_json, read_steps
from assay.families.intent.recipes.grammar import Grammar, digest
from assay.families.intent.tasks.domain import domain_task
from assay.testing import check_task

TEA = """
name: tea
says: Things that one asks of a tea kitchen.
kinds:
  tea:
    names:
      green: [sencha, matcha]
      black: {also: [assam], facts: {minutes: 4}}
  cups:
    numbers:
      bare: {above: 0, most: 12}
      counts: tea
      units: {litre: {above: 0, most: 3, also: [litres, l]}}
      multiples: {dozen: 12}
actions:
  brew:
    says: Make tea.
    keywords: [brew, make ... tea]
    refers: tea
    roles:
      cups: {kinds: [cups], counts: tea}
      tea: {kinds: [tea]}
  pour:
    says: Pour what was made.
    keywords: [pour]
    roles:
      cups: {kinds: [cups], counts: tea}
      tea: {kinds: [tea], spends: true, before: [of]}
words:
  refers: {tea: [it]}
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "domain.yaml").write_text(TEA, "utf-8")
    return tmp_path


def wrong(folder, old, new):
    """Load the domain with one part of it replaced, which must be refused."""
    assert old in TEA
    (folder / "domain.yaml").write_text(TEA.replace(old, new, 1), "utf-8")
    with pytest.raises(DataError) as caught:
        load_domain(folder)
    assert caught.value.code == "A200"
    return caught.value


def test_a_folder_without_python_is_a_domain(folder):
    tea = load_domain(folder)
    read = read_steps("brew 2 sencha then pour it", tea)
    assert as_json(read, tea) == [
        {"action": "brew", "slots": {"cups": "2", "tea": "green"}},
        {"action": "pour", "slots": {"cups": "previous", "tea": "green"}},
    ]
    assert read_steps("brew 13 matcha", tea) == Bottom("bad_number")
    assert read_steps("brew 2 litres of coffee", tea).reason == "unknown:word"
    assert as_json(read_steps("brew one dozen assam", tea), tea)[0]["slots"]["cups"] == "12"
    assert tea.kinds["tea"].names[1].facts == {"minutes": 4}


def test_the_shipped_domains_hold_data_and_no_code():
    for name in shipped():
        files = {file.name for file in load_domain(name).home.iterdir()}
        assert {file.rpartition(".")[2] for file in files} <= {"yaml", "csv"}


def test_a_domain_is_read_once_by_name_and_the_same_from_its_folder(tmp_path):
    assert load_domain("defi") is load_domain("defi")
    with as_file(load_domain("defi").home) as home:
        shutil.copytree(home, tmp_path / "copy")
    copy = load_domain(tmp_path / "copy")
    for part in ("name", "says", "kinds", "actions", "words"):
        assert getattr(copy, part) == getattr(load_domain("defi"), part)
    assert digest(copy) == digest(load_domain("defi"))
    with (tmp_path / "copy" / "assets.yaml").open("a") as file:
        file.write("  NEWCOIN: []\n")
    assert digest(load_domain(tmp_path / "copy")) != digest(load_domain("defi"))


def test_an_unknown_domain_is_an_error_with_a_suggestion(tmp_path):
    with pytest.raises(PlanError, match="did you mean 'home'") as caught:
        load_domain("hoem")
    assert caught.value.code == "A103"
    with pytest.raises(PlanError, match="no domain"):
        load_domain(tmp_path)


def test_an_unknown_key_is_an_error_with_its_line_and_a_suggestion(folder):
    error = wrong(folder, "    keywords: [pour]", "    keyword: [pour]")
    line = TEA[: TEA.index("keywords: [pour]")].count("\n") + 1
    assert error.where.endswith(f"domain.yaml:{line}")
    assert "'keyword'" in error.what
    assert error.hint == "did you mean 'keywords'?"
    error = wrong(folder, "spends: true", "spend: true")
    assert error.hint == "did you mean 'spends'?"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("kinds: [tea]}\n  pour", "kinds: [coffee]}\n  pour", "'coffee' is no kind"),
        ("counts: tea}\n      tea: {kinds: [tea]}", "counts: pot}\n      tea: {kinds: [tea]}", "'pot'"),
        ("refers: tea", "refers: teapot", "'teapot' is no role"),
        ("words:\n  refers: {tea: [it]}", "words:\n  refers: {pot: [it]}", "'pot' is no kind"),
        ("      green: [sencha, matcha]", "      green: [sencha, Assam]", "'assam' is a writing of"),
        ("      green: [sencha, matcha]", "      green: [sencha, '!!']", "no letter and no digit"),
        ("    keywords: [pour]\n", "", "keywords is missing"),
        ("    keywords: [pour]\n", "    keywords: []\n", "keywords"),
        ("    keywords: [pour]\n", "    keywords: [7]\n", "keywords"),
        ("    says: Make tea.\n", "    says: Make tea.\n    says: Again.\n", "stands here twice"),
        ("most: 12", "most: many", "most"),
        ("name: tea", "name: Tea Kitchen", "name"),
        ("    names:\n      green: [sencha, matcha]\n      black: {also: [assam], facts: {minutes: 4}}",
         "    names: ../teas.yaml", "not a file beside domain.yaml"),
        ("    names:\n      green: [sencha, matcha]\n      black: {also: [assam], facts: {minutes: 4}}",
         "    names: teas.yaml", "cannot be read"),
        ("name: tea", "name: &a tea", "anchors"),
        ("name: tea", "name: !!str tea", "tags"),
        ("kinds:\n", "kinds: [\n", "not YAML"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_domain_is_an_error_that_says_it(folder, old, new, says):
    error = wrong(folder, old, new)
    assert says in f"{error.what} {error.hint}"
    assert ".yaml" in error.where


def test_bytes_and_sizes_are_checked_before_anything_is_parsed(folder):
    for raw, says in ((b"name: \xff", "not UTF-8"), (b"#" * 1_000_001, "more than")):
        (folder / "domain.yaml").write_bytes(raw)
        with pytest.raises(DataError, match=says):
            load_domain(folder)


def test_a_file_larger_than_memory_is_refused_by_its_first_bytes(folder):
    with (folder / "domain.yaml").open("wb") as file:
        file.truncate(1 << 36)  # sparse: 64 GiB that take no room
    with pytest.raises(DataError, match="more than"):
        load_domain(folder)


def test_a_case_with_an_unknown_action_or_role_is_an_error(folder):
    from assay.families.intent.grammar.cases import load_cases

    tea = load_domain(folder)
    assert load_cases(tea) == ()
    for step, says in (("{fly: {}}", "no action 'fly'"), ("{brew: {sugar: x}}", "no role 'sugar'")):
        (folder / "cases.yaml").write_text(f"cases:\n  - {{says: a, steps: [{step}]}}\n", "utf-8")
        with pytest.raises(DataError, match=says):
            load_cases(tea)
    (folder / "cases.yaml").write_text("cases:\n  - {says: a}\n", "utf-8")
    with pytest.raises(DataError, match="give `steps`"):
        load_cases(tea)


def test_the_files_of_every_shipped_domain_are_read_without_libyaml_too():
    """PyYAML's own reader stands in where its C part was not built, and is stricter."""
    for name in shipped():
        with as_file(load_domain(name).home) as home:
            for path in home.glob("*.yaml"):
                text = path.read_text("utf-8")
                c_part = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
                assert yaml.safe_load(text) == yaml.load(text, Loader=c_part)


def test_the_words_of_every_shipped_domain_are_used_once():
    """A word that stands in two lists of one kind would make one of them a dead letter."""
    for name in shipped():
        words = load_domain(name).words
        for phrases in (words.asides, words.questions, words.requests, *words.refuse.values()):
            twice = [phrase for phrase, times in Counter(phrases).items() if times > 1]
            assert twice == []


# --- intent.domain --------------------------------------------------------------------------


def test_the_home_task_keeps_the_contract_of_tasks():
    task = load_tasks("intent.domain")["intent.domain"]
    check_task(task)
    labels = set(load_domain("home").actions)
    for split in ("train", "tune", "calibration", "test"):
        samples = task.samples(split)
        said = {s.target.value for s in samples if isinstance(s.target, Answer)}
        assert said == labels
        assert any(isinstance(s.target, Bottom) for s in samples)
    assert sum(len(task.samples(s)) for s in ("train", "tune", "calibration", "test")) == 1125


def test_the_label_of_a_home_prompt_is_its_groups(tmp_path):
    for split in ("train", "test"):
        for sample in domain_task().samples(split):
            label = sample.target.value if isinstance(sample.target, Answer) else "none"
            assert sample.group.startswith(f"group/{label}-")


def rows(*, label="brew", count=4):
    words = ("make some tea", "boil the leaves", "I would love a cup", "a pot for two please")
    return [f"{text},{label},{label}-{n}" for n, text in enumerate(words[:count])]


def test_prompts_of_an_own_domain_are_a_task_and_wrong_labels_are_errors_with_a_line(folder):
    poured = ("fill my mug", "serve what is ready", "into the glasses with that", "top me up")
    pours = [f"{text},pour,pour-{n}" for n, text in enumerate(poured)]
    lines = ["prompt,label,group", *rows(), *pours]
    (folder / "prompts.csv").write_text("\n".join(lines) + "\n", "utf-8")
    task = domain_task(domain=folder)
    assert {len(task.samples(split)) for split in ("train", "test")} == {2}
    (folder / "prompts.csv").write_text("\n".join([*lines, "fly away,fly,f"]) + "\n", "utf-8")
    with pytest.raises(DataError, match="'fly' is no action") as caught:
        domain_task(domain=folder).samples("train")
    assert caught.value.where.endswith("prompts.csv:10")
    (folder / "prompts.csv").write_text("\n".join(["prompt,label,group", *rows()]) + "\n", "utf-8")
    with pytest.raises(DataError, match="no prompt asks for 'pour'"):
        domain_task(domain=folder).samples("train")


def test_a_domain_without_prompts_is_no_task(folder):
    with pytest.raises(PlanError, match="no labelled prompts"):
        domain_task(domain=folder)


def test_the_grammar_recipe_reads_its_domain_before_anything_runs(folder):
    assert Grammar(domain=folder).build([], [], seed=0, workdir=folder).notes["domain"] == "tea"
    with pytest.raises(PlanError, match="no domain"):
        Grammar(domain="nowhere")


def test_the_lists_of_defi_hold_what_its_generator_draws_in_its_order():
    from assay.families.intent.tasks import fillings as slots

    listed = yaml.safe_load(load_domain("defi").file("assets.yaml").read_text("utf-8"))["names"]
    drawn = [name for name, facts in listed.items() if isinstance(facts, dict)]
    assert [asset.symbol for asset in slots.assets()] == drawn
    assert len(drawn) == 28
    assert {role: len(names) for role, names in slots.venues().items()} == {
        "lending": 12,
        "dex": 13,
        "staking": 11,
        "any": 6,
    }
    assert len(slots.chains()) == 10 < len(load_domain("defi").kinds["chain"].names)
