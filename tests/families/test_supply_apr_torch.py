"""An ``.apr`` file as torch tensors: the file's own memory, and never the file."""

from __future__ import annotations

import numpy as np
import pytest

import apr_files
from assay import DataError
from assay.families.supply.formats.apr import Extent, TensorToWrite, torch_tensors, write_apr

pytestmark = pytest.mark.heavy
torch = pytest.importorskip("torch")


def test_every_type_that_torch_has_stays_and_others_become_float32(tmp_path):
    rng = np.random.default_rng(0)
    values = rng.normal(size=(3, 64)).astype(np.float32)
    codes = rng.integers(0, 100, (2, 2)).astype(np.int8)
    kinds = {"F32": "float32", "F16": "float16", "BF16": "bfloat16", "F64": "float64"}
    whole = {"I8": "int8", "U8": "uint8", "I32": "int32", "I64": "int64"}
    tensors = [
        *(TensorToWrite.of_array(kind, values, kind) for kind in (*kinds, "APR_Q8", "APR_Q4")),
        *(TensorToWrite.of_array(kind, codes, kind) for kind in whole),
        TensorToWrite.of_array("empty", np.ones((0, 3)), "F16"),
    ]
    write_apr(tmp_path / "m.apr", {}, tensors)
    found = torch_tensors(tmp_path / "m.apr")
    expected = kinds | whole | {"APR_Q8": "float32", "APR_Q4": "float32", "empty": "float16"}
    assert {name: str(tensor.dtype) for name, tensor in found.items()} == {
        name: f"torch.{kind}" for name, kind in expected.items()
    }
    assert np.array_equal(found["F32"].numpy(), values)
    assert torch.equal(found["BF16"], torch.from_numpy(values).to(torch.bfloat16))
    assert torch.equal(found["F16"], torch.from_numpy(values).to(torch.float16))
    assert np.abs(found["APR_Q8"].numpy() - values).max() < 0.02
    assert found["empty"].shape == (0, 3)


def test_what_is_written_to_a_tensor_stays_in_this_process(tmp_path):
    path = tmp_path / "m.apr"
    path.write_bytes(apr_files.v2())
    found = torch_tensors(path)
    found["weights"] += 1
    assert found["weights"].tolist() == [each + 1 for each in apr_files.WEIGHTS]
    assert path.read_bytes() == apr_files.v2()
    assert torch_tensors(path)["weights"].tolist() == list(apr_files.WEIGHTS)


def test_apr1_which_aligns_nothing_is_copied(tmp_path):
    path = tmp_path / "m.apr"
    for spaces in range(4):
        path.write_bytes(apr_files.apr1(metadata=b"{" + b" " * spaces + b"}"))
        assert torch_tensors(path)["w"].tolist() == [[1], [2], [3]]


def test_the_checksum_of_the_whole_is_for_whoever_asks(tmp_path):
    path, data = tmp_path / "m.apr", bytearray(apr_files.v2())
    data[500] ^= 1  # in the padding
    path.write_bytes(data)
    assert torch_tensors(path)["bias"].tolist() == [0.125]
    with pytest.raises(DataError, match="footer CRC32"):
        torch_tensors(path, extent=Extent.WHOLE)
