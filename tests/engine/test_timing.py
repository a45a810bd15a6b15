"""A second pass is compared with the journal: what was said has one digest in both."""

from __future__ import annotations

from hypothesis import given

from assay.engine.timing import decided
from assay.store.decisions import digest_of_line
from assay.store.journal import decode, encode
from assay.store.line import to_line
from strategies import records


@given(records())
def test_what_is_said_has_the_digest_of_its_line(record):
    assert decided(record.said) == digest_of_line(decode(encode(to_line(record))))
