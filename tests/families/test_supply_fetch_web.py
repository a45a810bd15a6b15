"""Files of any server: resumed, bounded, and never taken for others."""

from __future__ import annotations

import resource
import shutil
from collections.abc import Iterator
from email.message import Message
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.families.supply.fetching.lockfile import LockedFile, LockedSource, add_to_lock
from assay.families.supply.fetching.web import Reply
from assay.families.supply.fetching.written import as_written
from assay.families.supply.keeping.cache import ModelCache

from .fetching import Bench
from .hub_server import Fault, HubServer, hub_server

TEXT = "".join(f"line {i} of a long vocabulary\n" for i in range(20_000)).encode()
DIGEST = sha256(TEXT).hexdigest()


@pytest.fixture
def web() -> Iterator[HubServer]:
    with hub_server() as server:
        server.files["/files/vocab.txt"] = TEXT
        yield server


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def url(web: HubServer) -> str:
    return f"{web.url}/files/vocab.txt"


def name_it(bench: Bench, source: str, text: bytes = TEXT) -> None:
    """Write into the lock which bytes a source stands for."""
    file = LockedFile(sha256=sha256(text).hexdigest(), size=len(text))
    entry = LockedSource(resolved=source, asked=("*",), files={"vocab.txt": file})
    add_to_lock(bench.lock, source, entry)


@pytest.mark.parametrize(
    ("said", "length"), [("12", 12), ("", None), ("1" * 5000, None), ("-1", None), ("1e3", None)]
)
def test_a_length_that_is_none_is_not_announced(said: str, length: int | None):
    headers = Message()
    headers["Content-Length"] = said
    assert Reply(status=200, headers=headers, body=BytesIO()).length == length


