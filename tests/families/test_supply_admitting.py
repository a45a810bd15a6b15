"""What is let in, and what is not: by what a file holds, whatever it is called."""

from __future__ import annotations

import builtins
import bz2
import gzip
import io
import json
import lzma
import os
import pickle
import struct
import tarfile
import time
import zipfile
import zlib
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from assay import AssayError, DataError
from assay.families.supply.admitting.admit import Admitted, Kind, admit
from assay.families.supply.admitting.opcodes import MOST_OPCODES, follow
from assay.families.supply.admitting.squeezed import member_of

NAMES = [
    "m.safetensors",
    "m.gguf",
    "m.onnx",
    "m.apr",
    "m.json",
    "m.txt",
    "m.bin",
    "m.model",
    "m.jinja",
]


class Runs:
    """Runs a command when it is unpickled; here nothing unpickles."""

    def __init__(self, call=os.system, *arguments):
        self.call, self.arguments = call, arguments or ("touch canary",)

    def __reduce__(self):
        return self.call, self.arguments


class Plain:
    """Is built anew when it is unpickled."""

    def __init__(self):
        self.a = 1


def safetensors(data: bytes = bytes(4), dtype: str = "U8", **meta: str) -> bytes:
    head = {"t": {"dtype": dtype, "shape": [len(data)], "data_offsets": [0, len(data)]}}
    if meta:
        head["__metadata__"] = meta
    text = json.dumps(head).encode()
    return len(text).to_bytes(8, "little") + text + data


def gguf() -> bytes:
    return b"GGUF" + struct.pack("<IQQ", 3, 0, 0) + bytes(8)


def zipped(members: dict[str, bytes], how: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", how) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


def tarred(members: dict[str, bytes], form: int = tarfile.GNU_FORMAT) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=form) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


def zstd(data: bytes) -> bytes:
    return pytest.importorskip("zstandard").ZstdCompressor().compress(data)


def lz4(data: bytes) -> bytes:
    return pytest.importorskip("lz4.frame").compress(data)


def look(folder: Path, data: bytes, name: str = "m.bin") -> Admitted:
    path = folder / "part"
    path.write_bytes(data)
    return admit(path, name=name)


def refused(folder: Path, data: bytes, name: str = "m.bin") -> DataError:
    with pytest.raises(DataError) as error:
        look(folder, data, name)
    return error.value


SYSTEM = f"{os.system.__module__}.system"
PICKLES = {
    **{f"a call, protocol {n}": (pickle.dumps(Runs(), n), SYSTEM) for n in range(6)},
    **{f"eval, protocol {n}": (pickle.dumps(Runs(eval, "1"), n), "eval") for n in range(6)},
    **{f"an object, protocol {n}": (pickle.dumps(Plain(), n), "") for n in range(6)},
    **{f"data alone, protocol {n}": (pickle.dumps({"a": [1, 2.5]}, n), "pickle") for n in range(6)},
    "deep in data": (pickle.dumps([{"a": ({"b": [Runs()]},)}]), SYSTEM),
    "no end, so that it breaks off after the call": (b"cos\nsystem\n(S'id'\ntR", "os.system"),
    "nonsense after the call": (b"cos\nsystem\n(S'id'\ntR!!!", "os.system"),
    "an instance, of protocol 0": (b"(S'id'\nios\nsystem\n.", "os.system"),
    "an object of a class": (b"(cos\nsystem\nS'id'\no.", "os.system"),
    "a name out of the memo": (
        b"\x80\x04\x8c\x02os\x94\x8c\x06system\x94h\x00h\x01\x93\x8c\x02id\x85R.", "os.system",
    ),
    "a name that only a run would tell": (b"\x80\x04cos\ngetcwd\n)R\x8c\x06system\x93)R.", "system"),
    "a call of what was called": (b"cfunctools\npartial\n(cos\nsystem\ntR(S'id'\ntR.", "functools"),
    "a state that is set": (b"cos\nsystem\n)\x81}b.", "os.system"),
    "a list of the interpreter's that grows": (b"csys\npath\nS'/x'\na", "sys.path"),
    "a setting that changes": (b"cos\nenviron\nS'A'\nS'B'\ns", "os.environ"),
    "an instance at the end, without a new line": (b"(ios\nsystemX", "os.system"),
    "a state that data takes": (b"Va\n}b0cos\nsystem\n(tR", "os.system"),
    "a line that is long": (b"V" + b"x" * 99_999 + b"\n0cos\nsystem\n(tR", "os.system"),
    "a number in hexadecimal": (b"I0x10\n0cos\nsystem\n(tR", "os.system"),
    "an extension of the registry": (b"\x80\x02\x82\x01)R.", "extension 1"),
    "the second of two": (pickle.dumps(1) + pickle.dumps(Runs(), 0), SYSTEM),
    "the third, of protocol 0": (b"I1\n.I2\n." + pickle.dumps(Runs(), 0), SYSTEM),
    "what torch wrote first": (pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2), "pickle"),
    "long bytes before the call": (pickle.dumps([bytes(300_000), Runs()]), SYSTEM),
    "a protocol and damage": (b"\x80\x04\xff\xff\x00", "begins as a pickle"),
}  # fmt: skip


