"""Compare ``lm.choose`` on the shipped file, on ``encoding: q8_0`` and on full precision.

    python bench/encoding.py [--prompts 136] [--shots 0 9]

All three hold the weights of the shipped file: as they are, rounded to 8 bits, and unpacked to 32
bits (540 MB, in a temporary folder).  llama.cpp rounds activations to 8 bits for the first two, not
for the third, so the third says how far each stands from what the weights mean.  One prompt of each
tune group of ``intent.defi`` is asked: no calibration and no test sample.

*Covered*: processor seconds for a question, choices that are the same, distance of the labels'
log-probabilities, right choices.  *Not covered*: several threads, other models.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))


class Asked(NamedTuple):
    """What a system said to every prompt."""

    cpu: float
    """Seconds for each prompt."""

    said: list[object]
    logs: Any
    """Log-probability of each label, NaN where it is not among the 200: [prompts, labels]."""

    right: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--prompts", type=int, default=136)
    parser.add_argument("--shots", type=int, nargs="+", default=[0, 9])
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        full = Path(folder) / "full.gguf"
        unpack(full)
        print(
            "| shots | file | CPU s a question | right | same choice as 32 bits | distance of log p |"
        )
        print("|---|---|---|---|---|---|")
        for shots in given.shots:
            compare(shots, given.prompts, full)


def unpack(path: Path) -> None:
    """Write the weights of the shipped file in 32 bits."""
    from gguf import GGMLQuantizationType, GGUFReader, GGUFValueType, GGUFWriter, dequantize

    from assay.families.lm.choose import Choose
    from assay.families.lm.models import locate

    reader = GGUFReader(locate(Choose().model).path)
    writer = GGUFWriter(path, reader.fields["general.architecture"].contents())
    for name, field in reader.fields.items():
        if not name.startswith("GGUF.") and name not in writer.kv_data[0]:
            inner = field.types[-1] if field.types[0] == GGUFValueType.ARRAY else None
            value = 0 if name == "general.file_type" else field.contents()
            writer.add_key_value(name, value, field.types[0], inner)
    for tensor in reader.tensors:
        weights = dequantize(tensor.data, tensor.tensor_type)
        writer.add_tensor(tensor.name, weights, raw_dtype=GGMLQuantizationType.F32)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def compare(shots: int, count: int, full: Path) -> None:
    """Ask the three, print a row each, and one for the first two against each other."""
    import numpy as np

    files = {
        "shipped (Q4_1)": {},
        "q8_0": {"encoding": "q8_0"},
        "32 bits": {"model": str(full)},
    }
    found = {name: ask(options, shots, count) for name, options in files.items()}

    def against(one: Asked, other: Asked) -> str:
        same = sum(a == b for a, b in zip(one.said, other.said, strict=True))
        return f"{same} of {len(one.said)} | {np.nanmean(np.abs(one.logs - other.logs)):.3f}"

    for name, one in found.items():
        row = f"| {shots} | {name} | {one.cpu:.3f} | {one.right} of {len(one.said)} |"
        print(row, "- | - |" if name == "32 bits" else f"{against(one, found['32 bits'])} |")
    shipped, packed, _ = found.values()
    print(f"| {shots} | q8_0 against shipped | - | - | {against(packed, shipped)} |", flush=True)


def ask(options: dict[str, Any], shots: int, count: int) -> Asked:
    """Build a system and ask it one prompt of each tune group."""
    import numpy as np

    from assay import Answer
    from assay.families.intent.tasks.defi import defi
    from assay.families.lm.choose import Choose

    task = defi()
    train, tune = task.samples("train"), task.samples("tune")
    prompts = list({sample.group: sample for sample in tune}.values())[:count]
    with tempfile.TemporaryDirectory() as folder:
        built = Choose(shots=shots, **options).build(train, (), seed=0, workdir=Path(folder))
    chooser: Any = built.system
    start = time.process_time()
    tokens = [chooser.expect(sample.input) for sample in prompts]
    cpu = (time.process_time() - start) / len(prompts)
    said, right = [], 0
    for sample, token in zip(prompts, tokens, strict=True):
        reply = chooser.choose(token)
        said.append(reply.value if isinstance(reply, Answer) else type(reply))
        wanted = sample.target
        right += said[-1] == (wanted.value if isinstance(wanted, Answer) else type(wanted))
    logs = [[token.logprobs.get(label, np.nan) for label in chooser.labels] for token in tokens]
    return Asked(cpu, said, np.array(logs), right)


if __name__ == "__main__":
    main()