def test_a_file_is_fetched_and_locked(web: HubServer, bench: Bench):
    [kept] = bench.fetch(url(web)).files
    assert (kept.name, kept.path.read_bytes(), kept.sha256) == ("vocab.txt", TEXT, DIGEST)
    assert bench.came == {"vocab.txt": len(TEXT)}
    assert bench.fetch(url(web), offline=True).files[0].sha256 == DIGEST
    assert len(web.asked) == 1
    assert web.asked[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("is_named", [True, False])
@pytest.mark.parametrize("chunked", [True, False])
def test_a_connection_that_is_cut_goes_on_where_it_was(
    web: HubServer, bench: Bench, is_named, chunked
):
    if is_named:
        name_it(bench, url(web))
    web.fail("/vocab.txt", Fault(cut_after=200_000, chunked=chunked), Fault(cut_after=100_000))
    assert bench.fetch(url(web)).files[0].path.read_bytes() == TEXT
    ranges = [each.headers.get("range") for each in web.asked]
    assert ranges == [None, "bytes=200000-", "bytes=300000-"]
    assert [each.sent for each in web.asked] == [200_000, 100_000, len(TEXT) - 300_000]
    assert [each.headers.get("if-range") is not None for each in web.asked] == [
        False,
        not is_named,
        not is_named,
    ]
    assert bench.came == {"vocab.txt": len(TEXT)}


def test_a_fetch_that_gave_up_is_continued_by_the_next(web: HubServer, bench: Bench):
    web.fail("/vocab.txt", Fault(cut_after=200_000), *[Fault(status=500)] * 2)
    failed = bench.fails(url(web))
    assert failed.code == "A405"
    assert "goes on" in failed.hint
    assert bench.parts() == [TEXT[:200_000]]
    assert bench.cache.ls() == ()
    bench.fetch(url(web))
    assert web.asked[-1].sent == len(TEXT) - 200_000
    assert bench.parts() == []


def test_a_file_that_changed_meanwhile_is_fetched_whole(web: HubServer, bench: Bench):
    web.fail("/vocab.txt", Fault(cut_after=200_000), *[Fault(status=500)] * 2)
    bench.fails(url(web))
    web.files["/files/vocab.txt"] = changed = TEXT.upper()
    assert bench.fetch(url(web)).files[0].path.read_bytes() == changed
    assert web.asked[-1].sent == len(TEXT)


def test_a_server_that_goes_on_with_another_file_is_not_believed(web: HubServer, bench: Bench):
    web.fail("/vocab.txt", Fault(cut_after=200_000), Fault(no_conditions=True, etag='"other"'))
    assert bench.fetch(url(web)).files[0].path.read_bytes() == TEXT
    assert web.asked[1].headers["if-range"] != '"other"'  # it answers with a part all the same
    assert web.asked[-1].sent == len(TEXT)


def test_parts_that_do_not_fit_together_are_fetched_whole_before_it_halts(
    web: HubServer, bench: Bench
):
    name_it(bench, url(web))
    web.fail("/vocab.txt", Fault(data=TEXT.upper(), cut_after=200_000))
    assert bench.fetch(url(web)).files[0].path.read_bytes() == TEXT
    assert bench.evidence() == []
    assert [each.sent for each in web.asked] == [200_000, len(TEXT) - 200_000, len(TEXT)]
    assert bench.came == {"vocab.txt": len(TEXT)}


def test_without_ranges_it_begins_again(web: HubServer, bench: Bench):
    web.fail("/vocab.txt", Fault(cut_after=200_000), Fault(no_ranges=True))
    assert bench.fetch(url(web)).files[0].path.read_bytes() == TEXT
    assert [each.sent for each in web.asked] == [200_000, len(TEXT)]


@pytest.mark.parametrize("tag", ["", 'W/"weak"'])
def test_without_a_strong_tag_nothing_is_continued(web: HubServer, bench: Bench, tag):
    web.fail("/vocab.txt", Fault(cut_after=200_000, etag=tag), Fault(etag=tag))
    assert bench.fetch(url(web)).files[0].path.read_bytes() == TEXT
    assert web.asked[1].headers.get("range") is None


def test_a_part_that_is_whole_already_is_not_fetched_again(web: HubServer, bench: Bench):
    name_it(bench, url(web))
    bench.cache.incoming.mkdir(parents=True)
    (bench.cache.incoming / f"sha256-{DIGEST}.part").write_bytes(TEXT)
    assert bench.fetch(url(web)).files[0].path.read_bytes() == TEXT
    assert web.asked == []


def test_an_unlocked_file_is_fetched_again_only_when_it_changed(web: HubServer, bench: Bench):
    assert bench.fetch(url(web), locked=False).came == ("vocab.txt",)
    assert bench.fetch(url(web), locked=False).came == ()
    assert [each.sent for each in web.asked] == [len(TEXT), 0]
    web.files["/files/vocab.txt"] = b"other"
    assert bench.fetch(url(web), locked=False).files[0].path.read_bytes() == b"other"


def test_a_slow_drip_counts_as_cut_and_is_continued(web: HubServer, bench: Bench):
    bench.tick = 6.0
    web.fail("/vocab.txt", *[Fault(drip=10_000)] * 2)
    fetched = bench.fetch(url(web))
    assert fetched.files[0].path.read_bytes() == TEXT  # 10 kB in 6 s is fast enough
    bench.cache.evict(DIGEST)
    web.fail("/vocab.txt", *[Fault(drip=100)] * 3)
    bench.tick = 600.0
    failed = bench.fails(url(web))
    assert failed.code == "A405"
    assert "slower than 1,000 bytes a second" in failed.what
    assert len(bench.waited) == 2


def test_a_server_that_falls_silent_counts_as_cut(web: HubServer, tmp_path: Path):
    from assay.families.supply.fetching.fetch import Manner, fetch
    from assay.families.supply.fetching.patience import Patience

    holds = [Fault(hold_at=200_000), Fault(hold_at=100_000)]
    web.fail("/vocab.txt", *holds)
    waited: list[float] = []
    manner = Manner(patience=Patience(timeout_s=0.05, sleep=waited.append))
    fetched = fetch(url(web), into=ModelCache(tmp_path / "cache"), manner=manner)
    assert fetched.files[0].path.read_bytes() == TEXT
    assert waited == [1.0, 2.0]


def test_a_length_that_is_too_short_is_found_out_by_the_lock(web: HubServer, bench: Bench):
    name_it(bench, url(web))
    web.fail("/vocab.txt", Fault(length=len(TEXT) - 1000))
    assert bench.fails(url(web)).code == "A207"
    assert bench.evidence() == [TEXT[:-1000]]
    assert bench.cache.ls() == ()


def test_a_length_that_is_too_long_does_no_harm_where_the_lock_names_the_bytes(
    web: HubServer, bench: Bench
):
    web.fail("/vocab.txt", *[Fault(length=len(TEXT) + 1000)] * 3)
    name_it(bench, url(web))
    assert bench.fetch(url(web)).files[0].path.read_bytes() == TEXT
    assert len(web.asked) == 1


def test_a_length_that_is_too_long_is_no_whole_file_without_a_lock(web: HubServer, bench: Bench):
    lies = Fault(length=len(TEXT) + 1000, no_ranges=True)
    web.fail("/vocab.txt", lies, lies, lies)
    failed = bench.fails(url(web))
    assert failed.code == "A405"
    assert f"after {len(TEXT):,} of {len(TEXT) + 1000:,} bytes" in failed.what


def test_a_file_that_never_ends_is_bounded_by_the_cache(web: HubServer, bench: Bench):
    bench.cache = ModelCache(bench.cache.folder, limit=len(TEXT) // 2)
    assert bench.fails(url(web)).code == "A504"  # announced: not a byte is written
    assert bench.parts() == [b""]
    web.fail("/vocab.txt", Fault(chunked=True, etag=""))
    assert bench.fails(url(web)).code == "A504"
    assert all(len(part) <= bench.cache.limit for part in bench.parts())
    web.fail("/vocab.txt", Fault(chunked=True, etag=""))
    bench.cache = ModelCache(bench.cache.folder, limit=len(TEXT))
    assert bench.fetch(url(web)).files[0].path.read_bytes() == TEXT


def test_what_an_earlier_fetch_left_is_not_asked_room_for(
    web: HubServer, bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    web.fail("/vocab.txt", Fault(cut_after=600_000), *[Fault(status=500)] * 2)
    bench.fails(url(web))
    usage = shutil.disk_usage(bench.lock.parent)._replace(free=len(TEXT) - 600_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    bench.fetch(url(web))


def test_a_disk_that_is_full_is_said_to_be_before_a_byte_is_written(
    web: HubServer, bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    usage = shutil.disk_usage(bench.lock.parent)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    failed = bench.fails(url(web))
    assert failed.code == "A500"
    assert bench.parts() == [b""]


def test_a_write_that_fails_is_the_machine_s_fault_and_what_came_is_kept(
    web: HubServer, bench: Bench
):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))
    try:
        failed = bench.fails(url(web))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert failed.code == "A500"
    [part] = bench.parts()
    assert part == TEXT[: len(part)]
    bench.fetch(url(web))
    assert web.asked[-1].sent == len(TEXT) - len(part)


def test_redirects_are_followed_and_bounded(web: HubServer, bench: Bench):
    for i in range(7):
        web.fail(f"/hop{i}", Fault(location=f"{web.store}/hop{i + 1}"))
    web.fail("/hop2", Fault(location="/files/vocab.txt"))
    web.faults["/hop2"].reverse()
    assert bench.fetch(f"{web.url}/hop0").files[0].path.read_bytes() == TEXT
    for i in range(7):
        web.faults[f"/hop{i}"] = [Fault(location=f"{web.store}/hop{i + 1}")]
    assert "from address to address" in bench.fails(f"{web.url}/hop0?again").what


@pytest.mark.parametrize(
    "onward", ["http://example.org/x", "ftp://127.0.0.1/x", "file:///etc/passwd", ""]
)
def test_a_redirect_to_somewhere_less_safe_is_not_followed(web: HubServer, bench: Bench, onward):
    web.fail("/vocab.txt", Fault(location=onward))
    failed = bench.fails(url(web))
    assert failed.code == "A405"
    assert "is not followed" in failed.what


def test_from_https_only_https_is_followed():
    from assay import PluginError
    from assay.families.supply.fetching.web import Address, _next

    address = Address(url="https://a.example/x", where="")
    assert _next(address, "https://a.example/x", "//b.example/y") == "https://b.example/y"
    with pytest.raises(PluginError):
        _next(address, "https://a.example/x", "http://127.0.0.1/y")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 418, 501])
def test_what_will_not_change_is_not_tried_again(web: HubServer, bench: Bench, status):
    web.fail("/vocab.txt", Fault(status=status, said=b"this is \x1b[31mwhy"))
    failed = bench.fails(url(web))
    assert (failed.code, len(web.asked)) == ("A405", 1)
    assert f"the server says {status}: this is" in failed.what
    assert failed.hint


def test_an_encoding_that_was_not_asked_for_is_refused(web: HubServer, bench: Bench):
    web.fail("/vocab.txt", Fault(headers={"Content-Encoding": "gzip"}))
    assert "packed as gzip" in bench.fails(url(web)).what


def test_retry_after_may_be_a_date(web: HubServer, bench: Bench):
    past = "Wed, 21 Oct 2015 07:28:00 GMT"
    web.fail("/vocab.txt", Fault(status=429, headers={"Retry-After": past}))
    bench.fetch(url(web))
    assert bench.waited == [0.0]


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        ("http://example.org/m.gguf", "https://"),
        ("https://user:pass@example.org/m.gguf", "leave it out"),
        ("https://example.org", "https://host/path"),
        ("https://huggingface.co/org/name", "write hf:org/name@main"),
        ("https://[::1/x", "https://host/path"),
        ("https://example.org/x#part", "leave it out"),
    ],
)
def test_a_wrong_address_is_told_apart(bench: Bench, source, hint):
    failed = bench.fails(source)
    assert failed.code == "A106"
    assert hint in failed.hint
    assert "pass@" not in str(failed)


