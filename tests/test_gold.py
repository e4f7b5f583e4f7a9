"""Gold files in three formats: good rows are taken, each bad one is named with its reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ftrag.evaluation.gold import read_gold

SUPPORT = Path(__file__).resolve().parent.parent / "examples" / "support"


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_the_example_is_taken_whole() -> None:
    taken, refused = read_gold(SUPPORT / "gold.jsonl")
    assert (len(taken), refused) == (72, [])
    assert taken[0].answers == ("€16.80", "16.80 euros", "EUR 16.80")
    assert sum(not gold.answers for gold in taken) == 6


def test_the_same_rows_as_jsonl_json_and_csv(tmp_path: Path) -> None:
    rows = [
        {"id": "a", "question": "How much?", "answers": ["€5", "5 euros"], "evidence": ["It is €5."], "slice": "p"},
        {"id": "b", "question": "Wifi?", "answers": []},
    ]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    table = 'id,question,answers,evidence,slice\na,How much?,"[""€5"", ""5 euros""]",It is €5.,p\nb,Wifi?,[],,\n'
    read = [
        read_gold(write(tmp_path, "g.jsonl", lines)),
        read_gold(write(tmp_path, "g.json", json.dumps(rows))),
        read_gold(write(tmp_path, "g.csv", table)),
    ]
    assert read[0] == read[1] == read[2]
    assert [gold.answers for gold in read[0][0]] == [("€5", "5 euros"), ()]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ('{"question": "q", "answers": ["a"]}', "has no id"),
        ('{"id": true, "question": "q", "answers": ["a"]}', "has no id"),
        ('{"id": 1.5, "question": "q", "answers": ["a"]}', "has no id"),
        ('{"id": "good", "question": "q", "answers": ["a"]}', "of row 1; ids must be unique"),
        ('{"id": 2, "answers": ["a"]}', "has no question"),
        ('{"id": 2, "question": "  ", "answers": ["a"]}', "has no question"),
        ('{"id": 2, "question": "q"}', "has no answers"),
        ('{"id": 2, "question": "q", "answers": [""]}', "an empty text among its answers"),
        ('{"id": 2, "question": "q", "answers": [["a"]]}', "answers that are not texts"),
        ('{"id": 2, "question": "q", "answers": [NaN]}', "answers that are not numbers"),
        ('{"id": 2, "question": "q", "answers": ["a"], "evidence": [{}]}', "evidence that are not texts"),
        ('{"id": 2, "question": "q", "answers": ["a"], "checks": [{"kind": "nope"}]}', "no check 'nope'"),
        (
            '{"id": 2, "question": "q", "answers": ["a"], "checks": [{"kind": "regex", "value": "("}]}',
            "regular expression",
        ),
        ('{"id": 2, "question": "q", "answers": ["a"], "checks": {"kind": "cites"}}', "not a list"),
        ("not json", "is not valid JSON"),
        ("[1, 2]", "not an object"),
    ],
)
def test_a_bad_row_is_named_and_the_rest_is_taken(tmp_path: Path, row: str, reason: str) -> None:
    good = '{"id": "good", "question": "q", "answers": ["a"]}\n'
    last = '{"id": 7, "question": "r", "answers": 42}\n'
    taken, refused = read_gold(write(tmp_path, "g.jsonl", good + row + "\n" + last))
    assert [gold.id for gold in taken] == ["good", 7]
    assert taken[1].answers == ("42",)
    assert [(entry["file"], entry["row"]) for entry in refused] == [("g.jsonl", 2)]
    assert reason in refused[0]["reason"]


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("g.jsonl", "", "is empty"),
        ("g.json", "[]", "holds no rows"),
        ("g.json", "{", "not valid JSON"),
        ("g.txt", "hello", "is not a gold file"),
        ("g.csv", "id,question,answers\n", "holds no row with named columns; gold rows have id, question"),
        ("g.csv", "a,b\n1,2\n3,4\n", "has the columns a, b; gold rows have id, question and answers"),
        ("g.jsonl", "\ufffd\ufffd\n\ufffd\n", "holds no row with named columns (row 1 is not valid JSON"),
    ],
)
def test_a_file_without_rows_is_one_refusal(tmp_path: Path, name: str, text: str, reason: str) -> None:
    taken, refused = read_gold(write(tmp_path, name, text))
    assert taken == []
    assert len(refused) == 1 and reason in refused[0]["reason"]


def test_an_empty_answers_cell_asks_which_is_meant(tmp_path: Path) -> None:
    taken, refused = read_gold(write(tmp_path, "g.csv", "id,question,answer\n1,Wifi?,\n2,Fee?,€5\n"))
    assert [gold.answers for gold in taken] == [("€5",)]
    assert refused[0]["row"] == 2 and "[] where a refusal is expected" in refused[0]["reason"]