@pytest.mark.parametrize("kind", PICKLES)
@pytest.mark.parametrize("name", NAMES)
def test_a_pickle_is_refused_and_told_whatever_it_is_called(tmp_path: Path, kind, name):
    data, says = PICKLES[kind]
    error = refused(tmp_path, data, name)
    assert error.code == "A206"
    assert "pickle" in error.what
    assert says in error.what
    assert name in error.where


WRAPS = {
    "gzip": gzip.compress,
    "zlib": zlib.compress,
    "zlib, fast": lambda data: zlib.compress(data, 1),
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "lzma": lambda data: lzma.compress(data, format=lzma.FORMAT_ALONE),
    "zstandard": zstd,
    "lz4": lz4,
    "zip": lambda data: zipped({"archive/data.pkl": data, "archive/data/0": bytes(9)}),
    "zip, deflated": lambda data: zipped({"a.json": data}, zipfile.ZIP_DEFLATED),
    "zip, bzip2": lambda data: zipped({"a.json": data}, zipfile.ZIP_BZIP2),
    "zip, lzma": lambda data: zipped({"a.json": data}, zipfile.ZIP_LZMA),
    "zip after something else": lambda data: b"GIF89a" + bytes(99) + zipped({"a/data.pkl": data}),
    "zip before something else": lambda data: zipped({"a/data.pkl": data}) + bytes(500),
    "npz": lambda data: zipped({"a.npy": b"\x93NUMPY\1\0\x46\0{'descr': '|O', 'fortran_order': F" + data}),
    "tar": lambda data: tarred({"pickle": data}),
    "tar, pax": lambda data: tarred({"a.json": data, "b": b""}, tarfile.PAX_FORMAT),
    "tar, of the oldest kind": lambda data: tarred({"a": data}, tarfile.USTAR_FORMAT),
    "zip in zip": lambda data: zipped({"a.zip": zipped({"b.txt": data})}),
    "tar in gzip": lambda data: gzip.compress(tarred({"a": data})),
    "gzip in zip in tar": lambda data: tarred({"a": zipped({"b": gzip.compress(data)})}),
    "what joblib once wrote": lambda data: b"ZF" + hex(len(data)).encode().ljust(19) + zlib.compress(data),
}  # fmt: skip


@pytest.mark.parametrize("wrap", WRAPS)
@pytest.mark.parametrize("kind", ["a call, protocol 0", "a call, protocol 4"])
def test_a_pickle_is_found_in_every_archive(tmp_path: Path, wrap, kind):
    for name in ("m.safetensors", "m.json", "m.zip"):
        error = refused(tmp_path, WRAPS[wrap](PICKLES[kind][0]), name)
        assert error.code == "A206"
        assert "pickle" in error.what


@pytest.mark.parametrize("compress", [0, 3, ("gzip", 3), ("bz2", 3), ("xz", 3), ("lzma", 3), "lz4"])
def test_what_joblib_writes_is_refused(tmp_path: Path, compress):
    joblib = pytest.importorskip("joblib")
    np = pytest.importorskip("numpy")
    for held in ({"w": np.arange(999.0)}, Runs()):
        joblib.dump(held, tmp_path / "m.joblib", compress=compress)
        error = refused(tmp_path, (tmp_path / "m.joblib").read_bytes(), "m.safetensors")
        assert error.code == "A206"


