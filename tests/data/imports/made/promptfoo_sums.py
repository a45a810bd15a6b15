"""Make tests/data/imports/promptfoo with promptfoo 0.123.1 (Node 22), offline.

Writes the two configurations, has promptfoo run them, and shortens nothing but the indents of the JSON
and the paths of this machine.

    python promptfoo_sums.py PROMPTFOO OUT
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

QUIET = {"PROMPTFOO_DISABLE_TELEMETRY": "1", "PROMPTFOO_DISABLE_UPDATE": "1"}
HERE = Path(__file__).parent
ASSERT = [
    {"type": "equals", "value": "{{sum}}", "metric": "exact"},
    {"type": "regex", "value": "^-?\\d+$", "metric": "is_number"},
    {"type": "javascript", "value": "output.length < 3", "metric": "short", "weight": 0},
]


def provider(label: str, **config: object) -> dict[str, object]:
    return {"id": "file://promptfoo_provider.cjs", "label": label, "config": config}


def test(a: int, b: int, **more: object) -> dict[str, object]:
    told = {"vars": {"a": a, "b": b, "sum": str(a + b)}, "assert": ASSERT}
    return {**told, "metadata": {"ends": f"with {a % 10}"}, **more}


SUMS = {
    "description": "sums",
    "prompts": [{"raw": "What is {{a}} + {{b}}?", "label": "plain"}],
    "providers": [provider("adder", does="add"), provider("guesser", does="guess")],
    "tests": [test(a, 10 + a % 3) for a in range(1, 21)],
}
PROMPTS = {
    "prompts": ["What is {{a}} + {{b}}?", "{{a}} + {{b}} ="],
    "providers": [provider("", does="add", breaks=12, silent=13), "echo"],
    "tests": [test(5, 3), test(12, 3), test(13, 3), {"vars": {"a": 2, "b": 3, "sum": "5"}}],
}


def main() -> None:
    program, out = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(HERE / "promptfoo_provider.cjs", folder)
        for name, config, more in (
            ("sums.json", SUMS, []),
            ("prompts.jsonl", PROMPTS, ["--repeat", "2"]),
        ):
            Path(folder, "config.json").write_text(json.dumps(config))
            command = [program, "eval", "-c", "config.json", "-o", name, "--no-cache", "--no-share"]
            command += ["--no-write", "--no-table", "--no-progress-bar", *more]
            subprocess.run(command, cwd=folder, env={**os.environ, **QUIET}, check=False)
            text = Path(folder, name).read_text().replace(folder, "")
            if name.endswith(".json"):
                text = json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":"))
            Path(out, name).write_text(text)


if __name__ == "__main__":
    main()
