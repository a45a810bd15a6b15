"""Sections that plugins add to reports: where they stand, and what happens to those that are none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from assay import PluginError, Report, Run
from assay.engine.plugins import known

HEAD = """from assay.figures import draw
from assay.sections import Figure, Para, Row, Section, Table, cell


"""


@contextmanager
def plugin(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, body: str) -> Iterator[None]:
    """Install a distribution whose only entry point is a section."""
    (folder / f"{name}.py").write_text(f"{HEAD}def section(run):\n    return {body}\n")
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[assay.sections]\n{name}.one = {name}:section\n")
    monkeypatch.syspath_prepend(str(folder))
    known.cache_clear()
    try:
        yield
    finally:
        known.cache_clear()


def test_a_section_stands_before_the_samples_and_its_text_is_text(
    bare: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = (
        "Table(says='All of them', header=('system', 'right'),"
        " rows=(Row(('echo', cell(run.estimate('accuracy', 'echo')))),))"
    )
    body = f"Section('mine', 'Mine <b>', (Para('<script>'), {table}), {{'n': 1}})"
    with plugin(tmp_path, monkeypatch, "saying", body):
        report = Report(bare)
        text, page = report.markdown(), report.html()
        assert [section.facts for section in report.added] == [{"n": 1}]
    assert text.index("Mine") < text.index("## Samples")
    assert "| echo | 20 of 20: at least" in text
    assert "&lt;script&gt;" in page
    assert "<script>window" not in page


def test_a_section_with_nothing_to_say_is_left_out(
    bare: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = Report(bare).markdown()
    with plugin(tmp_path, monkeypatch, "quiet", "None"):
        assert Report(bare).markdown() == plain


def test_what_is_no_section_is_named(
    bare: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        plugin(tmp_path, monkeypatch, "odd", "'text'"),
        pytest.raises(PluginError, match=r"the section 'odd\.one' is str, no Section"),
    ):
        Report(bare).markdown()
