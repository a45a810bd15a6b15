"""Make tests/data/imports/lm-eval with lm-eval 0.4.13: its dummy model, and one that can add.

Run it in this folder, in an environment with lm-eval and nothing of assay's:

    HF_HUB_OFFLINE=1 HF_DATASETS_OFFLINE=1 python lm_eval_fixture.py
"""

import re
import sys

import lm_eval.models.dummy  # noqa: F401  registers it: our own model must not be the first
from lm_eval.__main__ import cli_evaluate
from lm_eval.api.model import LM
from lm_eval.api.registry import register_model


@register_model("adder")
class Adder(LM):
    """Likes the right sum best, and is wrong about every fifth first number."""

    def __init__(self, **_):
        super().__init__()

    def loglikelihood(self, requests):
        found = []
        for request in requests:
            prompt, choice = request.args
            a, b = map(int, re.findall(r"\d+", prompt)[-2:])
            said = a + b if a % 5 else a + b + 1
            found.append((-abs(said - int(choice)) / 2 - 0.1, int(choice) == said))
        return found

    def loglikelihood_rolling(self, requests):
        raise NotImplementedError

    def generate_until(self, requests):
        return [f"It is {int(re.findall(r'[0-9]+', r.args[0])[-1]) + 1}" for r in requests]


for model, arguments in (
    ("dummy", []),
    ("adder", ["--model_args", "pretrained=fixture/adder"]),
):
    sys.argv = [
        *("lm_eval", "run", "--model", model, *arguments, "--tasks", "sums_mc,digits_gen"),
        *("--include_path", ".", "--log_samples", "--output_path", f"out/{model}"),
    ]
    cli_evaluate()
