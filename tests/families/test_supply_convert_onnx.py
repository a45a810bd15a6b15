"""Classifier heads become ONNX graphs that say what the heads say."""

import json
from hashlib import sha256

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save

from assay import DataError, PluginError
from assay.families.supply.converting import onnx_writer
from assay.families.supply.converting.convert import convert
from assay.families.supply.converting.head import open_head

onnxruntime = pytest.importorskip("onnxruntime", exc_type=ImportError)
onnx = pytest.importorskip("onnx", exc_type=ImportError)


def mapper(folder, *, hidden=False, calibration="temperature", labels=5, features=8, seed=0):
    """Write the folder that ``assay intent train`` writes: arrays, and the parts of a card that count."""
    rng = np.random.default_rng(seed)
    arrays = {
        "weights": rng.normal(size=(labels, 6 if hidden else features)),
        "bias": rng.normal(size=labels),
    }
    if hidden:
        arrays |= {
            "hidden.weights": rng.normal(size=(6, features)),
            "hidden.bias": rng.normal(size=6),
        }
    arrays = {name: array.astype(np.float32) for name, array in arrays.items()}
    if calibration == "sigmoid":
        arrays["calibration.slope"] = rng.uniform(0.5, 2, labels)
        arrays["calibration.offset"] = rng.normal(size=labels)
    else:
        arrays["calibration.temperature"] = np.array([1.0 if calibration == "none" else 1.7])
    folder.mkdir(exist_ok=True)
    data = save(arrays)
    (folder / "head.safetensors").write_bytes(data)
    card = {
        "format": "assay.intent.mapper/1",
        "made_by": "intent.mapper/1",
        "labels": [f"label {i}" for i in range(labels - 1)],
        "reasons": ["out_of_scope"],
        "head": {
            "kind": "mlp" if hidden else "linear",
            "digest": f"sha256:{sha256(data).hexdigest()}",
            "features": features,
            "strength": 1.0,
        },
        "calibration": {"kind": calibration, "how": ""},
        "encoder": {"name": "minilm"},
    }
    (folder / "card.json").write_text(json.dumps(card))
    return folder


def answers(path, rows):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(["logits", "probabilities"], {"features": rows})


@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.booleans(),
    st.sampled_from(["none", "temperature", "sigmoid"]),
    st.integers(2, 12),
    st.integers(0, 99),
)
def test_a_graph_says_what_its_mapper_says(tmp_path, hidden, calibration, labels, seed):
    folder = mapper(
        tmp_path / "mapper", hidden=hidden, calibration=calibration, labels=labels, seed=seed
    )
    made = convert(folder, tmp_path / "head.onnx", to="onnx", force=True)
    head = open_head(folder)
    rows = np.random.default_rng(seed + 1).normal(size=(20, 8)).astype(np.float32)
    logits, shares = answers(made.path, rows)
    expected = head.logits(rows.astype(np.float64))
    np.testing.assert_allclose(logits, expected, atol=1e-4)
    np.testing.assert_allclose(shares, head.probabilities(expected), atol=1e-5)
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-5)


def test_a_real_head_of_the_intent_family_says_the_same(tmp_path):
    """The file format is read here and written there: this test holds the two to each other."""
    from assay.families.intent.encoders.facts import EncoderFacts
    from assay.families.intent.heads.calibration import Sigmoid
    from assay.families.intent.heads.card import Card
    from assay.families.intent.heads.head import Head, Hidden
    from assay.families.intent.heads.weights import Saved
    from assay.families.intent.heads.weights import save as write
    from assay.families.intent.labels import Labels

    rng = np.random.default_rng(3)
    head = Head(
        labels=Labels(names=("stake", "swap"), reasons=("out_of_scope",)),
        weights=rng.normal(size=(3, 4)),
        bias=rng.normal(size=3),
        calibration=Sigmoid(slope=np.array([0.5, 1.0, 2.0]), offset=np.array([0.1, 0.0, -1.0])),
        hidden=Hidden(weights=rng.normal(size=(4, 6)), bias=rng.normal(size=4)),
    ).storable()
    encoder = EncoderFacts(name="minilm", made_by="test", weights="", tokenizer="")
    card = Card.of(head, made_by="test", encoder=encoder, strength=1.0)
    write(Saved(head=head, card=card), tmp_path / "mapper")
    made = convert(tmp_path / "mapper", tmp_path / "head.onnx", to="onnx")
    rows = rng.normal(size=(50, 6)).astype(np.float32)
    _, shares = answers(made.path, rows)
    np.testing.assert_allclose(
        shares, head.calibration.probabilities(head.logits(rows.astype(np.float64))), atol=1e-5
    )


