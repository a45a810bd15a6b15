"""Real items of lm-evaluation-harness, by its own `hf` model and by ours: CPU time, and what differs.

    python bench/lm_harness.py [--json] [--quick] [--data FOLDER] [--model NAME_OR_PATH] [--items 12] [--only mmlu_5]

Both get the same requests, made by the harness's own task definitions, and the same weights in 32 bits on one thread,
one after the other.  Examples come from rows that are set aside where the data has no split for them, the
same for both.  Items of MMLU are those of one subject, as the harness asks them subject by subject.  Without
``$ASSAY_DATA`` there is nothing to ask, and it says so.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from contest import SOURCE, Row, spread, tell

sys.path.insert(0, str(SOURCE))

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

from assay.families.lm.folder import find_model
from assay.families.lm.harness.catalogue import leaves
from assay.families.lm.harness.definitions import Asking, define
from assay.families.lm.likelihood.lending import Lending
from assay.families.lm.likelihood.tokens import split
from assay.families.lm.likelihood.torch_scorer import TorchScorer
from assay.families.lm.likelihood.words import HfWords
from assay.families.lm.likelihood.writing import TorchWriter, Wish
from assay.families.lm.models import MODELS, locate

NEEDS = ("torch", "transformers", "lm_eval")
CASES: dict[str, tuple[str, int, int, int]] = {
    # name: (task, examples, rows set aside, of the items how many are asked)
    "mmlu_5": ("mmlu_astronomy", 5, 0, 2),
    "hellaswag_0": ("hellaswag", 0, 0, 2),
    "hellaswag_10": ("hellaswag", 10, 25, 1),
    "arc_challenge_25": ("arc_challenge", 25, 25, 1),
    "gsm8k_0": ("gsm8k", 0, 0, 1),
    "gsm8k_5": ("gsm8k", 5, 5, 1),
}


def main() -> None:
    """Measure each case, and print a table, or its rows as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--data", type=Path, default=os.environ.get("ASSAY_DATA"))
    parser.add_argument("--model", default="smollm2-135m-instruct")
    parser.add_argument("--items", type=int, default=12)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--most", type=int, help="tokens of a written answer, for both")
    parser.add_argument("--only", nargs="+", choices=CASES)
    asked = parser.parse_args()
    rows: list[Row] = []
    if asked.data is None:
        print("skipped: set ASSAY_DATA to a folder with the items", file=sys.stderr)
    elif missing := [name for name in NEEDS if not find_spec(name)]:
        print(f"skipped: {', '.join(missing)} not installed", file=sys.stderr)
    else:
        rows = measured(asked)
    tell(rows, as_json=asked.json)


def measured(asked: argparse.Namespace) -> list[Row]:
    """Return the rows of each case."""
    import torch
    from lm_eval.models.huggingface import HFLM
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.set_num_threads(1)
    path = locate(asked.model).path if asked.model in MODELS else Path(asked.model)
    folder = str(find_model(path).path)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    peer = HFLM(pretrained=model, tokenizer=tokenizer, batch_size=asked.batch)
    rows: list[Row] = []
    for name in asked.only or (["hellaswag_0"] if asked.quick else CASES):
        task, shots, aside, times = CASES[name]
        asking = Asking(fewshot=shots, set_aside=aside, data=asked.data, revision="", seed=1234)
        [leaf] = leaves(task)
        items = 2 if asked.quick else asked.items * times
        requests = requests_of(define(leaf, asking), shots, items)
        compare = written if task == "gsm8k" else weighed
        if asked.most and compare is written:
            for [one] in requests:
                one.arguments[1]["max_gen_toks"] = asked.most
        rows += compare(name, requests, Sides(peer, tokenizer, model, asked.batch))
        print(json.dumps([asdict(row) for row in rows[-2:]]), file=sys.stderr, flush=True)
    return rows


def requests_of(definition: Any, shots: int, items: int) -> list[list[Any]]:
    """Return the requests of the first items, a list for each."""
    made = []
    for at, doc in zip(range(items), definition.eval_docs, strict=False):
        context = definition.fewshot_context(doc, shots, gen_prefix=definition.doc_to_prefix(doc))
        asked = definition.construct_requests(doc=doc, ctx=context, metadata=("bench", at, 1))
        made.append(asked if isinstance(asked, list) else [asked])
    return made


