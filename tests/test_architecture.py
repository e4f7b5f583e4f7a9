"""The import picture of README.md, and the promises about imports and speed that hang on it."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "ftrag"
HEAVY = {"torch", "transformers", "peft", "sentence_transformers", "sklearn", "gradio", "trl", "accelerate", "datasets"}
NOUNS = {"types", "errors", "text"}
CORE = NOUNS | {"prompts", "project", "documents", "chunking", "models"}
# Layers, top first: a module may import from its own layer's column only where a row says so.
MAY_IMPORT = {
    "decision": {"decision", "types", "errors"},
    "evaluation": {"evaluation", "decision", "prompts", "project", "llm", "training", "retrieval", "documents"} | NOUNS,
    "training": {"training", "prompts", "project", "models", "chunking", "documents", "encodings"} | NOUNS,
    "retrieval": {"retrieval", "documents", "sandbox", "chunking", "counting", "project", "models"}
    | {"download", "prompts"}
    | NOUNS,
    "llm": {"models", "prompts", "training", "types", "errors"},
    "models": {"download", "errors"},
    "download": {"errors", "pace"},
    "prompts": {"text", "types"},
    "documents": {"parsers", "sandbox", "layout", "quotas"} | NOUNS,
    "parsers": {"layout", "encodings", "word", "pages"} | NOUNS,
    "encodings": {"alphabets", "errors"},
    "alphabets": set(),
    "word": {"layout"},
    "pages": {"layout", "html_tree"},
    "html_tree": set(),
    "sandbox": {"parsers", "layout", "zips"} | NOUNS,
    "zips": {"errors"},
    "layout": NOUNS,
    "chunking": {"layout", "pieces", "counting"} | NOUNS,
    "counting": set(),
    "quotas": {"errors"},
    "pieces": {"layout", "text"},
    "project": {"errors"},
    "text": set(),
    "types": set(),
    "errors": set(),
}


def imports(path):
    """(imported module, at module level?) of every import statement in a file."""
    tree = ast.parse(path.read_text())
    top = {id(node) for node in tree.body}
    guarded = {
        id(inner)
        for node in tree.body
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in guarded:
            continue
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" if node.module == "ftrag" else node.module for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        yield from ((name, id(node) in top) for name in names)


def room(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


FILES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_arrows_point_down(path):
    allowed = MAY_IMPORT.get(room(path))
    for name, _ in imports(path):
        parts = name.split(".")
        if allowed is not None and parts[0] == "ftrag" and len(parts) > 1:
            assert parts[1] in allowed, f"{room(path)} must not import {name}"
        if parts[0] == "gradio":
            assert room(path) == "ui", "gradio is imported in ui/ alone"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_slow_libraries_are_imported_inside_the_functions_that_need_them(path):
    allowed = {"gradio"} if room(path) == "ui" else set()
    for name, top in imports(path):
        assert not (top and name.split(".")[0] in HEAVY - allowed), f"{name} at module level"


def test_help_loads_no_heavy_library():
    code = (
        "import sys, contextlib, io\n"
        "from ftrag.cli import main\n"
        "with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()): main(['--help'])\n"
        "print(sorted(name for name in sys.modules if '.' not in name))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(ast.literal_eval(done.stdout))
    assert not loaded & (HEAVY | {"numpy", "scipy", "pandas"})


def test_every_command_is_documented():
    from ftrag.cli import parser

    commands = next(action for action in parser()._actions if hasattr(action, "choices") and action.choices).choices
    readme = (ROOT / "README.md").read_text()
    missing = [name for name in commands if f"`{name}" not in readme]
    assert not missing, f"README.md does not name {missing}"


def test_nothing_of_this_machine_is_in_the_tracked_files():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    home = os.path.expanduser("~")
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if path.suffix in {".py", ".md", ".toml", ".txt", ".json", ".jsonl"} and path.is_file():
            assert f"{home}/" not in path.read_text(errors="replace"), name
