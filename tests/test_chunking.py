"""Chunks tile the text, stay within their limit, and do not tear apart what belongs together."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ftrag import models
from ftrag.chunking import STRATEGIES, chunk, join
from ftrag.counting import counter, estimate_tokens, starter
from ftrag.errors import InputError
from ftrag.layout import Parsed, sections, solids
from ftrag.parsers import csv_rows, html, json_lines, markdown, markdown_headings
from ftrag.types import Chunk, Document

WORDS = ["word ", "Sentence one. ", "x" * 300, "漢字", "é\u0301", "🙂"]
PIECES = [*WORDS, "\n", "\n\n", "  ", "# Head\n\n", "| a | b |\n", "```\n"]
texts = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=20)), min_size=1, max_size=60).map("".join)


def document(text: str) -> Document:
    return Document("a.md", text, "", sections(markdown_headings(text), len(text)))


def hashed(rows: list[str]) -> np.ndarray:
    """A stand-in for sentence embeddings: counts of letters, of unit length."""
    counts = np.array([[row.lower().count(letter) + 0.01 for letter in "abcdefghijklmnopqrstuvwxyz"] for row in rows])
    return counts / np.linalg.norm(counts, axis=1, keepdims=True)


@settings(max_examples=300, deadline=None)
@given(texts, st.sampled_from(STRATEGIES), st.integers(16, 60), st.integers(0, 8), st.sampled_from([None, len]))
def test_chunks_join_to_the_text_and_stay_within_the_limit(text, strategy, size, overlap, count):
    chunks = chunk(
        document(text), strategy=strategy, size_tokens=size, overlap_tokens=overlap, count=count, embed=hashed
    )
    assert join(chunks) == text
    assert [row.index for row in chunks] == list(range(len(chunks)))
    for before, row in zip([None, *chunks], chunks, strict=False):
        assert row.text == text[row.start : row.end] != ""
        assert (count or estimate_tokens)(row.text) <= size
        if before:
            assert before.start < row.start <= before.end < row.end
            assert (count or estimate_tokens)(text[row.start : before.end]) <= overlap


@settings(max_examples=300, deadline=None)
@given(texts, st.sampled_from(STRATEGIES), st.integers(16, 60), st.integers(0, 8))
def test_guessing_what_is_far_from_a_limit_changes_no_cut(text, strategy, size, overlap):
    chosen = {"strategy": strategy, "size_tokens": size, "overlap_tokens": overlap, "embed": hashed}
    assert chunk(document(text), **chosen) == chunk(document(text), **chosen, count=estimate_tokens)


@pytest.mark.parametrize("size", [32, 64, 300])
def test_guessing_with_the_models_own_tokenizer_changes_no_cut_and_counts_less_than_half(size):
    file = str(models.prepare() / "tokenizer.json")
    text = "\n\n".join(one.read_text(encoding="utf-8") for one in sorted(Path("examples").rglob("*.md")))
    counted = [0, 0]

    def counting(place):
        def count(said):
            counted[place] += len(said)
            return counter(file)(said)

        return count

    cut = [
        chunk(document(text), size_tokens=size, overlap_tokens=4, count=counting(place), starts=starts)
        for place, starts in enumerate([None, starter(file)])
    ]
    assert cut[0] == cut[1]
    assert len(cut[0]) >= 50
    assert counted[1] < counted[0] / 2


@pytest.mark.parametrize("piece", ["1,", "a", "\n", "!?;:-", "é\u0301", "ab "])
def test_what_was_guessed_wrongly_is_cut_again(piece):
    text = piece * 3000
    wrong = [0] * 50  # so that everything seems to have next to no tokens
    cut = chunk(document(text), size_tokens=32, count=len, starts=lambda _: wrong)
    assert join(cut) == text
    assert max(len(row.text) for row in cut) <= 32


SOLIDS = [
    "| boat | price |\n| --- | --- |\n| Pike | 31 |\n",
    "```py\nfor a in b:\n\n    go(a)\n```\n",
    "a | b\n- | -\n1 | 2\n",
]
BLANKS = ["\n", "\n" * 20, " \n\t\n"]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from([*SOLIDS, "Prices are:\n", "Some words stand here. And more.\n", *BLANKS, "## Head\n\n"]),
        max_size=12,
    ),
    st.sampled_from(STRATEGIES),
    st.integers(24, 60),
    st.integers(0, 12),
)
def test_a_table_or_fence_that_fits_is_whole_in_some_chunk(pieces, strategy, size, overlap):
    text = ""
    for piece in pieces:  # a table ends where a line without a bar follows
        text += "\n" if piece in SOLIDS and text and not text.endswith("\n\n") and "|" in text[-30:] else ""
        text += piece
    chunks = chunk(document(text), strategy=strategy, size_tokens=size, overlap_tokens=overlap, embed=hashed)
    assert join(chunks) == text
    for start, end, kind in solids(text):
        said = text[start:end].rstrip()
        if estimate_tokens(said) <= size:
            held = [row for row in chunks if row.start <= start and start + len(said) <= row.end]
            assert held, (kind, said)


def test_a_table_right_below_its_sentence_is_whole():
    table = "| boat | price |\n| --- | --- |\n" + "".join(f"| Pike | {i} |\n" for i in range(5))  # 52 tokens
    text = "Some words stand before it. " * 12 + "\nPrices:\n" + table + "Words after it. " * 12
    for strategy in STRATEGIES:
        assert [row for row in cut(text, 60, strategy=strategy, embed=hashed, overlap_tokens=20) if table in row], (
            strategy
        )


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize(("size", "blank"), [(53, 20), (49, 20), (48, 1), (53, 200)])
def test_blank_lines_after_a_fence_do_not_make_it_too_long(strategy, size, blank):
    fence = "```\n" + "go on here\n" * 10 + "```\n"
    assert estimate_tokens(fence) == 48
    for text in (fence + "\n" * blank, "Some words. " * 9 + "\n\n" + fence + "\n" * blank + "More of them. " * 9):
        rows = cut(text, size, strategy=strategy, embed=hashed)
        assert "".join(rows) == text
        assert [row for row in rows if fence.rstrip() in row]


cells = st.lists(
    st.sampled_from(["One is here.", "Two is so, e.g. etc.", "a|b", "```", "# x", "---", "漢字。", "word " * 30]),
    max_size=5,
).map(" ".join)
tables = st.lists(st.tuples(cells, cells), min_size=2, max_size=25)


def as_csv(rows: list[tuple[str, str]]) -> Document:
    quoted = "".join(f'"{first}","{second}"\n' for first, second in [("name\nof it", "said"), *rows])
    return named(csv_rows(quoted.encode()))


def as_json_lines(rows: list[tuple[str, str]]) -> Document:
    said = [json.dumps({"name": first, "said": second} if first else second) for first, second in rows]
    return named(json_lines("\n".join(said).encode()))


def as_markdown(rows: list[tuple[str, str]]) -> Document:
    lines = [f"  {first.replace('|', '/')} | {second.replace('|', '/')}" for first, second in rows]
    return named(markdown(("# row 1\n\nWords. They lead:\na | b\n- | -\n" + "\n".join(lines) + "\n\nMore.\n").encode()))


def as_html(rows: list[tuple[str, str]]) -> Document:
    lines = [f"<tr><td>{first}<td>{second}" for first, second in [("a", "b"), *rows]]
    return named(html(f"<h1>row 1</h1><p>Words.<table>{''.join(lines)}</table><p>More. And more.".encode()))


def named(parsed: Parsed) -> Document:
    return Document("a", parsed.text, "", parsed.locations)


@settings(max_examples=150, deadline=None)
@given(
    tables,
    st.sampled_from([as_csv, as_json_lines, as_markdown, as_html]),
    st.sampled_from(STRATEGIES),
    st.integers(16, 60),
    st.integers(0, 8),
    st.sampled_from([None, len]),
)
def test_a_row_that_fits_is_never_cut(rows, form, strategy, size, overlap, count):
    table = form(rows)
    size, overlap = (size * 4, overlap * 4) if count else (size, overlap)
    chunks = chunk(table, strategy=strategy, size_tokens=size, overlap_tokens=overlap, count=count, embed=hashed)
    assert join(chunks) == table.text
    assert all((count or estimate_tokens)(row.text) <= size for row in chunks)
    for place in table.locations:
        row = table.text[place.start : place.end]
        if row and "\n" not in row and (count or estimate_tokens)(row) <= size:
            assert [one for one in chunks if one.start <= place.start and place.end <= one.end], row
            assert not [one for one in chunks if place.start < one.start < place.end], row


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_rows_of_several_sentences_are_kept_together(strategy):
    said = "The boat is old. It leaks a bit. Nobody rows it now. It is for sale."
    table = as_csv([(str(i), said) for i in range(60)])
    rows = [one.text for one in chunk(table, strategy=strategy, size_tokens=64, embed=hashed)]
    assert len(rows) > 20
    assert all(row.startswith("name of it: ") and row.endswith(("sale.", "sale.\n")) for row in rows)


def test_a_row_that_is_too_long_is_cut_at_sentences():
    table = as_csv([("1", "The boat is old and it leaks a bit. " * 4), ("2", "It is for sale.")])
    rows = [one.text for one in chunk(table, size_tokens=24)]
    assert "".join(rows) == table.text and len(rows) > 2
    assert all(row.rstrip().endswith(".") for row in rows)  # no sentence is cut


def test_lines_without_named_rows_are_cut_at_sentences():
    text = "\n".join("name: 1; said: The boat is old. It leaks a bit." for _ in range(8))
    assert [row for row in cut(text, 16) if row.startswith("It leaks")]


def cut(text: str, size: int, **options) -> list[str]:
    return [row.text for row in chunk(document(text), size_tokens=size, **options)]


def test_a_document_that_fits_is_one_chunk_even_with_overlap():
    text = "One two three. " * 6  # 24 tokens: "three" has five letters, so each sentence is 4 tokens with its full stop
    assert estimate_tokens(text) == 24
    assert cut(text, 24, overlap_tokens=8) == [text]


def test_paragraphs_are_kept_together():
    first, second, third = "alpha " * 10 + "\n\n", "beta " * 10 + "\n\n", "gamma " * 10
    assert cut(first + second + third, 16) == [first, second, third]


def test_sentences_are_kept_together_where_a_paragraph_is_too_long():
    text = "The cat sat on it. " * 6  # six tokens and six: 36 tokens in all
    assert cut(text, 20) == ["The cat sat on it. " * 3, "The cat sat on it. " * 3]


def test_chunks_are_even():
    sizes = [estimate_tokens(row) for row in cut("The cat sat on it. " * 10, 48)]  # 60 tokens: 48 and 12 if greedy
    assert sizes == [30, 30]


@pytest.mark.parametrize(
    "whole",
    [
        "| boat | price |\n| --- | --- |\n| Pike | 31 |\n| Roach | 12 |\n",
        "```python\nfor a in b:\n\n    print(a)\n\n\nprint(b)\n```\n",
    ],
    ids=["table", "fence"],
)
def test_tables_and_fences_are_whole_when_they_fit(whole):
    text = "Some words before it. " * 6 + "\n\n" + whole + "\n" + "And some words after. " * 6
    assert [row for row in cut(text, 40) if whole in row]


def test_a_larger_table_is_cut_between_rows():
    text = "| boat | price |\n| --- | --- |\n" + "".join(f"| Pike {i} | {i} euros |\n" for i in range(40))
    assert all(row.startswith("|") and row.endswith("|\n") for row in cut(text, 50))


@pytest.mark.parametrize("heading", ["## Deposits\n\n", "Deposits and damage\n\n"], ids=["markdown", "plain"])
def test_a_heading_stays_with_what_follows_it(heading):
    text = "Some words before it all.\n\n" + heading + "The deposit is due. " * 3
    for size in range(16, 40):
        assert [row for row in cut(text, size) if heading + "The deposit" in row], size


def test_heading_strategy_cuts_at_every_heading():
    text = "# A\n\none\n\n## B\n\ntwo\n\n# C\n\nthree"
    assert cut(text, 100, strategy="heading") == ["# A\n\none\n\n", "## B\n\ntwo\n\n", "# C\n\nthree"]


def test_semantic_strategy_cuts_where_the_subject_changes():
    text = "aaa aab. aba aaa. aab aaa. zzz zzy. zyz zzz. zzz yzz."
    first, second = "aaa aab. aba aaa. aab aaa. ", "zzz zzy. zyz zzz. zzz yzz."
    assert cut(text, 100, strategy="semantic", embed=hashed) == [first, second]


def test_overlap_starts_at_a_sentence():
    rows = cut("One is here. Two is here. Three is so. Four is here. Five is here. ", 16, overlap_tokens=4)
    assert len(rows) > 1
    for before, row in zip(rows, rows[1:], strict=False):
        assert before.endswith(row[: row.index(". ") + 2])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"strategy": "clever"}, "no chunk strategy 'clever'"),
        ({"size_tokens": 3}, "at least 16"),
        ({"overlap_tokens": 300}, "half of the chunk size"),
        ({"strategy": "semantic"}, "sentence embeddings"),
    ],
)
def test_settings_that_cannot_be_used(options, message):
    with pytest.raises(InputError, match=message):
        chunk(document("text"), **options)


def test_a_word_of_a_million_letters_is_cut_in_time():
    assert len(chunk(document("x" * 1_000_000), size_tokens=256)) > 700  # five letters a token: 782 chunks


def test_join_of_overlapping_chunks():
    rows = [Chunk("a", 0, "abc", 0, 3), Chunk("a", 1, "bcde", 1, 5), Chunk("a", 2, "f", 5, 6)]
    assert join(rows) == "abcdef"