def test_arrays_of_objects_are_code_and_others_are_no_format_of_a_model(tmp_path: Path):
    np = pytest.importorskip("numpy")
    for array, code in (
        (np.array([Plain()], dtype=object), "A206"),
        (np.array([(1, None)], dtype=[("a", "i4"), ("b", "O")]), "A206"),
        (np.arange(9), "A205"),
    ):
        file = io.BytesIO()
        np.save(file, array, allow_pickle=True)
        assert refused(tmp_path, file.getvalue()).code == code
        file = io.BytesIO()
        np.savez(file, a=array, allow_pickle=True)
        assert refused(tmp_path, file.getvalue()).code == code


LAMBDA = b'{"class_name": "Sequential", "config": {"layers": [{"class_name":  "Lambda"}]}}'
PROGRAMS = {
    "of linux": b"\x7fELF\x02\x01\x01" + bytes(99),
    "of windows": b"MZ" + bytes(58) + (64).to_bytes(4, "little") + b"PE\0\0" + bytes(9),
    "of macos": b"\xcf\xfa\xed\xfe" + bytes(99),
    "a script": b"#!/bin/sh\nid\n",
    "a script of env": b"#! /usr/bin/env python3\nprint()\n",
    "of python, compiled": (3495).to_bytes(2, "little") + b"\r\n" + bytes(12) + b"\xe3",
    "keras, hdf5": b"\x89HDF\r\n\x1a\n" + bytes(88) + LAMBDA + bytes(9),
    "keras, zip": zipped({"config.json": LAMBDA, "model.weights.h5": b"\x89HDF\r\n\x1a\n"}),
    "keras, json": LAMBDA,
    "in a zip": zipped({"lib/x.so": b"\x7fELF\x02\x01\x01" + bytes(99)}),
}


@pytest.mark.parametrize("kind", PROGRAMS)
def test_programs_and_layers_that_are_functions_are_code(tmp_path: Path, kind):
    for name in ("m.safetensors", "m.json", "m.txt", "m.keras"):
        assert refused(tmp_path, PROGRAMS[kind], name).code == "A206"


@pytest.mark.parametrize("name", ["modeling_x.py", "setup.sh", "a/b/X.PY", "x.js"])
def test_a_program_that_is_known_by_its_name_is_code(tmp_path: Path, name):
    assert refused(tmp_path, b"import os\n", name).code == "A206"
    assert look(tmp_path, b"import os\n", "README.md").kind == "text"  # nothing runs a README


def test_a_saved_model_of_tensorflow_is_code(tmp_path: Path):
    graph = b"\x0a\x04\x0a\x02ok" + b"\x12\x02\x0a\x00"
    model = b"\x08\x01\x12" + bytes([len(graph)]) + graph
    error = refused(tmp_path, model, "saved_model.pb")
    assert (error.code, "SavedModel" in error.what) == ("A206", True)


HEADS = {"safetensors": safetensors(), "gguf": gguf()}


@pytest.mark.parametrize("kind", HEADS)
@pytest.mark.parametrize(
    "tail",
    [pickle.dumps(Runs()), zipped({"a/data.pkl": pickle.dumps(Runs())}), zipped({"a": b"b"}), b"x"],
)
def test_what_follows_a_weights_file_is_never_let_in(tmp_path: Path, kind, tail):
    assert look(tmp_path, HEADS[kind]).kind == kind
    assert refused(tmp_path, HEADS[kind] + tail).code in ("A205", "A206")


def test_weights_that_are_an_archive_as_well_are_refused(tmp_path: Path):
    inner = zipped({"archive/data.pkl": pickle.dumps(Runs())})
    error = refused(tmp_path, safetensors(inner), "m.safetensors")  # sound, to its own reader
    assert (error.code, "pickle" in error.what) == ("A206", True)
    error = refused(tmp_path, safetensors(zipped({"a": b"b"})), "m.safetensors")
    assert (error.code, "ZIP" in error.what) == ("A205", True)


def test_a_pickle_that_begins_as_the_length_of_a_safetensors_head_is_found(tmp_path: Path):
    # 0x80 0x02 names protocol 2, X takes a text of five bytes, so that opcodes go on inside the head.
    text = b'{"' + b"a" * 9
    data = b"\x80\x02X\x05\0\0\0\0" + text
    assert not follow(data).is_code  # what goes on is no opcode
    assert follow(b"\x80\x02X\x05\0\0\0\0" + b'{"ab' + b"0cos\nsystem\n(tR").calls == ("os.system",)


