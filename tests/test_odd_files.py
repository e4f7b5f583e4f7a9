"""Training files as people really have them: other roles, other programs' habits, damage, and fifty thousand rows."""

import json
import time
from pathlib import Path

import pytest

from ftrag.training.examples import read_examples
from ftrag.training.inspection import inspect
from ftrag.training.overlap import near_across, near_pairs
from ftrag.training.split import split
from ftrag.types import Example, Gold

GOOD = '{"prompt": "Can I cancel?", "response": "Yes."}'


def write(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    ("system", "user", "assistant"),
    [("system", "human", "gpt"), ("developer", "user", "model"), ("SYSTEM", "User", "chatgpt")],
)
@pytest.mark.parametrize(("who", "what"), [("from", "value"), ("role", "content")])
def test_a_conversation_by_other_names_keeps_its_system_turn(tmp_path, system, user, assistant, who, what):
    turns = [(system, "Be kind."), (user, "Can I cancel?"), (assistant, "Yes.")]
    row = {"conversations": [{who: role, what: text} for role, text in turns]}
    examples, refused, shape = read_examples(write(tmp_path / "s.jsonl", json.dumps(row)))
    assert (shape, refused) == ("messages", [])
    assert (examples[0].system, examples[0].prompt, examples[0].response) == ("Be kind.", "Can I cancel?", "Yes.")


def test_prompt_and_completion_may_be_lists_of_messages(tmp_path):
    asked = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Can I cancel?"}]
    row = {"prompt": asked, "completion": [{"role": "assistant", "content": "Yes."}]}
    examples, refused, _ = read_examples(write(tmp_path / "trl.jsonl", json.dumps(row)))
    assert refused == []
    assert (examples[0].system, examples[0].prompt, examples[0].response) == ("Be kind.", "Can I cancel?", "Yes.")


@pytest.mark.parametrize("answer", ['["red", "blue"]', "[1]", '[{"name": "Ada"}]'])
def test_an_answer_that_is_a_json_list_is_text_in_every_format(tmp_path, answer):
    """Extraction is trained with answers that are JSON; in a table they are no lists of ours."""
    quoted = '"' + answer.replace('"', '""') + '"'
    files = {
        "a.jsonl": json.dumps({"prompt": "Which?", "response": answer}),
        "a.csv": f"prompt,response\nWhich?,{quoted}",
    }
    for name, text in files.items():
        examples, refused, _ = read_examples(write(tmp_path / name, text))
        assert (refused, [row.response for row in examples]) == ([], [answer])


def test_half_a_character_and_a_number_without_end_are_named_by_number(tmp_path):
    lines = [
        GOOD,
        '{"prompt": "Broken \\ud83d?", "response": "Yes."}',
        '{"prompt": "Big?", "response": %s}' % ("7" * 5000),
    ]
    examples, refused, _ = read_examples(write(tmp_path / "odd.jsonl", "\n".join([*lines, GOOD.replace("I", "we")])))
    assert [row.prompt for row in examples] == ["Can I cancel?", "Can we cancel?"]
    assert [(row["row"], row["reason"].split("(")[0].strip()) for row in refused] == [
        (2, "holds half a character"),
        (3, "is not valid JSON"),
    ]
    "".join(row["reason"] for row in refused).encode()  # the reasons themselves can be written
    _, refused, _ = read_examples(write(tmp_path / "odd.json", f"[{GOOD}, {lines[1]}]"))
    assert [row["row"] for row in refused] == [2]
    _, refused, _ = read_examples(write(tmp_path / "big.json", f"[{lines[2]}]"))
    assert "too many digits" in refused[0]["reason"]


def test_one_json_value_over_many_lines_is_read_under_the_name_of_json_lines(tmp_path):
    rows = [json.loads(GOOD), {"prompt": "Twice?", "response": "No."}]
    for text in (json.dumps(rows), json.dumps(rows, indent=2), json.dumps({"data": rows}, indent=2)):
        examples, refused, _ = read_examples(write(tmp_path / "pretty.jsonl", text))
        assert (len(examples), refused) == (2, [])
    _, refused, _ = read_examples(write(tmp_path / "list.jsonl", '["a"]\n' + GOOD))
    assert [row["row"] for row in refused] == [1]


def test_tables_as_excel_writes_them(tmp_path):
    text = '\ufeffsep=;\r\nprompt;response\r\n"Two\r\nlines?";"Yes; both"\r\n\r\nShort?;No\r\n'
    examples, refused, _ = read_examples(write(tmp_path / "excel.csv", text))
    assert refused == []
    assert [(row.id, row.prompt, row.response) for row in examples] == [
        ("excel-2", "Two\r\nlines?", "Yes; both"),  # the header is row 1: Excel hides the line sep=;
        ("excel-4", "Short?", "No"),
    ]
    utf16 = "prompt\tresponse\nÄh?\tJa\n".encode("utf-16")
    examples, refused, _ = read_examples(write(tmp_path / "excel.tsv", utf16))
    assert ([row.prompt for row in examples], refused) == (["Äh?"], [])


