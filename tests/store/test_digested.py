"""A sample as digests: what a run keeps where the licence forbids copies."""

from __future__ import annotations

from hypothesis import given

from assay import Answer, Sample
from assay.store.samples import digested
from strategies import samples


@given(sample=samples())
def test_digests_keep_what_the_analysis_needs(sample: Sample) -> None:
    kept = digested(sample)
    assert (kept.id, kept.cluster, kept.tags) == (sample.id, sample.cluster, sample.tags)
    assert type(kept.target) is type(sample.target)
    assert not isinstance(sample.target, Answer) or kept.target != sample.target
    assert digested(sample) == kept
    other = Sample(id=sample.id, input=[sample.input], group=sample.group)
    assert digested(other).input != kept.input
