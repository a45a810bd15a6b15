"""Boards for the tests of the site: valid, the same every time, as real or as large as wanted."""

from __future__ import annotations

import math
import struct
from hashlib import sha256
from typing import Any

Json = dict[str, Any]

MODELS: list[tuple[str, str, str, int, str, str, int]] = [
    # name, family, repository, parameters, architecture, licence, context
    ("SmolLM2-135M-Instruct", "SmolLM2", "HuggingFaceTB/SmolLM2-135M-Instruct", 134515008, "LlamaForCausalLM", "Apache-2.0", 8192),
    ("SmolLM2-360M-Instruct", "SmolLM2", "HuggingFaceTB/SmolLM2-360M-Instruct", 361821120, "LlamaForCausalLM", "Apache-2.0", 8192),
    ("SmolLM2-1.7B-Instruct", "SmolLM2", "HuggingFaceTB/SmolLM2-1.7B-Instruct", 1711376384, "LlamaForCausalLM", "Apache-2.0", 8192),
    ("gemma-3-270m-it", "Gemma 3", "google/gemma-3-270m-it", 268098176, "Gemma3ForCausalLM", "Gemma", 32768),
    ("gemma-3-1b-it", "Gemma 3", "google/gemma-3-1b-it", 999885952, "Gemma3ForCausalLM", "Gemma", 32768),
    ("Qwen3-0.6B", "Qwen3", "Qwen/Qwen3-0.6B", 596049920, "Qwen3ForCausalLM", "Apache-2.0", 40960),
    ("Qwen2.5-0.5B-Instruct", "Qwen2.5", "Qwen/Qwen2.5-0.5B-Instruct", 494032768, "Qwen2ForCausalLM", "Apache-2.0", 32768),
    ("Llama-3.2-1B-Instruct", "Llama 3.2", "meta-llama/Llama-3.2-1B-Instruct", 1235814400, "LlamaForCausalLM", "Llama 3.2", 131072),
    ("LFM2-350M", "LFM2", "LiquidAI/LFM2-350M", 354483968, "Lfm2ForCausalLM", "LFM Open 1.0", 32768),
    ("granite-4.0-350m", "Granite", "ibm-granite/granite-4.0-350m", 352378880, "GraniteForCausalLM", "Apache-2.0", 32768),
]  # fmt: skip
KINDS: list[tuple[str, str, str, str, str, str, list[float] | None]] = [
    # metric, task, group, unit, better, says, bounds
    ("accuracy", "intent.defi", "quality", "share", "higher", "Answers that are right, of all questions.", [0.0, 1.0]),
    ("usd_per_1k", "intent.defi", "cost", "usd", "lower", "Dollars for a thousand questions, at the prices of the run.", None),
    ("latency_p50", "intent.defi", "speed", "s", "lower", "Seconds that half of the answers took at most.", None),
    ("invention_rate", "intent.defi", "safety", "share", "lower", "Questions without an answer that were given one.", [0.0, 1.0]),
    ("coverage", "intent.defi", "quality", "share", "higher", "Questions that were answered and not declined.", [0.0, 1.0]),
    ("reasoning", "arc_challenge", "score", "share", "higher", "Right choices among the four of ARC Challenge.", [0.0, 1.0]),
    ("coding", "lm", "score", "points", "higher", "The category coding: 0 is what chance comes to, 100 all right.", [0.0, 100.0]),
    ("math", "gsm8k", "score", "share", "higher", "Final numbers that are right.", [0.0, 1.0]),
    ("file_bytes", "", "size", "bytes", "lower", "Bytes of the file of weights.", None),
    ("peak_bytes", "intent.defi", "size", "bytes", "lower", "Memory at its peak.", None),
    ("throughput", "intent.defi", "speed", "rate", "higher", "Tokens a second.", None),
    ("tokens_out", "intent.defi", "cost", "count", "none", "Tokens written for an answer.", None),
]  # fmt: skip


def part(*words: object) -> float:
    """Return a number in [0, 1) that depends on the words and on nothing else."""
    digest = sha256("\n".join(map(str, words)).encode()).digest()
    return struct.unpack(">I", digest[:4])[0] / 2**32


def seal(*words: object) -> str:
    return sha256("\n".join(map(str, words)).encode()).hexdigest()


def short(value: float) -> float:
    return float(f"{value:.12g}")