SIGNED = {
    "S3": "X-Amz-Algorithm=AWS4&X-Amz-Credential=SECRETid&X-Amz-Expires=60&X-Amz-Signature=SECRET",
    "S3, the older form": "AWSAccessKeyId=SECRETid&Signature=SECRET&Expires=1800000000",
    "Google": "X-Goog-Algorithm=GOOG4&x-goog-signature=SECRET",
    "Azure": "sv=2024-05-04&se=2026-12-01&sr=b&sp=r&sig=SECRET%3D",
    "CloudFront": "Expires=1800000000&Policy=SECRETp&Signature=SECRET&Key-Pair-Id=SECRETk",
    "a token": "access_token=SECRET",
    "a key": "api_key=SECRET",
    "a web token under another name": "t=eyJSECRET.eyJSECRET.SECRET",
}


def on_disk(folder: Path) -> bytes:
    """Return every name and every byte below a folder."""
    found = sorted(folder.rglob("*"))
    return b"\n".join(
        [str(path).encode() + (path.read_bytes() if path.is_file() else b"") for path in found]
    )


@pytest.mark.parametrize("signed", SIGNED)
def test_what_signs_an_address_is_used_and_written_down_nowhere(
    web: HubServer, bench: Bench, tmp_path: Path, signed
):
    source = f"{url(web)}?rev=2&{SIGNED[signed]}"
    fetched = bench.fetch(source)
    assert web.asked[0].query == f"rev=2&{SIGNED[signed]}"
    assert fetched.source == fetched.resolved == f"{url(web)}?rev=2"
    assert any("written down nowhere" in note for note in fetched.notes)
    assert b"SECRET" not in on_disk(tmp_path)
    assert f'"{url(web)}?rev=2"' in bench.lock.read_text()
    # Signed anew it is the same source: nobody is asked, and nothing is added.
    again = bench.fetch(source.replace("SECRET", "OTHER"))
    assert (again.files[0].sha256, again.came, len(web.asked)) == (DIGEST, (), 1)


