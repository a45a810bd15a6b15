"""One page over many runs: every run linked, none silently skipped."""

from __future__ import annotations

import shutil

import pytest

from assay.core.errors import SealError
from assay.publish.merge import merge
from publish.harm import HARM, TASK


@pytest.fixture(scope="module")
def folder(harmed, bare, tmp_path_factory):
    top = tmp_path_factory.mktemp("many")
    shutil.copytree(harmed.path, top / "one")
    shutil.copytree(bare.path, top / "deep" / "two (2)")
    shutil.copytree(bare.path, top / "unsealed")
    (top / "unsealed" / "SEAL").unlink()
    shutil.copytree(bare.path, top / "edited <b>")
    (top / "edited <b>" / "plan.yaml").write_text("name: other\n")
    return top


def test_every_run_is_shown_or_listed_with_its_reason(folder):
    merged = merge(folder)
    assert len(merged.runs) == 2
    assert {(b.path, b.code) for b in merged.broken} == {
        ("unsealed", "A301"),
        ("edited <b>", "A300"),
    }
    text = merged.markdown()
    assert "`unsealed`" in text
    assert "`edited <b>`" in text


def test_runs_that_were_asked_other_questions_stand_apart(folder):
    titles = [s.title for s in merge(folder).document.sections]
    assert sum(title.startswith(f"{TASK}, version 1, questions ") for title in titles) == 2


def test_links_are_relative_and_quoted(folder):
    html = merge(folder).html()
    assert 'href="deep/two%20%282%29/derived/report.html"' in html
    assert str(folder) not in html
    assert HARM[0] not in html


def test_a_broken_run_on_its_own_is_refused(folder):
    with pytest.raises(SealError, match="A301"):
        merge(folder / "unsealed")
    with pytest.raises(SealError, match="A300"):
        merge(folder / "edited <b>")


def test_a_folder_without_runs_is_refused(tmp_path):
    with pytest.raises(SealError, match="A303"):
        merge(tmp_path)


def test_several_folders_make_one_report(folder):
    merged = merge([folder / "one", folder / "deep"])
    assert len(merged.runs) == 2
    assert merged.root == folder.resolve()