def test_a_long_cell_is_one_cell_and_an_open_quotation_mark_is_said(tmp_path):
    long = "word, " * 30_000  # 180,000 characters: over csv's own limit of 131,072, under ours of 200,000
    text = f'prompt,response\nLong?,"{long}"\nLonger?,"{long}{long}"\nOpen?,"never closed\nLost?,No\n'
    examples, refused, _ = read_examples(write(tmp_path / "long.csv", text))
    assert [len(row.response) for row in examples] == [len(long.strip())]
    assert [row["row"] for row in refused] == [3, 4]
    assert "has 360,000 characters" in refused[0]["reason"]
    assert "never closed" in refused[1]["reason"] and "csv" not in refused[1]["reason"]


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("comma.jsonl", GOOD + ",\n" + GOOD + ",\n", "row 1 is not valid JSON (Extra data)"),
        (
            "python.jsonl",
            "{'prompt': 'Can I?', 'response': 'Yes.'}\n",
            "row 1 is not valid JSON (Expecting property name",
        ),
        ("twice.csv", "prompt,response,Response\nCan I?,Yes.,No.\n", "names the column response twice"),
    ],
)
def test_a_file_without_one_usable_row_says_what_is_wrong_with_the_first(tmp_path, name, text, reason):
    examples, refused, _ = read_examples(write(tmp_path / name, text))
    assert (examples, len(refused)) == ([], 1)
    assert reason in refused[0]["reason"]


def test_a_row_number_nought_is_an_id(tmp_path):
    rows = [{"id": n, "prompt": f"What is {n}?", "response": "A number."} for n in range(2)]
    examples, _, _ = read_examples(write(tmp_path / "ids.json", json.dumps(rows)))
    assert [row.id for row in examples] == ["0", "1"]


def test_a_slice_of_one_large_group_does_not_keep_the_others_from_being_held_out():
    talk = [Example(f"turn {n}", "a", str(n), slice="talk", group="one") for n in range(50)]
    apart = [Example(f"question {n}", "a", f"q{n}", slice="faq") for n in range(9)]
    train, held = split([*talk, *apart], share=0.1)
    assert len(held) == 6 and {row.slice for row in held} == {"faq"}  # round(0.1 * 59)
    assert len(train) == 53


def test_groups_too_large_for_the_share_give_the_smallest_and_never_most_rows():
    sizes = {"a": 60, "b": 15, "c": 25}
    rows = [Example(f"{name} {n}", "a", f"{name}{n}", group=name) for name, size in sizes.items() for n in range(size)]
    for seed in range(5):
        assert {row.group for row in split(rows, seed)[1]} == {"b"}
    assert split([row for row in rows if row.group == "a"])[1] == []


def test_fifty_thousand_rows_of_one_template_are_inspected_in_time():
    """All pairs of them would be 1.25 thousand million; nothing here may be quadratic."""
    began = time.monotonic()
    asked = "Please tell me in one sentence of your own words what the price of the boat with the number {} is today"
    texts = [asked.format(n) for n in range(5000)]
    pairs = near_pairs(texts)
    assert {j for _, j, _ in pairs} == set(range(1, 5000))  # each is named, beside one of the first few
    assert len(pairs) < 5000 * 20  # of 12.5 million
    assert len(near_across(["Tell me a story"] * 50_000, ["Tell me a story now", "Where is the harbour?"])) == 0
    assert time.monotonic() - began < 20


def test_every_row_that_nearly_repeats_another_is_counted_once():
    asked = "Please tell me in one sentence of your own words what the price of the boat with the number {} is today"
    rows = [Example(asked.format(n), "It costs as much as the others do on that day", str(n)) for n in range(80)]
    found = inspect(rows, [], [])["near_duplicates"]
    assert [row["ids"] for row in found] == [["0", str(n)] for n in range(1, 80)]  # 79, and not 80 * 79 / 2 pairs


def test_the_same_prompt_in_many_rows_is_inspected_in_time():
    rows = [Example("Write a line about boats", f"{n} boats in {n * 7}", str(n)) for n in range(5000)]
    began = time.monotonic()
    report = inspect(rows, [Gold("g", "Write a line about boats")], [])
    assert len(report["gold_overlap"]) == 5000
    assert time.monotonic() - began < 20
