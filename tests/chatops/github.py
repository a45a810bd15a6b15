"""A small GitHub on this machine: its REST answers in the documented shapes, over a real git repository.

It asks for the token, knows who may do what, keeps everything that was sent, marks pull requests whose commit the
default branch contains as merged, and fails as it is told to.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import time
import zipfile
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from faulty_endpoint import serving

PAYLOADS = Path(__file__).parent / "payloads"
TOKEN = "ghs_a-token-that-nobody-may-see"
ROBOT = {"login": "github-actions[bot]", "id": 41898282, "type": "Bot"}
ENV = {
    **os.environ,
    **{
        f"GIT_{who}_{what}": f"a@{who}"
        for who in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    },
    "GIT_AUTHOR_DATE": "2026-11-29T08:00:00Z",
    "GIT_COMMITTER_DATE": "2026-11-29T08:00:00Z",
    "GIT_CONFIG_GLOBAL": "/dev/null",
}


def payload(name, **changes):
    """Return a recorded payload with values at dotted places replaced."""
    made = json.loads((PAYLOADS / f"{name}.json").read_text())
    for place, value in changes.items():
        *outer, last = place.split("__")
        at = made
        for key in outer:
            at = at[key]
        at[last] = value
    return made


class Repository:
    """A bare repository, written to without a checkout."""

    def __init__(self, folder: Path, copy_of: Path | None = None) -> None:
        self.folder = folder
        if copy_of is not None:
            shutil.copytree(copy_of, folder)
            return
        words = ["git", "init", "-q", "--bare", "--template=", "-b", "main", folder]
        subprocess.run(words, check=True, env=ENV)

    def git(self, *words, data=None, env=None):
        done = subprocess.run(
            ["git", "-C", self.folder, *words],
            input=data,
            capture_output=True,
            env=ENV | (env or {}),
            check=False,
        )
        if done.returncode:
            raise GoneError(404, done.stderr.decode())
        return done.stdout

    def blob(self, data):
        return self.git("hash-object", "-w", "--stdin", data=data).decode().strip()

    def tree(self, base, rows):
        """Make a tree of another with (mode, sha or None, path) laid over it."""
        env = {"GIT_INDEX_FILE": str(self.folder / f"index-{time.monotonic_ns()}")}
        if base:
            self.git("read-tree", base, env=env)
        lines = [f"{mode if sha else 0} {sha or '0' * 40}\t{path}" for mode, sha, path in rows]
        self.git("update-index", "--index-info", data="\n".join(lines).encode(), env=env)
        return self.git("write-tree", env=env).decode().strip()

    def commit(self, tree, parents, message="m"):
        words = [word for parent in parents for word in ("-p", parent)]
        return self.git("commit-tree", tree, *words, data=message.encode()).decode().strip()

    def add(self, parent, files, *, mode="100644", branch=None):
        """Commit files (None removes) on a parent, and move a branch there."""
        rows = [
            (mode, None if data is None else self.blob(data), path) for path, data in files.items()
        ]
        made = self.commit(self.tree(parent, rows), [parent] if parent else [])
        if branch:
            self.git("update-ref", f"refs/heads/{branch}", made)
        return made

    def tip(self, ref="refs/heads/main"):
        return self.git("rev-parse", ref).decode().strip()

    def contains(self, tip, commit):
        words = ["git", "-C", self.folder, "merge-base", "--is-ancestor", commit, tip]
        return subprocess.run(words, env=ENV, check=False, capture_output=True).returncode == 0

    def show(self, path, at="refs/heads/main"):
        return self.git("cat-file", "blob", f"{at}:{path}")

    def files(self, at="refs/heads/main"):
        return self.git("ls-tree", "-r", "--name-only", at).decode().split()


class GoneError(Exception):
    """An answer that is none."""

    def __init__(self, status, message, **headers):
        super().__init__(message)
        self.status, self.message, self.headers = status, message, headers


class GitHub(ThreadingHTTPServer):
    """The server and everything it knows."""

    daemon_threads = True

    def __init__(self, repo: Repository) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.repo = repo
        self.permissions = {}
        self.comments = []
        self.pulls = {}
        self.runs = {}
        self.artifacts = {}
        self.asked = []
        """Every request: method, path, and whether it carried the token."""
        self.faults = []
        """(method, pattern of paths, what happens) tried in turn; each happens once."""
        self.writes = True
        """Whether the token may write."""

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def fail(self, pattern, what, method="GET"):
        self.faults.append((method, re.compile(pattern), what))

    def say(self, body, user, *, pull=12, number=None, at=None, edited=False):
        """Comment; return the comment as the API shows it."""
        when = at or time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        made = {
            **payload("issue_comment.created")["comment"],
            "id": number or 9000 + len(self.comments),
            "issue_url": f"{self.url}/repos/org/board/issues/{pull}",
            "user": user,
            "body": body,
            "created_at": when,
            "updated_at": "2030-01-01T00:00:00Z" if edited else when,
        }
        self.comments.append(made)
        return made

    def send_pull(self, head, *, number=12, at="2026-11-29T09:00:00Z", **changes):
        made = payload("pull_request.opened", **changes)["pull_request"]
        made["number"], made["created_at"] = number, at
        made["head"]["sha"], made["base"]["sha"] = head, self.repo.tip()
        self.pulls[number] = made
        return made

    def keep(self, run, data, *, name="sealed-run", member="run.tar.xz", **changes):
        """Keep an artifact of a workflow run."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as zipped:
            zipped.writestr(member, data)
        return self.keep_zip(run, buffer.getvalue(), name=name, **changes)

    def keep_zip(self, run, data, *, name="sealed-run", **changes):
        number = 600 + len(self.artifacts)
        facts = {
            "id": number,
            "node_id": "A",
            "name": name,
            "size_in_bytes": len(data),
            "url": f"{self.url}/repos/org/board/actions/artifacts/{number}",
            "archive_download_url": f"{self.url}/repos/org/board/actions/artifacts/{number}/zip",
            "expired": False,
            "created_at": "2026-11-29T10:00:00Z",
            "expires_at": "2026-12-29T10:00:00Z",
            "digest": "sha256:" + hashlib.sha256(data).hexdigest(),
            "workflow_run": {"id": run, "head_branch": "main", "head_sha": self.repo.tip()},
        } | changes
        self.artifacts[number] = facts, data
        return number

    def ran(self, number, **changes):
        """Note a workflow run."""
        self.runs[number] = {
            **payload("workflow_run.completed")["workflow_run"],
            "id": number,
            "name": "board-test",
            "path": ".github/workflows/board-test.yml",
            "event": "issue_comment",
            "conclusion": "success",
            "head_branch": "main",
            "head_sha": self.repo.tip(),
        } | changes

    def said(self, pull=12):
        """What the robot said on a pull request."""
        return [
            c["body"]
            for c in self.comments
            if c["user"] == ROBOT and c["issue_url"].endswith(f"/{pull}")
        ]

    # What it answers.

    def answer(self, method, path, query, body):
        for pattern, what in ROUTES:
            if what[0] == method and (found := re.fullmatch(pattern, path)):
                return what[1](self, *found.groups(), query=query, body=body)
        raise GoneError(404, "Not Found")

    def _pull(self, number):
        pull = copy.deepcopy(self.pulls.get(int(number)))
        if pull is None:
            raise GoneError(404, "Not Found")
        if self.repo.contains(self.repo.tip(), pull["head"]["sha"]):
            pull |= {"state": "closed", "merged": True}
        pull.setdefault("changed_files", len(self._files(number)))
        return pull

    def _files(self, number):
        head = self.pulls[int(number)]["head"]["sha"]
        base = self.repo.git("merge-base", self.repo.tip(), head).decode().strip()
        status = self.repo.git("diff-tree", "-r", "-M", "-z", base, head).decode().split("\0")[:-1]
        found = []
        names = {"A": "added", "M": "modified", "D": "removed", "R": "renamed", "T": "changed"}
        while status:
            facts, first = status.pop(0).split(), status.pop(0)
            row = {"status": names[facts[4][0]], "filename": first, "sha": facts[3], "additions": 1}
            if row["status"] == "renamed":
                row |= {"previous_filename": first, "filename": status.pop(0)}
            found.append(row)
        return found

    def _trees(self, sha, **_):
        rows = self.repo.git("ls-tree", "-l", "-z", sha).decode().split("\0")[:-1]
        entries = []
        for row in rows:
            facts, _tab, path = row.partition("\t")
            mode, kind, name, size = facts.split()
            entries.append({"path": path, "mode": mode, "type": kind, "sha": name})
            if size != "-":
                entries[-1]["size"] = int(size)
        return {"sha": sha, "url": "", "tree": entries, "truncated": False}

    def _blob(self, sha, **_):
        data = self.repo.git("cat-file", "blob", sha)
        text = base64.encodebytes(data).decode()
        return {"sha": sha, "size": len(data), "content": text, "encoding": "base64", "url": ""}

    def _move(self, branch, body, **_):
        ref = f"refs/heads/{branch}"
        old = self.repo.tip(ref)
        if not self.repo.contains(body["sha"], old):
            raise GoneError(422, "Update is not a fast forward")
        self.repo.git("update-ref", ref, body["sha"], old)
        return {"ref": ref, "object": {"sha": body["sha"], "type": "commit"}}

    def _made_tree(self, body, **_):
        rows = [(row["mode"], row["sha"], row["path"]) for row in body["tree"]]
        return {"sha": self.repo.tree(body["base_tree"], rows), "tree": [], "truncated": False}

    def _made_commit(self, body, **_):
        made = self.made = self.repo.commit(body["tree"], body["parents"], body["message"])
        return {"sha": made, "message": body["message"], "verification": {"verified": False}}

    def _compare(self, one, other, **_):
        base = self.repo.git("merge-base", one, other).decode().strip()
        return {"status": "ahead", "merge_base_commit": {"sha": base}, "files": []}

    def _comment(self, number, **_):
        for comment in self.comments:
            if comment["id"] == int(number):
                return comment
        raise GoneError(404, "Not Found")

    def _comments(self, number=None, *, query, **_):
        found = [
            c
            for c in self.comments
            if (number is None or c["issue_url"].endswith(f"/{number}"))
            and c["updated_at"] >= query.get("since", "")
        ]
        return _page(found, query)

    def _permission(self, login, **_):
        if login not in self.permissions:
            return {"permission": "read", "role_name": "read", "user": self._user(login)}
        word = self.permissions[login]
        return {"permission": word, "role_name": word, "user": self._user(login)}

    def _user(self, login):
        return next(
            (c["user"] for c in self.comments if c["user"]["login"] == login),
            {"login": login, "id": 1, "type": "User"},
        )

    def _pulls(self, *, query, **_):
        found = [self._pull(n) for n in sorted(self.pulls, reverse=True)]
        if query.get("state") == "open":
            found = [p for p in found if p["state"] == "open"]
        if "head" in query:
            found = [p for p in found if p["head"]["label"] == query["head"]]
        return _page(found, query)

    def _run(self, number, **_):
        if int(number) not in self.runs:
            raise GoneError(404, "Not Found")
        return self.runs[int(number)]

    def _artifacts(self, run, *, query, **_):
        found = [
            facts
            for facts, _ in self.artifacts.values()
            if facts["workflow_run"]["id"] == int(run)
            and facts["name"] == query.get("name", facts["name"])
        ]
        return {"total_count": len(found), "artifacts": found}


