"""Feed the families their YAML files: reference profiles, weights, task files, tier files, prompts.  See driver.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import driver
import yaml

with driver.instrumented(
    __name__,
    "assay.documents",
    "assay.templates",
    "assay.engine.document",
    "assay.families.lm.edge.profiles",
    "assay.families.lm.score",
    "assay.families.supply.pipeline.tiers",
    "assay.families.supply.agreeing.prompts",
    "assay.families.transpile.taskfile",
):
    from assay.families.lm.edge.profiles import find_profile, write_profile
    from assay.families.lm.score.weights import read_weights
    from assay.families.supply.agreeing.prompts import read_prompts
    from assay.families.supply.pipeline.tiers import read_tiers
    from assay.families.transpile.taskfile import check_fields, read_task_file

HOME = driver.new_folder()
ROOT = Path(__file__).parents[2]
FAMILIES = ROOT / "src/assay/families"
FILES = {
    "profile.yaml": FAMILIES / "lm/edge/profiles/cpu-2.yaml",
    "tiers.yaml": ROOT / "plans/models.yaml",
    "prompts.yaml": FAMILIES / "supply/agreeing/data/prompts.yaml",
    "port.yaml": ROOT / "examples/tasks/port.yaml",
    "sentiment.yaml": ROOT / "examples/tasks/sentiment.yaml",
}


def seeds() -> list[bytes]:
    """Return each file as it is written, and as JSON, which is YAML."""
    made = [
        driver.bundle({"weights.yaml": {"reasoning": 30, "edge": 0}}),
        driver.bundle({"words": ["edge=1,safety=2", "math=0.5"]}),
    ]
    for name, path in FILES.items():
        text = path.read_text("utf-8")
        value: dict[str, Any] = json.loads(json.dumps(yaml.safe_load(text), default=str))
        if name == "prompts.yaml":
            value["prompts"] = value["prompts"][:3]
        if name == "tiers.yaml":
            value["models"] = value["models"][:2]
        made += [driver.bundle({name: text}), driver.bundle({name: value})]
    return made


def read(data: bytes) -> None:
    """Read each file that there is."""
    driver.each_file(data, HOME, one)


def one(path: Path) -> None:
    """Read a file; what was read must be written and read back where it can be."""
    match path.name:
        case "profile.yaml":
            profile = find_profile(str(path))
            write_profile(path, profile)
            assert find_profile(str(path)) == profile
        case "weights.yaml":
            read_weights([str(path)])
        case "words":
            try:
                words = json.loads(path.read_bytes())
            except (ValueError, RecursionError):
                return
            if isinstance(words, list):
                read_weights([each for each in words if isinstance(each, str) and "=" in each])
        case "tiers.yaml":
            read_tiers(path)
        case "prompts.yaml":
            assert read_prompts(path).sha256
        case "port.yaml" | "sentiment.yaml":
            task = read_task_file(path)
            task.unused()
            if not task.compiles:
                check_fields(task, ["input", "label"])


HARNESS = driver.Harness(read=read, seeds=seeds, quick=40)

if __name__ == "__main__":
    driver.main(HARNESS)
