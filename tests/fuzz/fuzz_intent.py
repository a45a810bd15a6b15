"""Feed the family intent its own documents: domains, cases, policies, contexts, steps, and requests.  See driver.py."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import driver
import yaml

with driver.instrumented(__name__, "assay.families.intent.grammar", "assay.families.intent.rails", "assay.families.intent.strict",
                         "assay.families.intent.serving"):  # fmt: skip
    from assay.families.intent.grammar.cases import load_cases
    from assay.families.intent.grammar.domain import load_domain
    from assay.families.intent.grammar.reading import as_json, read_steps
    from assay.families.intent.rails import canonical, judging
    from assay.families.intent.rails import context as contexts
    from assay.families.intent.rails import policy as policies
    from assay.families.intent.rails import reading as steps
    from assay.families.intent.serving.body import key_twice

HOME = driver.new_folder()
SHIPPED = Path(__file__).parents[2] / "src/assay/families/intent/domains"
FEW = 2
"""Names of a kind, and cases, of a domain: what is read of a hundred is read of two."""


def seeds() -> list[bytes]:
    """Return each shipped domain with few names and cases, and a case of rails."""
    made = [
        driver.bundle({"says": text})
        for text in ("swap 2 ETH for USDC then deposit half of it on Aave", "set the lamp to 40 %")
    ]
    for name in ("home", "defi"):
        domain = values_of(SHIPPED / name / "domain.yaml")
        files: dict[str, Any] = {"domain.yaml": domain}
        for kind in domain["kinds"].values():
            if isinstance(kind.get("names"), str):
                listed = values_of(SHIPPED / name / kind["names"])
                files[kind["names"]] = {"names": dict(list(listed["names"].items())[:FEW])}
            elif "names" in kind:
                kind["names"] = dict(list(kind["names"].items())[:FEW])
        cases = values_of(SHIPPED / name / "cases.yaml")["cases"]
        files["cases.yaml"] = {"cases": cases[:FEW]}
        made.append(driver.bundle({**files, "says": cases[0]["says"]}))
    for case in canonical.canonical()[:3]:
        steps_of = list(case.steps)
        made.append(
            driver.bundle(
                {"context.json": case.context, "policy.json": case.policy, "steps": steps_of}
            )
        )
    return made


def values_of(path: Path) -> Any:
    """Return a file's values, in which "on" is a word as it is to the family."""
    text = path.read_text("utf-8")
    return _words_kept(yaml.safe_load(text), yaml.load(text, Loader=yaml.BaseLoader))


def _words_kept(value: Any, said: Any) -> Any:
    if isinstance(value, dict):
        pairs = zip(value.items(), said.items(), strict=True)
        return {word: _words_kept(below, spelt) for (_, below), (word, spelt) in pairs}
    if isinstance(value, list):
        return [_words_kept(*each) for each in zip(value, said, strict=True)]
    return said if isinstance(value, bool) and said not in ("true", "false") else value


def read(data: bytes) -> None:
    """Read a domain and what is said in its words; judge steps by a policy."""
    place = HOME / "domain"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    try:
        given = json.loads(data)
    except (ValueError, RecursionError):
        given = {
            "says": data.decode("utf-8", "surrogateescape"),
            "domain.yaml": data.decode("utf-8", "surrogateescape"),
        }
    if not isinstance(given, dict):
        return
    key_twice(data)
    names = {path.name: path for path in driver.unbundled(json.dumps(given).encode(), place)}
    domain = None
    if "domain.yaml" in names:
        domain = load_domain(place)
        load_cases(domain)
    if isinstance(said := given.get("says"), str):
        domain = domain or load_domain("defi")
        found = read_steps(said, domain)
        if isinstance(found, tuple):
            json.dumps(as_json(found, domain))
    if "context.json" in names and "policy.json" in names:
        context = contexts.read_context(names["context.json"].read_bytes())
        policy = policies.read_policy(names["policy.json"].read_bytes())
        asked = steps.read_steps(given.get("steps"))
        json.dumps(judging.to_json(judging.judge_steps(asked, context, policy)))


HARNESS = driver.Harness(read=read, seeds=seeds, quick=30)

if __name__ == "__main__":
    driver.main(HARNESS)