def test_archives_that_hold_no_code_are_still_no_model(tmp_path: Path):
    for data in (
        zipped({"a.txt": b"a"}), tarred({"a.txt": b"a"}), gzip.compress(b"a"), zipped({}),
        b"\x89HDF\r\n\x1a\n" + bytes(99), b"\x89PNG\r\n", bytes(64), b"\xff" * 64, b"7z\xbc\xaf\x27\x1c",
    ):  # fmt: skip
        assert refused(tmp_path, data).code == "A205"


def test_members_that_lead_out_of_their_folder_are_told(tmp_path: Path):
    for name in ("../../etc/cron.d/x", "/etc/passwd", "..\\x", "C:\\x"):
        for data in (zipped({name: b"x"}), tarred({name: b"x"})):
            error = refused(tmp_path, data)
            assert error.code == "A205"
            assert "outside" in error.what


@pytest.mark.parametrize("how", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_of_a_member_no_more_is_unpacked_than_is_looked_at(how: int):
    import tracemalloc

    data = zipped({"a": bytes(1 << 26)}, how)
    archive = zipfile.ZipFile(io.BytesIO(data))
    tracemalloc.start()
    found = member_of(archive, archive.infolist()[0], 1 << 20)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == bytes(1 << 20)
    assert peak < 1 << 25


def bombs() -> dict[str, bytes]:
    wide = zipped({f"{n}": b"\1" * 50_000_000 for n in range(8)}, zipfile.ZIP_DEFLATED)
    deep = b"a"
    for _ in range(12):
        deep = zipped({"a": deep})
    many = zipped({f"{n:060}": b"" for n in range(30_000)})
    return {
        "wide": wide,
        "deep": deep,
        "gzip": gzip.compress(gzip.compress(b"\1" * 400_000_000, 1), 1),
        "many members": many,
    }


@pytest.mark.slow
def test_bombs_end_in_bounded_time_and_memory(tmp_path: Path):
    import tracemalloc

    for name, data in bombs().items():
        tracemalloc.start()
        began = time.monotonic()
        error = refused(tmp_path, data)
        took, peak = time.monotonic() - began, tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert error.code == "A205", name
        assert took < 30, name
        assert peak < 500 * 2**20, (name, peak)


def test_opcodes_without_end_are_refused_in_bounded_time(tmp_path: Path):
    error = refused(tmp_path, b"N0" * MOST_OPCODES, "m.txt")
    assert error.code == "A206"


TEXTS = [
    b"[PAD]\n[unused0]\n", b"the\ncat\nsat\n", b"cat\ndog\nR\n", b"c\n", b"(in parts) it is\nso\n", b".", b"N", b"I am\n",
    b"Prompt\n", b"S'quoted'\n", b"#version: 0.2\n\xc4\xa0 t\n", b"\xef\xbb\xbfword\n", b"Good\nGrief\n",
    b"0\n1\n2\n", b"]\n", b"}\n", b"(1)\n(2)\n", b"\n", b"no\nYes.", b"MZ\n", b"x^2 + y^2\n", b"#! not a script",
]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_plain_texts_are_let_in_though_they_begin_with_opcodes(tmp_path: Path, text):
    assert look(tmp_path, text, "vocab.txt").kind == "text"


@pytest.mark.slow
def test_no_text_of_the_installed_packages_is_taken_for_a_pickle():
    home = Path(pytest.__file__).parents[1]
    texts = [
        each for kind in ("txt", "md", "rst") for each in sorted(home.rglob(f"*.{kind}"))[:300]
    ]
    texts += sorted(home.glob("*.dist-info/METADATA"))
    taken = [path for path in texts if follow(path.read_bytes()).is_code]
    assert len(texts) > 100
    assert taken == []


@given(st.lists(st.from_regex(r"[A-Za-z]{1,9}( [a-z]{1,9}){0,4}", fullmatch=True), min_size=1))
def test_lists_of_words_are_texts(tmp_path_factory, words):
    data = "\n".join(words).encode() + b"\n"
    assert look(tmp_path_factory.getbasetemp(), data, "vocab.txt").kind == "text"


@given(st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
))  # fmt: skip
def test_every_json_is_let_in_as_json(tmp_path_factory, value):
    data = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
    data = data.replace(b"\0", b"")
    assert look(tmp_path_factory.getbasetemp(), data, "config.json").kind == "json"