class Sides(NamedTuple):
    """Both who answer: the harness's model, and what ours is made of."""

    peer: Any
    tokenizer: Any
    model: Any
    batch: int


def weighed(name: str, requests: list[list[Any]], sides: Sides) -> list[Row]:
    """Score continuations with both."""
    words = HfWords(sides.tokenizer, known=sides.model.get_input_embeddings().num_embeddings)
    scorer = TorchScorer(sides.model, batch=sides.batch)
    assert scorer.trees
    flat = [one for each in requests for one in each]
    theirs, their_time = timed(lambda: sides.peer.loglikelihood(flat, disable_tqdm=True))

    def ask() -> dict[int, Any]:
        split_up = [[split(words, *one.args) for one in each] for each in requests]
        return {scores.at: scores.likelihoods for scores in scorer.score(split_up)}

    found, our_time = timed(ask)
    ours = [likelihood for at in range(len(requests)) for likelihood in found[at]]
    same, at = 0, 0
    for each in requests:
        stretch = range(at, at + len(each))
        best = max(stretch, key=lambda k: theirs[k][0])
        same += best == max(stretch, key=lambda k: ours[k].total)
        at += len(each)
    apart = max(abs(t[0] - o.total) for t, o in zip(theirs, ours, strict=True))
    greedy = sum(t[1] == o.greedy for t, o in zip(theirs, ours, strict=True))
    note = (
        f"{same} of {len(requests)} decisions the same, log-probabilities within {apart:.1e}, {greedy} of "
        f"{len(flat)} greedy; {scorer.computed:,} of {scorer.asked:,} tokens computed"
    )
    return rows_of(name, len(requests), our_time, their_time, note)


def written(name: str, requests: list[list[Any]], sides: Sides) -> list[Row]:
    """Continue prompts with both, greedily."""
    flat = [one for each in requests for one in each]
    theirs, their_time = timed(lambda: sides.peer.generate_until(flat, disable_tqdm=True))
    tokenizer = sides.tokenizer

    def ask() -> dict[int, str]:
        wishes = []
        for one in flat:
            context, given = one.args
            tokens, stop = tuple(tokenizer.encode(context)), tuple(given["until"])
            wishes.append(Wish(tokens=tokens, most=given.get("max_gen_toks", 256), stop=stop))
        writer = TorchWriter(
            Lending(sides.model),
            decode=tokenizer.decode,
            ends=frozenset({tokenizer.eos_token_id}),
            batch=sides.batch,
        )
        return {one.at: tokenizer.decode(one.tokens) for one in writer.write(wishes)}

    ours, our_time = timed(ask)
    cut = [ours[at] for at in range(len(flat))]
    for at, one in enumerate(flat):
        for stop in (*one.args[1]["until"], tokenizer.eos_token):
            cut[at] = cut[at].partition(stop)[0]
    same = sum(a == b for a, b in zip(theirs, cut, strict=True))
    note = f"{same} of {len(flat)} texts the same to the last character"
    return rows_of(name, len(flat), our_time, their_time, note)


def timed(side: Callable[[], Any]) -> tuple[Any, tuple[float, float]]:
    """Return what a side finds, and its seconds of CPU and wall."""
    cpu, wall = time.process_time(), time.perf_counter()
    found = side()
    return found, (time.process_time() - cpu, time.perf_counter() - wall)


def rows_of(
    name: str, n: int, ours: tuple[float, float], theirs: tuple[float, float], note: str
) -> list[Row]:
    """Return assay's row and the peer's: one round, a case takes minutes."""
    ratios = [spread([b / a]) for a, b in zip(ours, theirs, strict=True)]
    mine, others = ([spread([each]) for each in times] for times in (ours, theirs))
    return [
        Row(name, "assay lm.transformers", n, 1, *mine, note=note),
        Row(name, "lm-eval hf", n, 1, *others, *ratios),
    ]


if __name__ == "__main__":
    main()
