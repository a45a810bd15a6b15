"""``assay model ls | pin | evict | gc``: what is typed, what is meant, what is said."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from assay import AssayError, PlanError
from assay.cli.main import main
from assay.families.supply.keeping.cache import ModelCache
from assay.families.supply.keeping.finding import find
from assay.families.supply.keeping.parts import open_part
from assay.families.supply.keeping.settings import models_cache

FILES = {
    b"weights" * 99: ("org/m/model.safetensors", "hf:org/m@1#model.safetensors", "mit"),
    b"{}": ("org/m/config.json", "hf:org/m@1#config.json", None),
    b"{ }": ("org/n/config.json", "hf:org/n@2#config.json", None),
}


@pytest.fixture
def cache(tmp_path: Path, monkeypatch) -> ModelCache:
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path))
    monkeypatch.delenv("ASSAY_MODELS_LIMIT", raising=False)
    cache = models_cache()
    for data, (name, source, licence) in FILES.items():
        cache.put(io.BytesIO(data), name=name, source=source, licence=licence)
    return cache


@pytest.fixture
def say(capsys):
    def said(*words: str) -> tuple[int, str, str]:
        code = main(["model", *words])
        out, err = capsys.readouterr()
        return code, out, err

    return said


def names(found) -> list[str]:
    return sorted(each.name for each in found)


def test_a_file_is_meant_by_its_name_its_source_or_its_digits(cache: ModelCache):
    there = cache.ls()
    for kept in there:
        for text in (
            kept.name,
            kept.source,
            kept.sha256,
            kept.sha256[:8],
            f"sha256:{kept.sha256[:9]}",
        ):
            assert find(text, there) == (kept,)
    assert names(find("model.safetensors", there)) == ["org/m/model.safetensors"]
    assert names(find("hf:org/m@1", there)) == ["org/m/config.json", "org/m/model.safetensors"]


def test_what_may_be_several_files_is_told_with_their_digits(cache: ModelCache):
    with pytest.raises(PlanError) as error:
        find("config.json", cache.ls())
    assert error.value.code == "A106"
    assert all(each.sha256[:12] in error.value.what for each in find("hf:org/n@2", cache.ls()))


def test_what_is_not_there_is_told_with_what_is_near(cache: ModelCache):
    with pytest.raises(AssayError) as error:
        find("modl.safetensors", cache.ls())
    assert error.value.code == "A403"
    assert "'model.safetensors'" in error.value.hint
    for text in ("", "abc", "0" * 64):
        with pytest.raises(AssayError):
            find(text, cache.ls())
    with pytest.raises(AssayError) as error:
        find("a", ())
    assert "fetch" in error.value.hint


def test_ls_says_what_is_there_for_people_and_for_programs(cache: ModelCache, say):
    code, out, err = say("ls")
    assert (code, err) == (0, "")
    rows = out.splitlines()
    assert [row.split()[0] for row in rows[1:4]] == [
        "org/n/config.json", "org/m/config.json", "org/m/model.safetensors",
    ]  # fmt: skip
    assert "693 bytes" in rows[3]
    assert "mit" in rows[3]
    assert "not known" in rows[1]
    assert rows[-1].startswith("3 files, 698 bytes of 10.0 GB")
    code, out, _ = say("ls", "--json")
    facts = json.loads(out)
    assert (facts["total"], facts["limit"], len(facts["files"])) == (698, 10**10, 3)


def test_what_is_pinned_stays_until_it_is_not(cache: ModelCache, say):
    assert say("pin", "model.safetensors")[0] == 0
    assert "pinned" in say("ls")[1]
    code, _, err = say("evict", "model.safetensors")
    assert code == 2
    assert "is pinned" in err
    assert "--off" in err
    code, out, _ = say("evict", "hf:org/m@1")  # what can go of a model goes
    assert code == 0
    assert "Stays: org/m/model.safetensors is pinned" in out
    assert "Evicted: org/m/config.json" in out
    assert say("pin", "model.safetensors", "--off")[0] == 0
    code, out, _ = say("evict", "model.safetensors", "--json")
    assert (code, json.loads(out)["freed"]) == (0, 693)
    assert names(cache.ls()) == ["org/n/config.json"]


def test_what_is_in_use_stays(cache: ModelCache, say):
    [kept] = find("model.safetensors", cache.ls())
    with cache.using(kept.sha256):
        code, _, err = say("evict", "model.safetensors")
    assert code == 2
    assert "is in use" in err


def test_gc_finds_what_turned_in_a_file_of_the_right_size_and_keeps_the_evidence(
    cache: ModelCache, say
):
    [kept] = find("model.safetensors", cache.ls())
    cache.pin(kept.sha256)
    data = kept.path.read_bytes()
    kept.path.chmod(0o644)
    kept.path.write_bytes(bytes([data[0] ^ 1]) + data[1:])
    with cache.using(kept.sha256):  # the size is right: a use does not see it
        code, out, _ = say("gc", "--json")
    facts = json.loads(out)
    assert code == 1
    assert (facts["checked"], facts["read"]) == (3, 698)
    assert [each["name"] for each in facts["rotten"]] == ["org/m/model.safetensors"]
    evidence = Path(facts["rotten"][0]["evidence"])
    assert evidence.parent.name == "refused"
    assert evidence.read_bytes()[1:] == data[1:]
    assert cache.get(kept.sha256) is None
    assert "Evidence of what was refused: 1" in say("ls")[1]
    assert say("gc")[0] == 0
    code, out, _ = say("gc", "--refused", "--json")
    assert (code, json.loads(out)["evidence_freed"]) == (0, 693)
    assert not evidence.exists()
    assert "Evidence" not in say("ls")[1]
    assert cache.put(io.BytesIO(data), name="a", source="").pinned is False


def test_gc_removes_what_nobody_needs_and_says_what_it_freed(cache: ModelCache, say):
    with open_part(cache.incoming, "gone") as part:
        part.file.write(b"half a model")
    cache.incoming.joinpath("gone.json").write_text("{}")
    orphans = [
        cache.folder / "notes" / f"{'0' * 64}.json",
        cache.folder / "notes" / f".{'0' * 64}.json.1234",
        cache.folder / "pins" / ("0" * 64),
    ]
    for path in orphans:
        path.parent.mkdir(exist_ok=True)
        path.write_text("{}")
    code, out, _ = say("gc", "--json")
    facts = json.loads(out)
    assert code == 0
    assert (facts["parts"], facts["freed"], facts["rotten"]) == (1, 12, [])
    assert not any(path.exists() for path in orphans)
    assert not list(cache.incoming.iterdir())
    assert len(cache.ls()) == 3


def test_gc_mends_a_note_that_says_another_size_than_the_sound_bytes(cache: ModelCache, say):
    [kept] = find("hf:org/n@2", cache.ls())
    note = cache.shelf.note(kept.sha256)
    note.write_text(note.read_text().replace('"size": 3', '"size": 4'))
    assert say("gc")[0] == 0
    assert cache.get(kept.sha256) is not None
    [kept] = find("hf:org/n@2", cache.ls())
    assert kept.name == "org/n/config.json"


def test_gc_brings_the_cache_below_a_limit_that_was_lowered(cache: ModelCache, say):
    code, out, _ = say("gc", "--limit", "5", "--json")
    assert (code, json.loads(out)["freed"]) == (0, 693)
    assert names(cache.ls()) == ["org/m/config.json", "org/n/config.json"]
    code, _, err = say("gc", "--limit", "lots")
    assert code == 2
    assert "500 MB" in err
