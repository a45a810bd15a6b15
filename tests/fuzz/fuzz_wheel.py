"""Feed the reader of a package's wheel: its list of files, its record, what it says of itself.  See driver.py.

An object names members and what they hold; other bytes are the wheel as it came.
"""

from __future__ import annotations

import io
import json
import zipfile

import driver

with driver.instrumented(__name__, "assay.families.supply.fetching", "zipfile"):
    from assay.families.supply.fetching.offers import check_name, choose
    from assay.families.supply.fetching.wheels import read_wheel

HOME = driver.new_folder()


def seeds() -> list[bytes]:
    """Return a wheel as its members, one that leaves its folder, and one whole."""
    about = "Metadata-Version: 2.1\nName: x\nClassifier: License :: OSI Approved :: MIT License\n"
    record = (
        "x/model.bin,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\nx-1.dist-info/RECORD,,\n"
    )
    members = {
        "x/model.bin": "",
        "x/__init__.py": "",
        "x-1.dist-info/METADATA": about,
        "x-1.dist-info/RECORD": record,
    }
    away = {"../../x": "", "/etc/x": "", "a/../../b": "", **members}
    trees = [json.dumps(one).encode() for one in (members, away)]
    return [*trees, packed(members), packed(members, zipfile.ZIP_DEFLATED)]


def packed(members: object, how: int = zipfile.ZIP_STORED) -> bytes:
    """Return a wheel of some members."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as archive:
        for name, text in members.items() if isinstance(members, dict) else ():
            archive.writestr(name.replace("\0", "") or "x", driver.file_bytes(name, text))
    return out.getvalue()


def read(data: bytes) -> None:
    """Read an input; no piece of it may be named as if it lay elsewhere."""
    try:
        members = json.loads(data)
        data = packed(members)
    except (ValueError, RecursionError):
        pass
    path = HOME / "x-1-py3-none-any.whl"
    path.write_bytes(data)
    package = read_wheel(path, where="pypi:x==1")
    assert set(package.pieces) == set(package.sizes)
    for name in choose(package.pieces, ["*"], where="pypi:x==1").names:
        inside = check_name(name, where="pypi:x==1")
        assert (HOME / inside).resolve().is_relative_to(HOME.resolve())


HARNESS = driver.Harness(read=read, seeds=seeds)

if __name__ == "__main__":
    driver.main(HARNESS)
