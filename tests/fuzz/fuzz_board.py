"""Feed the files of a board to what builds its page: card, events, earlier registry, published table.  See driver.py."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import driver

with driver.instrumented(__name__, "assay.publish.board"):
    from assay.engine.document import parse_document
    from assay.publish.board.building import site_files
    from assay.publish.board.older import migrate, schema_of
    from assay.publish.board.registry import build_registry

ROOT = Path(__file__).parents[2]
HOME = driver.new_folder()


def seeds() -> list[bytes]:
    """Return a board of one run; a card by itself; and each other file of a board."""
    from publish.board_runs import SUBMISSION, put, right_at, run_of

    place = HOME / "making"
    shutil.rmtree(place, ignore_errors=True)
    run = run_of(place / "run", {"one": right_at(0.9), "two": right_at(0.5)})
    sent = place / "models" / "submissions"
    sent.mkdir(parents=True)
    (sent / "one.yaml").write_text(SUBMISSION.format(name="one"), "utf-8")
    put(place, run, "one:F16=one")
    [path] = (place / "models" / "results").glob("*.json")
    card = json.loads(path.read_bytes())
    card["archive"] = None
    lines = [json.loads(line) for line in (place / "models/events.jsonl").read_bytes().splitlines()]
    lines.append({**lines[-1], "action": "publish"})
    name = f"models/results/{path.name}"
    whole = {
        name: card,
        "models/events.jsonl": lines,
        "models/submissions/one.yaml": parse_document(SUBMISSION.format(name="one"), path).value,
    }
    table = ROOT / "models/reported/open-llm-leaderboard-2023.yaml"
    earlier = {"name": "A model", "family": "f", "hf_repo": "o/m", "architecture": "llama", "parameters": "1.5B", "license": "mit",
               "context_length": 2048, "categories": ["code"], "submitted_by": "x", "date_added": "2025-01-01T00:00:00Z"}  # fmt: skip
    older = {"metadata": {"schema_version": "2.0.0"}, "models": [earlier]}
    shown = parse_document(table.read_text("utf-8"), table).value
    shown["rows"] = shown["rows"][:3]
    return [
        driver.bundle(whole),
        driver.bundle({"models/events.jsonl": lines[:1]}),
        driver.bundle({"models/registry.json": older}),
        driver.bundle({"models/reported/t.yaml": shown}),
        driver.bundle({"models/registry.json": json.loads((ROOT / "models/registry.json").read_bytes())}),
    ]  # fmt: skip


def read(data: bytes) -> None:
    """Build the page of a board."""
    board = HOME / "board"
    shutil.rmtree(board, ignore_errors=True)
    board.mkdir()
    driver.unbundled(data, board)
    models = board / "models"
    if (models / "registry.json").is_file():
        schema_of(models / "registry.json")
        migrate(models)
    files = site_files(board, build_registry(board))
    json.loads(files["board.json"], parse_constant=lambda word: 1 / 0)


HARNESS = driver.Harness(read=read, seeds=seeds)

if __name__ == "__main__":
    driver.main(HARNESS)
