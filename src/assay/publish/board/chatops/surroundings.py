"""What a job of a workflow is told by its runner, in environment variables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ....core.errors import PlanError
from .api import Api, require_base

API = "https://api.github.com"
SERVER = "https://github.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """A job's surroundings.  The token is in no representation."""

    base: str = API
    token: str | None = field(default=None, repr=False)
    run: int | None = None
    """Which workflow run this is."""

    commit: str | None = None
    """The commit of the default branch whose code this is."""

    server: str = SERVER
    rechecked: str = ""
    """How the job ended that verified every answer again: GitHub's word for it."""

    outputs: Path | None = None
    summary: Path | None = None

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Surroundings:
        """Read an environment; raise ``PlanError`` A106 for an address or a number that is none.

        >>> Surroundings.read({"GITHUB_TOKEN": "secret", "GITHUB_RUN_ID": "7"})
        Surroundings(base='https://api.github.com', run=7, commit=None, server='https://github.com', rechecked='', outputs=None, summary=None)
        """
        run = environment.get("GITHUB_RUN_ID", "")
        if run and not (run.isascii() and run.isdecimal() and int(run)):
            raise PlanError(
                f"{run!r} is no number of a workflow run",
                where="GITHUB_RUN_ID",
                hint="leave it to the runner",
                code="A106",
            )
        outputs, summary = (
            environment.get(f"GITHUB_{name}") for name in ("OUTPUT", "STEP_SUMMARY")
        )
        return cls(
            base=require_base(environment.get("GITHUB_API_URL") or API),
            token=environment.get("GITHUB_TOKEN") or None,
            run=int(run) if run else None,
            commit=environment.get("GITHUB_SHA") or None,
            server=require_base(environment.get("GITHUB_SERVER_URL") or SERVER),
            rechecked=environment.get("ASSAY_RECHECK", ""),
            outputs=Path(outputs) if outputs else None,
            summary=Path(summary) if summary else None,
        )

    def api(self, repository: str) -> Api:
        """Return the API of a repository; raise ``PlanError`` A106 without a token."""
        if self.token is None:
            raise PlanError(
                "this stage speaks to the API, and there is no token",
                where="GITHUB_TOKEN",
                hint="give the step `env: {GITHUB_TOKEN: ${{ github.token }}}`",
                code="A106",
            )
        return Api(base=self.base, repository=repository, token=self.token)

    def workflow_run(self) -> int:
        """Return which workflow run this is; raise ``PlanError`` A106 outside of one."""
        if self.run is None:
            raise PlanError(
                "this stage names its workflow run, and there is none",
                where="GITHUB_RUN_ID",
                hint="run it in a workflow, or set the variable",
                code="A106",
            )
        return self.run

    def tell(self, name: str, value: str) -> None:
        """Hand a value to the jobs that follow.  Both are words of ours, on one line."""
        if self.outputs is not None:
            with self.outputs.open("a", encoding="utf-8") as file:
                file.write(f"{name}={value}\n")

    def show(self, text: str) -> None:
        """Add Markdown to the page of the workflow run."""
        if self.summary is not None:
            with self.summary.open("a", encoding="utf-8") as file:
                file.write(text + "\n")
