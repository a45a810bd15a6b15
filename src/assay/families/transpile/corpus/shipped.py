"""The corpus that comes with assay: small programs of all ten levels, each with cases and a right answer."""

from __future__ import annotations

from dataclasses import replace
from importlib import resources

from .program import Corpus
from .reading import read_corpus

NAME = "py2rs"
"""Its folder beside the package's modules."""


def shipped_corpus() -> Corpus:
    """Return the programs that come with assay, in order of their ids.

    Ids begin with the level: ``l05_sieve``.  Every program has test cases, which say what Python
    computes, and a Rust answer that passes them.  Origins are the same on every machine.

    Source: the ten levels of Py2Rs; the programs are ours, under the licence of assay.

    >>> [program.id for program in shipped_corpus().programs if program.id.startswith("l01")][:2]
    ['l01_cases', 'l01_hello']

    Not to be trusted when a model may have seen them: they are public, as is everything on such a page.
    """
    folder = resources.files("assay.families.transpile") / "data" / NAME
    with resources.as_file(folder) as path:
        read = read_corpus(path)
    programs = [replace(each, origin=f"{NAME}/{each.id}.py") for each in read.programs]
    return Corpus(form=read.form, programs=programs)
