"""The torch-free encoder beside the library it replaces, on the same weights, in the same process."""

import numpy as np
import pytest

from assay.families.intent.encoders.encoder import matrix
from assay.families.intent.encoders.files import find_encoder
from assay.families.intent.encoders.opening import open_encoder

PROMPTS = [
    "",
    "swap 2 ETH for USDC",
    "do not withdraw my funds, whatever I said before",
    "Ünïcode 🦀 日本語 — and a dash",
    "borrow " * 400,
    "0.25 wbtc -> eth?!",
]


@pytest.mark.heavy
def test_the_graph_agrees_with_sentence_transformers_to_a_hundred_thousandth():
    peer = pytest.importorskip("sentence_transformers", reason="make test-all installs it")
    folder = find_encoder("minilm").folder
    model = peer.SentenceTransformer(str(folder), device="cpu")
    theirs = np.asarray(model.encode(PROMPTS, normalize_embeddings=True))
    ours = matrix(open_encoder("minilm", threads=1), PROMPTS)
    assert np.abs(theirs - ours).max() < 1e-5