BAD_JSON = [
    b"{", b"{'a': 1}", b"[1,]", b"NaN", b'{"a": Infinity}', b"[" * 100_000, b'{"a":' * 100_000, b"1" * 5000, b"nul", b" ",
]  # fmt: skip


@pytest.mark.parametrize("text", BAD_JSON)
def test_what_is_no_json_or_deeper_than_readers_go_is_told(tmp_path: Path, text):
    assert refused(tmp_path, text, "config.json").code == "A205"
    long = b'{"a": "' + b"x" * 9_000_000 + b'", "b": ' + text + b"}"
    if text not in (b"NaN", b"1" * 5000):  # of long files the form alone is looked at
        assert refused(tmp_path, long, "config.json").code == "A205"


def test_keys_that_come_twice_and_code_of_authors_are_told(tmp_path: Path):
    found = look(tmp_path, b'{"a": {"b": 1, "b": 2}, "auto_map": {}}', "config.json")
    assert [note.split()[2] for note in found.notes[:1]] == ["'b'"]
    assert "auto_map" in found.notes[1]


def test_a_template_is_read_and_never_rendered(tmp_path: Path):
    chat = b"{% for m in messages %}{% generation %}{{ m.content }}{% endgeneration %}{% break %}{% endfor %}"
    assert look(tmp_path, chat, "chat_template.jinja").kind == "jinja"
    attack = b"{{ ''.__class__.__mro__[1].__subclasses__() }}"
    assert (
        look(tmp_path, attack, "chat_template.jinja").kind == "jinja"
    )  # data: a sandbox renders it
    for text in (b"{% for %}", b"{{", b"{% if a %}" * 5000, b"a" * 600_000):
        assert refused(tmp_path, text, "chat_template.jinja").code == "A205"


def test_weights_are_what_they_hold_with_a_note_on_their_name(tmp_path: Path):
    assert look(tmp_path, safetensors(), "m.safetensors").notes == ()
    found = look(tmp_path, safetensors(), "pytorch_model.bin")
    assert found.kind == "safetensors"
    assert "pytorch_model.bin" in found.notes[-1]
    for name in ("m.safetensors", "m.gguf"):
        assert refused(tmp_path, b"plain text", name).code == "A205"
        assert refused(tmp_path, b"{}", name).code == "A205"


def test_a_sentencepiece_model_is_let_in_and_a_broken_one_is_not(tmp_path: Path):
    def piece(text: bytes) -> bytes:
        inner = (
            b"\x0a" + bytes([len(text)]) + text + b"\x15" + struct.pack("<f", -1.5) + b"\x18\x02"
        )
        return b"\x0a" + bytes([len(inner)]) + inner

    model = piece(b"<unk>") + piece("▁a".encode()) + b"\x12\x02\x18\x01"
    assert look(tmp_path, model, "tokenizer.model").kind == "sentencepiece"
    assert refused(tmp_path, model[:-1] + b"\0\xff\xff", "tokenizer.model").code == "A205"
    assert refused(tmp_path, model, "model.safetensors").code == "A205"


def test_pages_and_pointers_that_came_in_place_of_a_file_are_told(tmp_path: Path):
    for data in (
        b"<!DOCTYPE html><html>",
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
    ):
        error = refused(tmp_path, data, "model.txt")
        assert error.code == "A205"


def test_what_is_no_file_is_told(tmp_path: Path):
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(AssayError):
            admit(path, name="a")
    (tmp_path / "empty").touch()
    with pytest.raises(DataError):
        admit(tmp_path / "empty", name="a")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError):
        admit(tmp_path / "pipe", name="a")


SEEDS = [
    *(data for data, _ in PICKLES.values()),
    *(wrap(PICKLES["a call, protocol 2"][0]) for wrap in WRAPS.values()),
    *PROGRAMS.values(), *HEADS.values(), *TEXTS, *BAD_JSON[:6],
]  # fmt: skip