def test_what_signs_an_address_is_in_no_error_and_no_part(
    web: HubServer, bench: Bench, tmp_path: Path
):
    source = f"{url(web)}?{SIGNED['S3']}"
    web.fail("/vocab.txt", Fault(status=403, said=b"expired"))
    assert "SECRET" not in str(bench.fails(source))
    web.fail("/vocab.txt", Fault(cut_after=200_000), *[Fault(status=500)] * 2)
    assert "SECRET" not in str(bench.fails(source)) + "".join(bench.notes)
    assert b"SECRET" not in on_disk(tmp_path)
    assert "SECRET" not in str(bench.fails("http://example.org/m.gguf?sig=SECRET"))
    # The part goes on under a new signature.
    bench.fetch(source.replace("SECRET", "NEW"))
    assert web.asked[-1].headers["range"] == "bytes=200000-"
    assert web.asked[-1].query == SIGNED["S3"].replace("SECRET", "NEW")
    (bench.lock).write_text(bench.lock.read_text().replace(DIGEST, "0" * 64))
    assert "SECRET" not in str(bench.fails(source))
    assert b"SECRET" not in on_disk(tmp_path)


plain_names = st.sampled_from(
    ["rev", "download", "id", "file", "design", "tokens", "keyboard", "v"]
)
plain_pairs = st.tuples(plain_names, st.text("abz09-_.", max_size=8)).map("=".join)
secret_pairs = st.sampled_from(
    ["sig=S", "Signature=S", "X-Amz-Signature=S", "token=S", "api-key=S", "%73ig=S", "apikey=S"]
)


@given(st.lists(st.tuples(st.booleans(), plain_pairs, secret_pairs), max_size=6))
def test_of_an_address_that_is_kept_which_says_what_file_it_is(some):
    pairs = [(is_secret, secret if is_secret else plain) for is_secret, plain, secret in some]
    query = "&".join(pair for _, pair in pairs)
    source = "https://host/a%20b/m.gguf" + (f"?{query}" if pairs else "")
    kept = [pair for is_secret, pair in pairs if not is_secret]
    wanted = "https://host/a%20b/m.gguf" + (f"?{'&'.join(kept)}" if kept else "")
    assert as_written(source) == wanted
    assert as_written(as_written(source)) == wanted
    for other in ("hf:org/name@main", "file:a?sig=S", "pypi:a==1#b?token=c"):
        assert as_written(other) == other