def cell(unit: str, level: float, n: int, *words: object) -> Json:
    """Return a number with its interval; `level` in [0, 1] says how able the row is."""
    if unit in ("share", "points"):
        value = min(0.99, max(0.01, level + 0.1 * (part(*words) - 0.5)))
        wide = 1.96 * math.sqrt(value * (1 - value) / n)
        low, high = max(0.0, value - 0.9 * wide), min(1.0, value + 1.2 * wide)
        if unit == "points":
            value, low, high = 100 * value, 100 * low, 100 * high
    else:
        scale = {"usd": 0.02, "s": 0.25, "bytes": 4e8, "rate": 120.0, "count": 14.0}.get(unit, 50.0)
        value = scale * 10 ** (1.6 * (level - 0.5)) * (0.8 + 0.4 * part(*words))
        low, high = value * 0.94, value * 1.07
    return {
        "value": short(value), "low": short(low), "high": short(high), "n": n,
        "confidence": 0.95, "sides": 2, "method": "Wilson" if unit in ("share", "points") else "bootstrap over groups",
    }  # fmt: skip


def columns(count: int) -> list[Json]:
    made = []
    for at in range(count):
        metric, task, group, unit, better, says, bounds = KINDS[at % len(KINDS)]
        turn = at // len(KINDS)
        name = task if not turn else f"{task or 'file'}.v{turn}"
        made.append(
            {"id": f"{metric}@{name}", "label": metric.replace("_", " "), "task": name, "metric": metric,
             "group": group, "unit": unit, "better": better, "bounds": bounds, "says": says}
        )  # fmt: skip
    return made


def ranked(rows: list[Json], column: Json) -> None:
    """Give each row its rank interval: those whose interval overlaps cannot be told apart."""
    if column["better"] == "none":
        return
    sign = 1 if column["better"] == "higher" else -1
    held = [
        row for row in rows if not row["control"] and "value" in row["cells"].get(column["id"], {})
    ]
    held.sort(key=lambda row: -sign * row["cells"][column["id"]]["value"])
    band, head = 0, None
    for row in held:
        mine = row["cells"][column["id"]]
        better = worse = 0
        for other in held:
            its = other["cells"][column["id"]]
            if other is row:
                continue
            better += sign * (its["value"] - mine["value"]) > 0 and not overlap(its, mine)
            worse += sign * (mine["value"] - its["value"]) > 0 and not overlap(its, mine)
        if head is None or not overlap(head, mine):
            band, head = band + 1, mine
        row["ranks"][column["id"]] = {"best": better + 1, "worst": len(held) - worse, "band": band}


def overlap(one: Json, other: Json) -> bool:
    return bool(one["low"] <= other["high"] and other["low"] <= one["high"])


def rows_of(name: str, models: list[Json], drawn: list[Json], speed: float) -> list[Json]:
    """Return a row for each quantisation of each model, and three controls."""
    rows: list[Json] = []
    for at, model in enumerate(models):
        for quantisation in [one["name"] for one in model["quantizations"]]:
            level = 0.28 + 0.5 * math.log10(model["parameters"] / 1e8) / 1.3
            level -= 0.06 if quantisation == "Q4_0" else 0
            cells: Json = {}
            for column in drawn:
                words = (name, model["id"], quantisation, column["id"])
                if part("gap", *words) < 0.07:
                    cells[column["id"]] = {"why": "not measured: this run timed nothing"}
                    continue
                able = level + speed
                if column["unit"] == "share":
                    able = level if column["better"] == "higher" else 0.9 - level
                cells[column["id"]] = cell(column["unit"], able, 200 + 200 * (at % 3), *words)
            rows.append(row_of(model, quantisation, cells))
    for control, level in (("silent", 0.0), ("random", 0.12), ("constant", 0.16)):
        cells = {
            column["id"]: cell("share", level, 400, control, column["id"])
            for column in drawn
            if column["unit"] == "share"
        }
        rows.append(
            {"id": f"{control}--control", "model": None, "system": control, "label": control, "quantisation": None,
             "control": True, "origin": "measured", "run": seal(models[0]["id"], "run"), "cells": cells, "ranks": {}, "standing": None}
        )  # fmt: skip
    return rows


