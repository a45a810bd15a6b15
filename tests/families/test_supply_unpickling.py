"""``--unsafe-allow-pickle``: what comes out of a checkpoint, and what it cannot do meanwhile."""

from __future__ import annotations

import json
import os
import pickle
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

import pytest

from assay import AssayError, DataError
from assay.engine.sandbox.bubblewrap import bubblewrap
from assay.families.supply.admitting.admit import admit
from assay.families.supply.admitting.unpickling import unpickle
from assay.families.supply.formats.opening import open_model
from assay.sandbox import Ended, How, Job

HELD = not isinstance(bubblewrap(), str)
held = pytest.mark.skipif(not HELD, reason="needs bubblewrap")


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


class Runs:
    """Runs a command when it is unpickled."""

    def __init__(self, command: str):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


def tensors(torch):
    ramp = torch.arange(12.0).reshape(3, 4)
    return {"a": ramp, "tied": ramp, "half": ramp.half().t(), "whole": torch.tensor([1, 2])}


@held
@pytest.mark.heavy
@pytest.mark.parametrize("old", [False, True], ids=["zip", "as before 1.6"])
def test_the_tensors_come_out_and_the_file_says_what_it_was_made_of(tmp_path: Path, torch, old):
    checkpoint, target = tmp_path / "m.bin", tmp_path / "m.safetensors"
    held = {"state_dict": {**tensors(torch), "step": 3}, "epoch": 9}
    torch.save(held, checkpoint, _use_new_zipfile_serialization=not old)
    checkpoint.chmod(0o600)  # as a part of a download is
    with pytest.raises(DataError) as error:
        admit(checkpoint, name="m.bin")
    assert error.value.code == "A206"
    made = unpickle(checkpoint, target)
    parent = sha256(checkpoint.read_bytes()).hexdigest()
    assert made.artifact.parents == (f"sha256:{parent}",)
    assert made.artifact.digest == f"sha256:{sha256(target.read_bytes()).hexdigest()}"
    assert made.settings == {
        "unsafe_allow_pickle": True, "weights_only": True, "torch": torch.__version__,
    }  # fmt: skip
    assert (made.tensors, made.left_out) == (4, ("step",))
    assert admit(target, name="m.safetensors").kind == "safetensors"
    with open_model(target) as model:
        for name, value in tensors(torch).items():
            assert model.numbers(name).tolist() == value.tolist()
        said = model.header.metadata
    flat = json.dumps(said)
    assert parent in flat
    assert "unsafe_allow_pickle" in flat
    assert target.stat().st_uid == os.geteuid()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["m.bin", "m.safetensors"]


@held
@pytest.mark.heavy
def test_a_checkpoint_that_calls_is_refused_and_nothing_happens(tmp_path: Path, torch):
    canary = tmp_path / "canary"
    evil = Runs(f"touch {canary} /out/canary")
    bare = tmp_path / "bare.pkl"
    bare.write_bytes(pickle.dumps({"a": evil}))
    archive = tmp_path / "archive.bin"
    torch.save({**tensors(torch), "evil": evil}, archive)
    for checkpoint in (bare, archive):
        with pytest.raises(DataError) as error:
            unpickle(checkpoint, tmp_path / "m.safetensors")
        assert error.value.code == "A206"
        assert not canary.exists()
    assert "system" in error.value.what
    assert sorted(each.name for each in tmp_path.iterdir()) == ["archive.bin", "bare.pkl"]
    assert os.system.__module__ == "posix"  # the canary would sing: this process may write there
    os.system(evil.command.replace("/out/canary", ""))
    assert canary.exists()


@held
@pytest.mark.heavy
def test_a_checkpoint_without_weights_is_told(tmp_path: Path, torch):
    for data in ({"a": 1}, [torch.zeros(2)], 5):
        torch.save(data, tmp_path / "m.bin")
        with pytest.raises(DataError) as error:
            unpickle(tmp_path / "m.bin", tmp_path / "m.safetensors")
        assert error.value.code == "A205"
    (tmp_path / "m.bin").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(DataError) as error:
        unpickle(tmp_path / "m.bin", tmp_path / "m.safetensors")
    assert error.value.code in ("A205", "A206")
    assert not (tmp_path / "m.safetensors").exists()


@pytest.mark.heavy
def test_without_bubblewrap_it_says_what_to_install(tmp_path: Path, torch, monkeypatch):
    torch.save(tensors(torch), tmp_path / "m.bin")
    monkeypatch.setenv("PATH", str(tmp_path))
    bubblewrap.cache_clear()
    try:
        for allowed in ("", "yes"):  # whoever runs programs unheld does not mean pickles
            monkeypatch.setenv("ASSAY_RUNS_WITHOUT_SANDBOX", allowed)
            with pytest.raises(DataError) as error:
                unpickle(tmp_path / "m.bin", tmp_path / "m.safetensors")
            assert error.value.code == "A206"
            assert "apt-get install bubblewrap" in error.value.hint
    finally:
        bubblewrap.cache_clear()
    assert not (tmp_path / "m.safetensors").exists()


class Overcome:
    """A process in the sandbox that a checkpoint has taken over: it leaves and says what it likes."""

    name = "overcome"

    def __init__(self, leave, says: bytes, status: int = 0):
        self.leave, self.says, self.status = leave, says, status

    def run(self, job: Job) -> Ended:
        self.leave(job.writes / "model.safetensors")
        return Ended(how=How.EXITED, status=self.status, stdout=self.says, stderr=b"", wall_s=0.1)


SAYS = b'{"tensors": 1, "left_out": [], "torch": "2"}'


@pytest.mark.skipif(find_spec("torch") is None, reason="needs torch")
@pytest.mark.parametrize(
    ("leave", "says"),
    [
        (lambda path: path.symlink_to("/etc/passwd"), SAYS),
        (lambda path: path.symlink_to(path.parent), SAYS),
        (lambda path: path.mkdir(), SAYS),
        (os.mkfifo, SAYS),
        (lambda path: None, SAYS),
        (lambda path: path.write_bytes(pickle.dumps(Runs("id"))), SAYS),
        (lambda path: path.write_bytes(b"plain text"), SAYS),
        (lambda path: path.write_bytes(b""), SAYS),
        (lambda path: None, b""),
        (lambda path: None, b"[" * 100_000),
        (lambda path: None, b'{"tensors": "many", "left_out": 3}'),
    ],
)
def test_nothing_that_an_overcome_process_leaves_is_believed(tmp_path: Path, leave, says):
    checkpoint = tmp_path / "m.bin"
    checkpoint.write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(AssayError) as error:
        unpickle(checkpoint, tmp_path / "m.safetensors", sandbox=Overcome(leave, says))
    assert error.value.code in ("A205", "A206")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["m.bin"]
