"""Make tests/data/imports/helm with crfm-helm 0.5.16: its simple model, and one that knows more.

Run it in an empty folder, in an environment with crfm-helm and nothing of assay's:

    PYTHONPATH=/folder/of/this/file python -m helm_fixture
"""

import re
import sys
from pathlib import Path

from helm.benchmark.run import main
from helm.clients.simple_client import SimpleClient


class Parity(SimpleClient):
    """Says whether the last number of a prompt is even; of multiples of three it says the other."""

    def invoke_model(self, raw_request):
        number = int(re.findall(r"\d+", raw_request["prompt"])[-1])
        letter = "A" if (number % 2 == 0) == (number % 3 != 0) else "B"
        return {"completions": [letter] * raw_request["num_completions"]}


METADATA = """
models:
  - {name: fixture/parity, display_name: Parity, description: Knows even from odd.,
     creator_organization_name: Fixture, access: open, release_date: 2026-11-21,
     tags: [TEXT_MODEL_TAG, FULL_FUNCTIONALITY_TEXT_MODEL_TAG]}
"""
DEPLOYMENTS = """
model_deployments:
  - {name: fixture/parity, model_name: fixture/parity, tokenizer_name: simple/tokenizer1,
     max_sequence_length: 2048, client_spec: {class_name: helm_fixture.Parity}}
"""

if __name__ == "__main__":
    Path("prod_env").mkdir(exist_ok=True)
    Path("prod_env/model_metadata.yaml").write_text(METADATA)
    Path("prod_env/model_deployments.yaml").write_text(DEPLOYMENTS)
    entries = [f"simple_mcqa:model={m}" for m in ("simple/model1", "fixture/parity")]
    sys.argv = ["helm-run", "--run-entries", *entries, "--suite", "suite",
                "--max-eval-instances", "6", "-o", "out"]  # fmt: skip
    main()
