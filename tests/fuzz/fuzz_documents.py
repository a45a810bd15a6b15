"""Feed the readers of small documents beside a plan: prices, policy, lock file, baseline, metric log.  See driver.py."""

from __future__ import annotations

import json
from pathlib import Path

import driver

with driver.instrumented(
    __name__,
    "assay.engine",
    "assay.publish.baselines",
    "assay.store.metric_log",
    "assay.families.supply.fetching",
):
    from assay.engine.document import parse_document
    from assay.engine.policy import read_policy
    from assay.engine.prices import from_prices, load_prices, parse_prices, to_prices
    from assay.families.supply.fetching.lockfile import read_lock
    from assay.publish.baselines import load_baseline
    from assay.store.metric_log import line_of, read_metric_log, record_of

HOME = driver.new_folder()
ROOT = Path(__file__).parents[2]


def seeds() -> list[bytes]:
    """Return one document of each kind, under the name that says which."""
    text = (ROOT / "src/assay/engine/data/laptop.yaml").read_text("utf-8")
    prices = parse_document(text, Path("laptop.yaml")).value
    served = {
        "gpt": {"input": 1.0, "cached": 0.5, "output": 2.0, "source": "list"},
        "looked-up": {"genai": "openai:gpt-4o-mini"},
    }
    more = {**prices, "devices": {"box": {"usd_per_hour": 1.5, "utilisation": 0.5}}, "apis": served,
            "systems": {"a": "box", "b": "gpt", "c": "billed"}, "scenarios": {"low": 0.5, "high": 2.0}}  # fmt: skip
    stage = {"system": "a", "use": "toy.votes", "options": {}, "digest": "sha256:" + "0" * 64, "at_least": {"0": 0.5, "1": None}}  # fmt: skip
    policy = {"schema": "assay.policy/1", "says": "s", "run": "r", "task": "t", "stages": [stage], "person": {"usd": 1.0, "right": 0.9},
              "declines": "hand_on", "expected": {"accuracy": [0.9, 0.8, 1.0]}}  # fmt: skip
    lines = [
        {"schema_name": "assay.metric-log", "schema_version": 1, "phase": "train", "record_type": "train", "step": 1, "context": {"seed": 0},
         "metrics": {"loss": 0.5, "acc": None}, "better": {"loss": "lower"}},
        {"schema_name": "assay.metric-log", "schema_version": 1, "phase": "benchmark_seed", "record_type": "x", "step": None, "context": {}, "metrics": {}},
    ]  # fmt: skip
    return [
        driver.bundle({"prices.yaml": prices}),
        driver.bundle({"prices.yaml": more}),
        driver.bundle({"policy.json": policy}),
        driver.bundle({"models.lock": json.loads((ROOT / "plans/models.lock").read_bytes())}),
        driver.bundle({"baseline.json": {"schema_version": 1, "run": "../runs/a", "seal": "sha256:" + "a" * 64, "plan": "p"}}),
        driver.bundle({"log.jsonl": lines}),
    ]  # fmt: skip


def read(data: bytes) -> None:
    """Read each of the documents that there are."""
    driver.each_file(data, HOME, one)


def one(path: Path) -> None:
    """Read a document; what was read must be written and read back."""
    match path.name:
        case "prices.yaml":
            prices = load_prices(str(path))
            assert to_prices(from_prices(prices)) == prices
            parse_prices(parse_document(path.read_text("utf-8-sig"), path))
        case "policy.json":
            read_policy(path)
        case "models.lock":
            read_lock(path)
        case "baseline.json":
            load_baseline(path)
        case "log.jsonl":
            for record in read_metric_log(path):
                assert record_of(line_of(record), "again") == record


HARNESS = driver.Harness(read=read, seeds=seeds)

if __name__ == "__main__":
    driver.main(HARNESS)
