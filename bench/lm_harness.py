"""Score real items of lm-evaluation-harness with its own `hf` model and with ours: CPU time, and what differs.

    python bench/lm_harness.py --data "$ASSAY_DATA" [--model NAME_OR_PATH] [--items 12] [--only mmlu_5]

Both get the same requests, made by the harness's own task definitions, and the same weights in 32 bits on one thread,
one after the other in turns.  Examples come from rows that are set aside where the data has no split for them, the
same for both.  Items of MMLU are those of one subject, as the harness asks them subject by subject.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

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

CASES: dict[str, tuple[str, int, int, int]] = {
    # name: (task, examples, rows set aside, of the items how many are asked)
    "mmlu_5": ("mmlu_astronomy", 5, 0, 2),
    "hellaswag_0": ("hellaswag", 0, 0, 2),
    "hellaswag_10": ("hellaswag", 10, 25, 1),
    "arc_challenge_25": ("arc_challenge", 25, 25, 1),
    "gsm8k_5": ("gsm8k", 5, 5, 1),
}


def main() -> None:
    """Measure each case, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("ASSAY_DATA"))
    parser.add_argument("--model", default="smollm2-135m-instruct")
    parser.add_argument("--items", type=int, default=12)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--only", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    if asked.data is None:
        parser.error("give --data, or set ASSAY_DATA")
    import torch
    from lm_eval.models.huggingface import HFLM
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.set_num_threads(1)
    path = locate(asked.model).path if asked.model in MODELS else Path(asked.model)
    folder = str(find_model(path).path)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    peer = HFLM(pretrained=model, tokenizer=tokenizer, batch_size=asked.batch)
    rows = []
    for name in asked.only:
        task, shots, aside, times = CASES[name]
        asking = Asking(fewshot=shots, set_aside=aside, data=asked.data, revision="", seed=1234)
        [leaf] = leaves(task)
        requests = requests_of(define(leaf, asking), shots, asked.items * times)
        found = (written if task == "gsm8k" else weighed)(
            requests, peer, tokenizer, model, asked.batch
        )
        rows.append({"case": name, "items": len(requests)} | found)
        print(json.dumps(rows[-1]), flush=True)
    if asked.json:
        asked.json.write_text(json.dumps(rows, indent=1) + "\n")


def requests_of(definition: Any, shots: int, items: int) -> list[list[Any]]:
    """Return the requests of the first items, a list for each."""
    made = []
    for at, doc in zip(range(items), definition.eval_docs, strict=False):
        context = definition.fewshot_context(doc, shots, gen_prefix=definition.doc_to_prefix(doc))
        asked = definition.construct_requests(doc=doc, ctx=context, metadata=("bench", at, 1))
        made.append(asked if isinstance(asked, list) else [asked])
    return made


def weighed(
    requests: list[list[Any]], peer: Any, tokenizer: Any, model: Any, batch: int
) -> dict[str, Any]:
    """Score continuations with both."""
    words = HfWords(tokenizer, known=model.get_input_embeddings().num_embeddings)
    scorer = TorchScorer(model, batch=batch)
    assert scorer.trees
    begun = time.process_time()
    theirs = peer.loglikelihood([one for each in requests for one in each], disable_tqdm=True)
    their_s = time.process_time() - begun
    begun = time.process_time()
    asked = [[split(words, *one.args) for one in each] for each in requests]
    found = {scores.at: scores.likelihoods for scores in scorer.score(asked)}
    our_s = time.process_time() - begun
    ours = [likelihood for at in range(len(requests)) for likelihood in found[at]]
    best_theirs, best_ours, at = [], [], 0
    for each in requests:
        stretch = range(at, at + len(each))
        best_theirs.append(max(stretch, key=lambda k: theirs[k][0]))
        best_ours.append(max(stretch, key=lambda k: ours[k].total))
        at += len(each)
    return {
        "peer_cpu_s": round(their_s, 2),
        "our_cpu_s": round(our_s, 2),
        "ratio": round(their_s / our_s, 2),
        "max_abs_logprob": max(abs(t[0] - o.total) for t, o in zip(theirs, ours, strict=True)),
        "same_decisions": sum(a == b for a, b in zip(best_theirs, best_ours, strict=True)),
        "same_greedy": sum(t[1] == o.greedy for t, o in zip(theirs, ours, strict=True)),
        "tokens": f"{scorer.computed} of {scorer.asked}",
    }


def written(
    requests: list[list[Any]], peer: Any, tokenizer: Any, model: Any, batch: int
) -> dict[str, Any]:
    """Continue prompts with both, greedily."""
    begun = time.process_time()
    theirs = peer.generate_until([one for each in requests for one in each], disable_tqdm=True)
    their_s = time.process_time() - begun
    begun = time.process_time()
    wishes = []
    for [one] in requests:
        context, given = one.args
        tokens = tuple(tokenizer.encode(context))
        wishes.append(
            Wish(tokens=tokens, most=given.get("max_gen_toks", 256), stop=tuple(given["until"]))
        )
    writer = TorchWriter(
        Lending(model),
        decode=tokenizer.decode,
        ends=frozenset({tokenizer.eos_token_id}),
        batch=batch,
    )
    ours = {one.at: tokenizer.decode(one.tokens) for one in writer.write(wishes)}
    our_s = time.process_time() - begun
    cut = [ours[at] for at in range(len(requests))]
    for at, [one] in enumerate(requests):
        for stop in (*one.args[1]["until"], tokenizer.eos_token):
            cut[at] = cut[at].partition(stop)[0]
    return {
        "peer_cpu_s": round(their_s, 2),
        "our_cpu_s": round(our_s, 2),
        "ratio": round(their_s / our_s, 2),
        "same_texts": sum(a == b for a, b in zip(theirs, cut, strict=True)),
    }


if __name__ == "__main__":
    sys.exit(main())
