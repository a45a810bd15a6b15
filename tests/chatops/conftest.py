"""A board on a small GitHub, one pull request with a submission, and a toy benchmark run once."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assay.publish.board.chatops.admitting import Source
from assay.publish.board.chatops.bench import Bench
from assay.publish.board.chatops.making import Desk, Made
from assay.publish.board.chatops.stages import STAGES
from assay.publish.board.chatops.surroundings import Surroundings
from assay.publish.board.submission import read_submission

from .github import ENV, ROBOT, TOKEN, Repository, github_of, payload

SENT = b"""\
model:
  name: toy-model
  family: toy
  hf_repo: org/toy-model
  hf_revision: 0123456789012345678901234567890123456789
  parameters: 10M
  architecture: llama
  license: Apache-2.0
  quantizations:
    - {name: Q8_0, format: gguf, file: toy.gguf}
  submitted_by: sender
"""
PATH = "models/submissions/toy-model.yaml"
PLAN = """\
name: {name}
says: A toy benchmark for the tests of commands on pull requests
seeds: [0]
tasks:
  - {{use: toy.errands, limit: 40}}
systems:
  - {{name: q8_0, use: toy.votes}}
timing: {{processes: 1, blocks: 1, questions: 1}}
"""
KEEPER = {**payload("issue_comment.created")["comment"]["user"]}
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
RUN = 8801


def toy_plan(name: str) -> bytes:
    return PLAN.format(name=name).encode()


def toy_made(file: Path, suite: str) -> Made:
    """Make a plan that needs no model: what is asked is no matter here, what may be done is."""
    submission, _ = read_submission(file)
    assert submission is not None
    return Made(
        submission=submission,
        plan=toy_plan(f"{submission.id}-toy"),
        systems=("q8_0",),
        source=Source(digests=frozenset(), sizes=frozenset()),
        bring=lambda plan: None,
    )


@dataclass
class World:
    """What a test sees."""

    github: object
    tmp: Path
    head: str
    stages: list = field(default_factory=list)
    desk: Desk = field(default_factory=lambda: Desk(make=toy_made, clock=lambda: NOW))

    @property
    def main(self):
        return self.github.repo.tip()

    def event(self, body="/test-benchmark", *, user=None, number=None, **changes):
        """Comment on the pull request, and return the file with the event that this sends."""
        user = user or KEEPER
        number = number or 3000 + len(self.github.comments)
        comment = self.github.say(body, user, number=number, at="2026-11-29T11:59:00Z")
        event = payload("issue_comment.created", **changes)
        event |= {"comment": comment | changes.pop("comment", {}), "sender": user}
        return self.write(event)

    def write(self, event):
        path = self.tmp / f"event-{len(list(self.tmp.glob('event-*')))}.json"
        path.write_text(json.dumps(event))
        return path

    def clone(self):
        """Return a fresh checkout of main, as a runner makes one."""
        to = self.tmp / f"checkout-{len(list(self.tmp.glob('checkout-*')))}"
        subprocess.run(
            ["git", "clone", "-q", str(self.github.repo.folder), str(to)], check=True, env=ENV
        )
        return to

    def folder(self):
        """Return a board that no stage but push may be given: it is no checkout."""
        (self.tmp / "board" / "models").mkdir(parents=True, exist_ok=True)
        return self.tmp / "board"

    def bench(self, event, *, board=None, artifact=None, out=None, **around):
        return Bench(
            payload=event,
            board=board or self.folder(),
            out=out or self.tmp / f"out-{len(list(self.tmp.glob('out-*')))}-{len(self.stages)}",
            artifact=artifact,
            around=Surroundings(
                **{
                    "base": self.github.url,
                    "token": TOKEN,
                    "run": RUN,
                    "rechecked": "success",
                    "outputs": self.tmp / "outputs",
                    "summary": self.tmp / "summary",
                    **around,
                }
            ),
            desk=self.desk,
        )

    def do(self, stage, event, **more):
        """Do a stage; what it leaves is in ``.out``."""
        if stage == "push":
            more.setdefault("board", self.clone())
        bench = self.bench(event, **more)
        self.stages.append(bench)
        return STAGES[stage](bench)

    @property
    def out(self):
        return self.stages[-1].out

    def tested(self, sealed: Path):
        """Order a benchmark, and report what a workflow run kept; returns what the report came to."""
        event = self.event()
        gate = self.do("gate", event)
        assert gate.go, gate
        self.kept(sealed)
        return self.do("report", event)

    def kept(self, sealed: Path):
        """Let a workflow run have kept an archive."""
        self.github.keep(RUN, sealed.read_bytes())
        self.github.ran(RUN)


@pytest.fixture(scope="session")
def template(tmp_path_factory) -> Repository:
    """A board's repository, and a branch with a submission."""
    repo = Repository(tmp_path_factory.mktemp("template") / "github.git")
    start = repo.add(
        None, {"models/submissions/.gitkeep": b"", "README.md": b"A board\n"}, branch="main"
    )
    repo.add(start, {PATH: SENT}, branch="sent")
    return repo


@pytest.fixture
def world(tmp_path, template):
    with github_of(Repository(tmp_path / "github.git", template.folder)) as github:
        head = github.repo.tip("refs/heads/sent")
        github.send_pull(head)
        github.permissions["keeper"] = "write"
        made = World(github=github, tmp=tmp_path, head=head)
        yield made
        secrets = [
            p
            for p in tmp_path.rglob("*")
            if p.is_file() and "github.git" not in str(p) and TOKEN.encode() in p.read_bytes()
        ]
        assert not secrets, "a token was written to a file"
        assert TOKEN not in str(github.comments)


@pytest.fixture(scope="session")
def sealed(tmp_path_factory, template) -> Path:
    """The archive that the stage evaluate makes of the submission, without a token or a server."""
    folder = tmp_path_factory.mktemp("evaluate")
    with github_of(template) as github:
        github.send_pull(github.repo.tip("refs/heads/sent"))
        github.permissions["keeper"] = "admin"
        world = World(github=github, tmp=folder, head="")
        event = world.event()
        assert world.do("gate", event).go
        order = world.out
        done = world.do("evaluate", event, artifact=order, token=None)
    assert done.go
    again = world.bench(event, token=None)
    for name in ("order.json", "submission.yaml"):
        (world.out / name).write_bytes((order / name).read_bytes())
    assert STAGES["recheck"](replace(again, artifact=world.out, out=folder / "again")).go
    return world.out / "run.tar.xz"


@pytest.fixture(scope="session")
def report(sealed, template, tmp_path_factory) -> str:
    """What the stage report says of it; the commits are the same for every test."""
    folder = tmp_path_factory.mktemp("report")
    with github_of(Repository(folder / "github.git", template.folder)) as github:
        github.send_pull(github.repo.tip("refs/heads/sent"))
        github.permissions["keeper"] = "write"
        world = World(github=github, tmp=folder, head="")
        assert world.tested(sealed).go
        return github.said()[-1]


@pytest.fixture
def tested(world, sealed, report):
    """A world in which the submission was tested, and the report stands."""
    world.kept(sealed)
    world.github.say(report, ROBOT)
    return world