def _page(found, query):
    size, page = int(query.get("per_page", 30)), int(query.get("page", 1))
    return found[size * (page - 1) : size * page]


def _say(github, number, body, **_):
    return github.say(body["body"], ROBOT, pull=int(number))


SHA = "([0-9a-f]{40})"
ROUTES = [
    (r"/issues/comments/(\d+)", ("GET", GitHub._comment)),
    (r"/issues/comments", ("GET", GitHub._comments)),
    (r"/issues/(\d+)/comments", ("GET", GitHub._comments)),
    (r"/issues/(\d+)/comments", ("POST", _say)),
    (r"/collaborators/([^/]+)/permission", ("GET", GitHub._permission)),
    (r"/pulls", ("GET", GitHub._pulls)),
    (r"/pulls/(\d+)", ("GET", lambda g, n, **_: g._pull(n))),
    (r"/pulls/(\d+)/files", ("GET", lambda g, n, query, **_: _page(g._files(n), query))),
    (rf"/git/trees/{SHA}", ("GET", GitHub._trees)),
    (rf"/git/blobs/{SHA}", ("GET", GitHub._blob)),
    (
        r"/git/ref/heads/(\w+)",
        ("GET", lambda g, b, **_: {"ref": b, "object": {"sha": g.repo.tip(f"refs/heads/{b}")}}),
    ),
    (
        rf"/git/commits/{SHA}",
        (
            "GET",
            lambda g, c, **_: {
                "sha": c,
                "tree": {"sha": g.repo.tip(f"{c}^{{tree}}")},
                "parents": [],
            },
        ),
    ),
    (
        r"/git/blobs",
        ("POST", lambda g, body, **_: {"sha": g.repo.blob(base64.b64decode(body["content"]))}),
    ),
    (r"/git/trees", ("POST", GitHub._made_tree)),
    (r"/git/commits", ("POST", GitHub._made_commit)),
    (r"/git/refs/heads/(\w+)", ("PATCH", GitHub._move)),
    (rf"/compare/{SHA}\.\.\.{SHA}", ("GET", GitHub._compare)),
    (r"/actions/runs/(\d+)", ("GET", GitHub._run)),
    (r"/actions/runs/(\d+)/artifacts", ("GET", GitHub._artifacts)),
]


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    server: GitHub

    def log_message(self, *words):
        """Say nothing."""

    def do_GET(self):
        self._do("GET")

    def do_POST(self):
        self._do("POST")

    def do_PATCH(self):
        self._do("PATCH")

    def _do(self, method):
        parts = urlsplit(self.path)
        query = {k: v[0] for k, v in parse_qs(parts.query).items()}
        size = int(self.headers.get("content-length") or 0)
        body = json.loads(self.rfile.read(size)) if size else {}
        has_token = self.headers.get("authorization") == f"Bearer {TOKEN}"
        path = unquote(parts.path)
        self.server.asked.append((method, path, has_token))
        try:
            if not self._faulty(method, path):
                self._routed(method, path, query, body, has_token=has_token)
        except GoneError as gone:
            said = {"message": gone.message, "documentation_url": "https://docs.github.com/rest"}
            self._send(gone.status, json.dumps(said).encode(), **gone.headers)

    def _routed(self, method, path, query, body, *, has_token):
        github = self.server
        if path.startswith("/stored/"):  # another host, in truth: the address is the key
            if has_token or query.get("sig") != "a-signature":
                raise GoneError(400, "AuthenticationFailed")
            return self._send(200, github.artifacts[int(path.rpartition("/")[2])][1])
        if not has_token:
            raise GoneError(401, "Bad credentials")
        if method != "GET" and not github.writes:
            raise GoneError(403, "Resource not accessible by integration")
        inside = path.removeprefix("/repos/org/board")
        if found := re.fullmatch(r"/actions/artifacts/(\d+)/zip", inside):
            where = f"{github.url}/stored/{found[1]}?sig=a-signature"
            return self._send(302, b"", location=where)
        made = github.answer(method, inside, query, body)
        return self._send(201 if method == "POST" else 200, json.dumps(made).encode())

    def _faulty(self, method, path):
        for fault in self.server.faults:
            wanted, pattern, what = fault
            if wanted == method and pattern.search(path):
                self.server.faults.remove(fault)
                if isinstance(what, GoneError):
                    raise what
                what(self)
                return True
        return False

    def _send(self, status, data, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@contextmanager
def github_of(repo: Repository):
    """Serve a GitHub with a repository until the block ends."""
    with serving(GitHub(repo)) as server:
        yield server
