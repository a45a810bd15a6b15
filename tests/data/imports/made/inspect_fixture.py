"""Make tests/data/imports/inspect with inspect-ai 0.3.285 and its own mock model.

Run it in an environment with inspect-ai and nothing of assay's.  inspect-ai estimates tokens with a
vocabulary that it downloads; offline the estimate is a count of words.  Everything else is its own.

    python inspect_fixture.py
"""

import json
from pathlib import Path

import inspect_ai
import inspect_ai.model._model as model
import inspect_ai.model._tokens as tokens
from inspect_ai import Task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ModelOutput, ModelUsage, get_model
from inspect_ai.scorer import includes, match
from inspect_ai.solver import generate

for module in (tokens, model):
    if hasattr(module, "count_text_tokens"):
        module.count_text_tokens = lambda text: len(text.split())


def run(name: str, wrong_every: int, log_format: str) -> None:
    def answer(messages, tools, tool_choice, config):
        number = int(messages[-1].text.split()[2])
        said = number + 2 if number % wrong_every else number
        output = ModelOutput.from_content(name, f"The sum is {said}")
        output.usage = ModelUsage(input_tokens=6, output_tokens=4, total_tokens=10)
        return output

    samples = [
        Sample(id=f"sum-{i}", input=f"What is {i} plus 2?", target=str(i + 2)) for i in range(1, 7)
    ]
    task = Task(
        dataset=MemoryDataset(samples, name="sums"),
        solver=generate(),
        scorer=[match(), includes()],
        name="sums",
        version=3,
        epochs=2,
    )
    mock = get_model(f"mockllm/{name}", custom_outputs=answer)
    inspect_ai.eval(
        task, model=mock, log_dir="out", log_format=log_format, display="none", max_samples=1
    )


run("adder", 5, "eval")
run("guesser", 2, "json")
for file in Path("out").glob("*.json"):
    file.write_text(json.dumps(json.loads(file.read_text())))  # without its indents
