"""Feed the readers of packed runs: a board's archive, and the zip that a workflow keeps.  See driver.py.

A tree of heads becomes a tar with the right checksums, and is packed, so that what lies below is reached; other
bytes are a packed archive, or a zip, as they are.
"""

from __future__ import annotations

import io
import json
import lzma
import shutil
import zipfile

import driver

with driver.instrumented(__name__, "assay.publish.board", "tarfile", "zipfile"):
    from assay.publish.board.archive import seal_in, unpack
    from assay.publish.board.chatops.artifacts import member

HOME = driver.new_folder()
BLOCK = 512


def seeds() -> list[bytes]:
    """Return archives as trees of their heads, a packed one, and a zip."""
    plain = [
        ("plan.yaml", "name: x\n"),
        ("manifest.json", "{}"),
        ("SEAL", "{}"),
        ("records/t/s/0-test.jsonl", "{}\n"),
    ]
    files = [
        {"name": name, "size": f"{len(data):o}", "type": "0", "data": data} for name, data in plain
    ]
    link = {"name": "evidence/link", "size": "0", "type": "2", "link": "../../x", "data": ""}
    pax = [
        {"name": "x", "size": f"{13:o}", "type": "x", "data": "13 path=SEAL\n"},
        {**files[2], "name": "y"},
    ]
    long = [{"name": "././@LongLink", "size": "5", "type": "L", "data": "SEAL\0"}, files[1]]
    sparse = [
        {"name": "SEAL", "size": "0", "type": "S", "data": ""},
        {"name": "x", "size": f"{30:o}", "type": "x", "data": "30 GNU.sparse.realsize=9999999\n"},
        *files,
    ]
    prefix = [{**files[3], "name": "0-test.jsonl", "prefix": "records/t/s"}]
    trees = [{"tar": entries} for entries in (files, [*files, link], pax, long, sparse, prefix)]
    packed = lzma.compress(tar_of(files))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("run.tar.xz", packed)
    return [*(json.dumps(tree).encode() for tree in trees), packed, out.getvalue()]


FIELDS = (("name", 0, 100), ("mode", 100, 8), ("uid", 108, 8), ("gid", 116, 8), ("size", 124, 12), ("mtime", 136, 12), ("type", 156, 1),
          ("link", 157, 100), ("magic", 257, 8), ("prefix", 345, 155))  # fmt: skip
USUAL = {"mode": "0000644", "uid": "0", "gid": "0", "mtime": "0", "magic": "ustar\x0000"}


def tar_of(entries: object) -> bytes:
    """Return a tar with these heads, whose checksums are right."""
    made = bytearray()
    for entry in entries if isinstance(entries, list) else ():
        given = {**USUAL, **entry} if isinstance(entry, dict) else USUAL
        head = bytearray(BLOCK)
        for name, at, width in FIELDS:
            text = given.get(name, "")
            raw = driver.raw(text if isinstance(text, str) else json.dumps(text))[:width]
            head[at : at + len(raw)] = raw
        head[148:156] = b" " * 8
        head[148:156] = b"%06o\0 " % sum(head)
        data = driver.file_bytes("data", given.get("data", ""))
        made += head + data + bytes(-len(data) % BLOCK)
    return bytes(made + bytes(2 * BLOCK))


def read(data: bytes) -> None:
    """Unpack an input, and look for its seal."""
    if data[:2] == b"PK":
        member(data, "zip")
        return
    path = HOME / "run.tar.xz"
    try:
        tree = json.loads(data)
    except (ValueError, RecursionError):
        path.write_bytes(data)
    else:
        path.write_bytes(
            lzma.compress(tar_of(tree.get("tar") if isinstance(tree, dict) else tree), preset=0)
        )
    for reader in (lambda: seal_in(path), unpacked):
        try:
            reader()
        except driver.AssayError:
            continue
    member_of = io.BytesIO()
    with zipfile.ZipFile(member_of, "w") as zipped:
        zipped.writestr("run.tar.xz", data)
    assert member(member_of.getvalue(), "zip") == data


def unpacked() -> None:
    """Unpack into a folder, out of which nothing may come."""
    into, beside = HOME / "into", set(HOME.iterdir())
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir()
    try:
        unpack(HOME / "run.tar.xz", into)
    finally:
        assert set(HOME.iterdir()) <= beside | {into}
        for path in into.rglob("*"):
            assert not path.is_symlink()
            assert path.is_file() or path.is_dir()


HARNESS = driver.Harness(read=read, seeds=seeds)

if __name__ == "__main__":
    driver.main(HARNESS)