def pairs_of(rows: list[Json], column: str) -> list[list[float]]:
    """Return paired differences of the first systems, narrower than those of two intervals."""
    able = [at for at, row in enumerate(rows) if not row["control"]][:12]
    made = []
    for i in able:
        for j in able:
            one, other = rows[i]["cells"][column], rows[j]["cells"][column]
            if i < j and "value" in one and "value" in other:
                apart = one["value"] - other["value"]
                made.append([i, j, short(apart), short(apart - 0.045), short(apart + 0.045)])
    return made


def cohort_of(
    name: str, hardware: tuple[str, str], models: list[Json], *, wide: int, speed: float
) -> Json:
    """Return a cohort: rows with ranks, standing and pairs."""
    drawn = columns(wide)
    rows = rows_of(name, models, drawn, speed)
    for column in drawn if wide <= len(KINDS) else drawn[:1]:
        ranked(rows[:60], column)
    # A board that ranks a control is not believed.
    rows[-1]["ranks"] = {drawn[0]["id"]: {"best": 1, "worst": 1, "band": 1}}
    rows[0]["flags"] = {drawn[min(4, wide - 1)]["id"]: "constant"}
    first = drawn[0]["id"]
    on = front(rows, drawn[:3])
    for row in rows:
        if not row["control"]:
            open_ = "unresolved" if part("open", row["id"]) < 0.3 else "beaten"
            row["standing"] = "on" if row["id"] in on else open_
    return {
        "id": f"{name}-{hardware[0]}",
        "suite": {"name": name, "says": f"Intents of a wallet, and three public suites, asked of everybody ({name})", "digest": f"sha256:{seal(name)}"},
        "hardware": {"id": hardware[0], "says": hardware[1]}, "samples": 400, "headline": first, "columns": drawn, "rows": rows,
        "front": {"objectives": [column["id"] for column in drawn[:3]], "on": on}, "pairs": {first: pairs_of(rows, first)},
    }  # fmt: skip


def front(rows: list[Json], objectives: list[Json]) -> list[str]:
    def of(row: Json) -> tuple[float, ...] | None:
        found = [row["cells"].get(column["id"], {}).get("value") for column in objectives]
        if row["control"] or None in found:
            return None
        return tuple(
            v if c["better"] == "higher" else -v for v, c in zip(found, objectives, strict=True)
        )

    held = {row["id"]: of(row) for row in rows[:400] if of(row)}
    return [mine for mine, point in held.items() if not any(all(b >= a for a, b in zip(point, other, strict=True)) and other != point for other in held.values())]  # fmt: skip


def row_of(model: Json, quantisation: str, cells: Json) -> Json:
    mine = seal(model["id"], "run")
    return {
        "id": f"{model['id']}--{quantisation.lower()}--{mine[:16]}", "model": model["id"], "system": quantisation.lower(),
        "label": model["name"], "quantisation": quantisation, "control": False, "origin": "measured", "run": mine,
        "cells": cells, "ranks": {}, "standing": "beaten",
    }  # fmt: skip


def model_of(
    name: str, family: str, repo: str, count: int, architecture: str, licence: str, context: int
) -> Json:
    key = name.lower()
    digest = seal(key, "run")
    slope = 0.25 + part(key, "risk") / 3
    curve = [
        [
            short(c / 20),
            short(slope * (c / 20) ** 1.6),
            short(slope * (c / 20) ** 1.6 * 0.7),
            short(min(1, slope * (c / 20) ** 1.6 * 1.3 + 0.01)),
        ]
        for c in range(1, 21)
    ]
    return {
        "id": key, "name": name, "family": family, "architecture": architecture, "parameters": count, "licence": licence,
        "context_length": context, "hf_repo": repo, "revision": seal(key, "revision")[:40],
        "categories": ["chat", "instruction-following"] + (["reasoning"] if count > 4e8 else ["edge-optimized"]),
        "submitted_by": "a-maintainer", "submitted_date": "2026-11-20", "state": "published",
        "quantizations": [
            {"name": "Q8_0", "format": "gguf", "file": f"{key}-q8_0.gguf", "bytes": int(count * 1.07), "digest": f"sha256:{seal(key, 'q8')}"},
            {"name": "Q4_0", "format": "gguf", "file": f"{key}-q4_0.gguf", "bytes": int(count * 0.58), "digest": f"sha256:{seal(key, 'q4')}"},
        ],
        "claims": [
            {"id": "as-good", "says": "Q4_0 is at most two points less accurate than Q8_0", "status": ("supported", "refuted", "undecided")[int(3 * part(key, "claim"))], "text": "-0.011 [-0.029, 0.006]", "run": digest},
        ],
        "runs": [
            {"seal": digest, "run": f"20261129T120000Z-defi-{digest[:8]}", "plan": "defi", "date": "2026-11-29", "machine": "2 cores, Intel Xeon 2.5 GHz, 24 GiB, no GPU",
             "assay": "0.1.0", "records": 4800, "recomputed": part(key, "re") > 0.2, "signed": {"fingerprint": f"SHA256:{digest[:32]}", "algorithm": "ecdsa-p256"} if part(key, "sig") > 0.5 else None,
             "archive": f"models/runs/{digest[:16]}.tar.xz", "commit": None},
        ],
        "curves": [{"kind": "risk-coverage", "task": "intent.defi", "system": "q8_0", "points": curve}], "badges": [],
    }  # fmt: skip


