"""What turns data into a program is not called; where it must be, it is in a sandbox and named here."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache

import pytest

from runs import ROOT

SOURCE = ROOT / "src" / "assay"
MODULES = sorted(p for p in SOURCE.rglob("*.py") if "data" not in p.relative_to(SOURCE).parts)
DATA = '<script type="application/json" class="samples">'
"""No script: samples, for the script of the page to read."""

PAGES = sorted(p for folder in ("src", "site") for p in (ROOT / folder).rglob("*.html"))

IN_THE_SANDBOX = {
    ("engine/sandbox/zygote.py", "exec"),
    ("engine/sandbox/zygote.py", "compile"),
    ("families/transpile/differential/driver.py", "exec"),
    ("families/transpile/differential/driver.py", "compile"),
    ("families/supply/admitting/to_safetensors.py", "pickle"),  # the name of its error
    ("families/supply/admitting/to_safetensors.py", "torch.load"),  # weights_only
}
"""Programs that are here to be run, and pickles to be unpacked: inside the sandbox and nowhere else."""

NAMES_A_SHELL = {("cli/completion.py", "shell=")}
"""For which shell words are completed; nothing is started."""

SAFE_LOADER = {("families/intent/tasks/templates.py", "yaml.load")}
"""``yaml.load`` with a safe loader, the one in C where there is one."""

BUILTINS = {"eval", "exec", "compile", "__import__", "breakpoint"}
CALLS = {
    *("os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"),
    *("asyncio.create_subprocess_shell", "tempfile.mktemp", "runpy.run_path", "code.interact"),
    *("pickle.load", "pickle.loads", "pickle.Unpickler", "marshal.load", "marshal.loads"),
    *("joblib.load", "torch.load", "dill.load", "dill.loads", "shelve.open"),
    *("yaml.load", "yaml.load_all", "yaml.full_load", "yaml.unsafe_load"),
}
METHODS = {"extractall", "create_subprocess_shell"}
FLAGS = {"shell", "trust_remote_code", "allow_pickle"}
UNPICKLERS = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}


@cache
def trees() -> dict[str, ast.Module]:
    """Return every module, parsed once."""
    return {str(p.relative_to(SOURCE)): ast.parse(p.read_text("utf-8")) for p in MODULES}


def spelled(node: ast.expr) -> str:
    """Return ``a.b.c`` as it is written; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (left := spelled(node.value)):
        return f"{left}.{node.attr}"
    return ""


def dangers(tree: ast.AST) -> Iterator[str]:
    """Yield what a module does that could run what it reads."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names if a.name.partition(".")[0] in UNPICKLERS)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            if (node.module or "").partition(".")[0] in UNPICKLERS:
                yield str(node.module)
        elif isinstance(node, ast.Call):
            name = spelled(node.func)
            if name in BUILTINS | CALLS:
                yield name
            if isinstance(node.func, ast.Attribute) and node.func.attr in METHODS:
                yield node.func.attr
            for word in node.keywords:
                says_no = isinstance(word.value, ast.Constant) and word.value.value is False
                if word.arg in FLAGS and not says_no:
                    yield f"{word.arg}="


def test_nothing_that_is_read_becomes_a_program():
    found = {(name, danger) for name, tree in trees().items() for danger in dangers(tree)}
    assert found == IN_THE_SANDBOX | SAFE_LOADER | NAMES_A_SHELL


@pytest.mark.parametrize(
    "program",
    [
        "eval(x)",
        "import pickle",
        "from joblib import load",
        "subprocess.run(x, shell=True)",
        "subprocess.run(x, shell=how)",
        "yaml.load(x)",
        "os.system(x)",
        "tar.extractall(x)",
        "np.load(x, allow_pickle=True)",
        "AutoModel.from_pretrained(x, trust_remote_code=True)",
    ],
)
def test_what_must_not_be_called_is_seen(program):
    assert list(dangers(ast.parse(program)))


@pytest.mark.parametrize(
    "program", ["model.eval()", "re.compile(x)", "np.load(x, allow_pickle=False)"]
)
def test_what_is_only_called_alike_is_let_pass(program):
    assert not list(dangers(ast.parse(program)))


@pytest.mark.parametrize("path", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_page_has_a_policy_that_lets_no_stranger_in(path):
    text = path.read_text("utf-8")
    if "<html" not in text:  # a part of a page, whose policy is that of the page
        assert set(re.findall("<script[^>]*>", text)) <= {DATA}
        return
    head = text.partition("<body")[0]
    assert 'http-equiv="Content-Security-Policy"' in head
    assert "default-src 'none'" in head
    assert "unsafe" not in head


def test_there_are_no_pages_outside_of_templates():
    written = [
        name
        for name, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and "<html" in str(node.value).lower()
    ]
    assert set(written) == {"families/supply/formats/looks.py"}  # which tells a page from a model