@st.composite
def mutated(draw) -> bytes:
    data = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(0, 4))):
        if not data:
            break
        at = draw(st.integers(0, len(data) - 1))
        match draw(st.integers(0, 3)):
            case 0:
                data[at] = draw(st.integers(0, 255))
            case 1:
                del data[at:]
            case 2:
                data[at:at] = draw(st.binary(max_size=9))
            case 3:
                data[at : at + 4] = draw(
                    st.sampled_from([b"\xff" * 4, bytes(4), b"\xff\xff\xff\x7f"])
                )
    return bytes(data)


@pytest.mark.slow
@settings(max_examples=400, deadline=5000)
@given(st.binary() | mutated(), st.sampled_from(NAMES))
@example(b"PK\x05\x06" + bytes(18), "m.bin")
@example(b"\x80", "m.bin")
def test_whatever_a_file_holds_it_is_let_in_or_refused_with_a_code(tmp_path_factory, data, name):
    path = tmp_path_factory.getbasetemp() / "fuzzed"
    path.write_bytes(data)
    try:
        found = admit(path, name=name).kind
    except AssayError as error:
        found = error.code
    assert found in ("A205", "A206", *get_args(Kind))


HARMLESS = {
    "dict", "list", "set", "frozenset", "bytes", "bytearray", "complex", "encode", "_reconstructor",
}  # fmt: skip


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.complex_numbers(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.sets(st.integers()) | st.tuples(inner, inner),
), st.integers(0, 5))  # fmt: skip
def test_every_pickle_that_python_writes_is_told_by_its_opcodes(value, protocol):
    data = pickle.dumps(value, protocol)
    found = follow(data)
    assert found.is_code
    assert found.whole or found.calls  # it is not followed beyond some calls
    runs = follow(pickle.dumps([Runs(builtins.exec, "1"), value], protocol))
    assert any(call.endswith(".exec") for call in runs.calls)
    assert {call.rpartition(".")[2] for call in found.calls} <= HARMLESS


class CalledError(Exception):
    """Something was called."""


class Watched(pickle._Unpickler):
    """Python's own unpickler, which imports nothing, and stops at the first call."""

    def find_class(self, module, name):
        if not all(part.isidentifier() for part in f"{module}.{name}".split(".")):
            raise ImportError(module)  # as an import would

        def call(*_arguments, **_named):
            raise CalledError(f"{module}.{name}")

        body = dict.fromkeys(("__new__", "__setstate__", "append", "extend", "add"), call)
        return type("Meta", (type,), {"__setitem__": call})("Watch", (), body)

    get_extension = find_class


OPCODES = [
    b"I0x1\n",
    b"I_\n",
    b"p_\n",
    b"csys\npath\n",
    b"(", b".", b"0", b"1", b"2", b"N", b"I1\n", b"L1L\n", b"F1.5\n", b"S'a'\n", b"Va\n", b"X\1\0\0\0a", b"U\1a",
    b"\x8c\x02os", b"\x8c\x06system", b"cos\nsystem\n", b"ios\nsystem\n", b"\x93", b"R", b"\x81", b"\x92", b"b", b"o",
    b"t", b")", b"\x85", b"\x86", b"]", b"}", b"a", b"e", b"s", b"u", b"l", b"d", b"\x90", b"\x91", b"p0\n", b"q\0",
    b"g0\n", b"h\0", b"\x94", b"j\0\0\0\0", b"\x80\x02", b"\x80\x04", b"K\1", b"\x88", b"\x8f", b"B\0\0\0\0",
]  # fmt: skip


@pytest.mark.slow
@settings(max_examples=1500, deadline=None)
@given(st.lists(st.sampled_from(OPCODES), max_size=14).map(b"".join) | mutated() | st.binary())
@example(b"(ios\nsystem\n")
@example(b"(cos\nsystem\no")
def test_nothing_that_an_unpickler_would_call_goes_unseen(data):
    calls = False
    try:
        Watched(io.BytesIO(data)).load()
    except CalledError:
        calls = True
    except Exception:  # noqa: BLE001  (an unpickler fails in many ways; only calls matter here)
        pass
    if calls:
        assert follow(data).is_code


def test_the_unpickler_that_is_watched_does_call(tmp_path: Path):
    told = []
    for data, says in PICKLES.values():
        try:
            Watched(io.BytesIO(data)).load()
        except CalledError as error:
            told.append((says, str(error)))
        except Exception:  # noqa: BLE001
            continue
    assert len(told) > 15
    assert all(says in call or says in ("", "system", "functools") for says, call in told)