REPORTED = [
    {"name": "SmolLM2 model card", "source": {"title": "SmolLM2 model card", "url": "https://huggingface.co/HuggingFaceTB/SmolLM2-135M-Instruct", "date": "2025-02-06", "licence": "Apache-2.0"},
     "columns": [{"id": "hellaswag", "label": "HellaSwag", "unit": "share", "better": "higher"}, {"id": "arc", "label": "ARC", "unit": "share", "better": "higher"}, {"id": "ifeval", "label": "IFEval", "unit": "share", "better": "higher"}],
     "rows": [{"label": "SmolLM2-135M-Instruct", "hf_repo": "HuggingFaceTB/SmolLM2-135M-Instruct", "parameters": 134515008, "cells": {"hellaswag": 0.409, "arc": 0.373, "ifeval": 0.299}},
              {"label": "SmolLM2-360M-Instruct", "hf_repo": "HuggingFaceTB/SmolLM2-360M-Instruct", "parameters": 361821120, "cells": {"hellaswag": 0.521, "arc": 0.437}}]},
]  # fmt: skip


def board(*, count: int = 10, wide: int = 12) -> Json:
    """Return a board of `count` models (two rows each, three controls) with `wide` columns."""
    models = []
    for at in range(count):
        name, family, repo, size, *rest = MODELS[at % len(MODELS)]
        turn = at // len(MODELS)
        tail = f"-v{turn}" if turn else ""
        models.append(
            model_of(name + tail, family, repo + tail, int(size * (1 + 0.003 * turn)), *rest)
        )  # type: ignore[arg-type]
    if count > len(MODELS):  # one row each, or a thousand models are two thousand rows
        for at, model in enumerate(models):
            model["quantizations"] = [model["quantizations"][at % 2]]
    cohorts = [
        cohort_of(
            "open",
            ("h-9f2c", "2 cores, Intel Xeon 2.5 GHz, 24 GiB, no GPU"),
            models,
            wide=wide,
            speed=0.0,
        )
    ]
    if count <= len(MODELS):
        cohorts.append(
            cohort_of(
                "open", ("h-51aa", "8 cores, Apple M2, 16 GiB"), models[:5], wide=wide, speed=-0.4
            )
        )
        cohorts.append(
            cohort_of(
                "smoke",
                ("h-9f2c", "2 cores, Intel Xeon 2.5 GHz, 24 GiB, no GPU"),
                models[:4],
                wide=5,
                speed=0.0,
            )
        )
        waiting = model_of(
            "OLMo-2-0425-1B",
            "OLMo 2",
            "allenai/OLMo-2-0425-1B",
            1484916736,
            "Olmo2ForCausalLM",
            "Apache-2.0",
            4096,
        )
        models.append({**waiting, "state": "pending", "runs": [], "claims": [], "curves": []})
    return {
        "schema": "assay.board/1", "name": "assay board", "built": {"assay": "0.1.0", "date": "2026-11-29", "registry": f"sha256:{seal('registry')}"},
        "cohorts": cohorts, "models": models, "reported": REPORTED,
    }  # fmt: skip


def large() -> Json:
    """Return a board of 1,000 models and 40 columns."""
    return board(count=1000, wide=40)


def empty() -> Json:
    return {**board(count=1), "cohorts": [], "models": [], "reported": []}


def one_row() -> Json:
    made = board(count=1)
    (first, *_) = made["cohorts"]
    return {**made, "cohorts": [{**first, "rows": first["rows"][:1], "front": None, "pairs": {}}]}
