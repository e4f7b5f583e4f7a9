"""Every sentence of the page lies in ftrag/ui/texts, so that a second language is one folder."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

UI = Path(__file__).resolve().parent.parent / "ftrag" / "ui"
WORDS = {"label", "info", "placeholder", "title", "headers"}  # arguments of a component that a visitor reads
SHOWN = ("Button", "HTML", "Markdown")  # components whose value is a sentence; elsewhere it is what was chosen
SAID = {"Info", "Warning", "Error", "InputError", "NotFound", "Refused"}  # every argument of these is read
FILES = sorted(UI.glob("*.py"))


def name_of(call: ast.Call) -> str:
    """Button for gr.Button(…), InputError for InputError(…); "" for what says nothing to a visitor."""
    if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name) and call.func.value.id == "gr":
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) and call.func.id in SAID else ""


def read_by_visitors(call: ast.Call) -> Iterator[ast.expr]:
    name = name_of(call)
    if name in SAID:
        yield from call.args
    elif name and (name[0].isupper() or name == "update"):
        yield from call.args[:1]
    if name:
        read = WORDS | ({"value"} if name.endswith(SHOWN) else set())
        yield from (word.value for word in call.keywords if word.arg in read)


def literals(node: ast.expr) -> Iterator[str]:
    """The texts written out in an argument, without markup; what another call or a name gives is no literal."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield re.sub(r"<[^>]*>", "", node.value)
    elif isinstance(node, ast.JoinedStr):
        whole = "".join(str(part.value) if isinstance(part, ast.Constant) else "\0" for part in node.values)
        yield re.sub(r"<[^>]*>", "", whole)
    elif isinstance(node, ast.List | ast.Tuple):
        for one in node.elts:
            yield from literals(one)
    elif isinstance(node, ast.IfExp):
        yield from (*literals(node.body), *literals(node.orelse))
    elif isinstance(node, ast.BinOp):
        yield from (*literals(node.left), *literals(node.right))


def written_out(source: str, name: str) -> list[str]:
    """file:line: text of every sentence that is handed to a component or a message as a literal."""
    return [
        f"{name}:{argument.lineno}: {text}"
        for call in ast.walk(ast.parse(source))
        if isinstance(call, ast.Call)
        for argument in read_by_visitors(call)
        for text in literals(argument)
        if re.search(r"[^\W\d_]{2}", text)
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_component_and_no_message_holds_a_sentence_of_its_own(path):
    assert not written_out(path.read_text(), f"ftrag/ui/{path.name}")


CODE = re.compile(r"_JS$|^(PAGE|CSS|LANGUAGES)$")  # names of constants that hold no sentence of the page
NO_SENTENCES = {
    "Count from one to thirty in words.",
    "rules out \0",
}  # said to the model; looked for in the core's words


def left_in_code(tree: ast.Module) -> list[str]:
    """line: text of every literal of two words or more outside docstrings, markup and constants that hold code."""
    skipped = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(CODE.search(ast.unparse(target)) for target in node.targets):
            skipped |= {id(inner) for inner in ast.walk(node.value)}
    skipped |= {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    nodes = [
        node for node in ast.walk(tree) if isinstance(node, ast.Constant | ast.JoinedStr) and id(node) not in skipped
    ]
    found = [(node.lineno, text) for node in nodes for text in literals(node)]
    return [f"{line}: {text}" for line, text in found if WORDED.search(text) and text not in NO_SENTENCES]


WORDED = re.compile(r"(?<![\w-])[^\W\d_]{2,},? [^\W\d_]{2,}(?![\w:-])")


@pytest.mark.parametrize(
    "path", sorted({*FILES} - {UI / "theme.py", UI / "evaluate_style.py"}), ids=lambda path: path.name
)
def test_no_sentence_is_left_in_the_code_of_the_page(path):
    assert not left_in_code(ast.parse(path.read_text()))


@pytest.mark.parametrize(
    "source",
    [
        'gr.Button("Train", size="sm")',
        'gr.Textbox(info="of stemming")',
        'gr.update(label=f"Type of: {one}")',
        "gr.HTML(\"<p class='note'>None.</p>\")",
        'gr.Warning("too " + large)',
        'InputError(f"row {n} is empty")',
    ],
)
def test_a_literal_is_found(source):
    assert written_out(source, "page.py")[0].startswith("page.py:1: ")


def test_a_sentence_in_the_code_is_found():
    code = 'def f(n):\n    """A docstring."""\n    return f"<p class=\'ft-note x\'>No rows, none of {n}</p>"\n'
    assert left_in_code(ast.parse(code)) == ["3: No rows, none of \0"]


@pytest.mark.parametrize(
    "source",
    ['gr.Button(words.TRAIN, elem_id="train")', "gr.HTML(f\"<p class='note'>{said}</p>\")", 'gr.State("")'],
)
def test_what_comes_from_the_texts_is_none(source):
    assert not written_out(source, "page.py")


def test_every_sentence_is_shown_somewhere():
    code = "\n".join(path.read_text() for path in FILES)
    unused = []
    for path in sorted((UI / "texts").glob("*.py")):
        owner = "texts" if path.stem == "__init__" else "words"
        for node in ast.parse(path.read_text()).body:
            names = [
                one.id
                for target in getattr(node, "targets", [])
                for one in ast.walk(target)
                if isinstance(one, ast.Name)
            ]
            rest = path.read_text()
            unused += [
                f"{path.name}: {name}"
                for name in names
                if f"{owner}.{name}" not in code and len(re.findall(rf"\b{name}\b", rest)) < 2
            ]
    assert not unused