def test_a_head_from_elsewhere_is_read_by_its_card(tmp_path):
    rng = np.random.default_rng(0)
    arrays = {
        "a": rng.normal(size=(4, 3)),
        "b": rng.normal(size=4),
        "c": rng.normal(size=(2, 4)),
        "d": rng.normal(size=2),
    }
    (tmp_path / "my.safetensors").write_bytes(
        save({n: a.astype(np.float32) for n, a in arrays.items()})
    )
    card = {
        "format": "assay.head/1",
        "labels": ["no", "yes"],
        "layers": [
            {"weights": "a", "bias": "b", "activation": "tanh"},
            {"weights": "c", "bias": "d"},
        ],
    }
    (tmp_path / "head.json").write_text(json.dumps(card))
    made = convert(tmp_path / "my.safetensors", tmp_path / "head.onnx", to="onnx")
    rows = rng.normal(size=(9, 3)).astype(np.float32)
    single = {name: array.astype(np.float32).astype(np.float64) for name, array in arrays.items()}
    expected = np.tanh(rows @ single["a"].T + single["b"]) @ single["c"].T + single["d"]
    np.testing.assert_allclose(answers(made.path, rows)[0], expected, atol=1e-5)
    assert [parent.source for parent in made.parents] == ["file:my.safetensors", "file:head.json"]


def test_the_graph_names_labels_and_parents_and_is_the_same_each_time(tmp_path):
    folder = mapper(tmp_path / "mapper")
    one, other = (convert(folder, tmp_path / n, to="onnx") for n in ("a.onnx", "b.onnx"))
    assert one.sha256 == other.sha256
    model = onnx.load(one.path)
    onnx.checker.check_model(model, full_check=True)
    said = {each.key: json.loads(each.value) for each in model.metadata_props}
    assert said["labels"] == ["label 0", "label 1", "label 2", "label 3", "out_of_scope"]
    assert said["reasons"] == ["out_of_scope"]
    assert [each["digest"] for each in said["assay"]["parents"]] == list(one.artifact.parents)
    assert one.artifact.kind == "graph"


def test_a_graph_that_says_something_else_is_refused(tmp_path):
    """The check before writing can fail: a graph of one head, held to another."""
    one, other = (open_head(mapper(tmp_path / str(seed), seed=seed)) for seed in (0, 1))
    graph = onnx_writer.graph_of(one, {})
    onnx_writer.check_says_the_same(graph, one)
    with pytest.raises(DataError, match="REFUSED") as found:
        onnx_writer.check_says_the_same(graph, other)
    assert found.value.code == "A208"


def broken(folder, change):
    card = json.loads((folder / "card.json").read_text())
    change(card)
    (folder / "card.json").write_text(json.dumps(card))
    return folder


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda card: card["labels"].pop(), "5 rows for 4 labels"),
        (lambda card: card["head"].update(digest="sha256:0"), "not the file that card.json names"),
        (lambda card: card["head"].update(kind="mlp"), r"hidden\.weights is missing"),
        (lambda card: card["calibration"].update(kind="isotonic"), "isotonic"),
        (lambda card: card.update(format="assay.intent.mapper/9"), "no card"),
    ],
)
def test_a_card_that_does_not_fit_is_told(tmp_path, change, match):
    folder = broken(mapper(tmp_path / "mapper"), change)
    with pytest.raises(DataError, match=match) as found:
        convert(folder, tmp_path / "head.onnx", to="onnx")
    assert found.value.code == "A205"
    assert not (tmp_path / "head.onnx").exists()


def test_a_folder_without_a_head_is_told(tmp_path):
    with pytest.raises(PluginError, match=r"card\.json or head\.json is missing"):
        convert(tmp_path, tmp_path / "head.onnx", to="onnx")
    with pytest.raises(PluginError, match="is missing"):
        convert(tmp_path / "nowhere", tmp_path / "head.onnx", to="onnx")
