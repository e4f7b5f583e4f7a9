"""Training data: every shape in every format, bad rows by number, what is found before Train can be pressed."""

import csv
import json
from pathlib import Path

import pytest

from ftrag import experiments, knowledge, workflows
from ftrag.training import inspection
from ftrag.training.context import with_context
from ftrag.training.examples import SHAPES, read_examples
from ftrag.training.inspection import histogram, inspect, sufficiency
from ftrag.training.overlap import jaccard, near_pairs, shingles
from ftrag.training.split import split
from ftrag.types import Chunk, Document, Example, Gold, Hit

ROWS = {
    "prompt/response": {"prompt": "Can I cancel?", "response": "Yes, of course."},
    "instruction/input/output": {"instruction": "Answer.", "input": "Can I cancel?", "output": "Yes, of course."},
    "question/answer": {"question": "Can I cancel?", "answer": "Yes, of course."},
    "prompt/chosen/rejected": {"prompt": "Can I cancel?", "chosen": "Yes, of course.", "rejected": "No idea."},
    "chosen/rejected": {
        "chosen": [{"role": "user", "content": "Can I cancel?"}, {"role": "assistant", "content": "Yes, of course."}],
        "rejected": [{"role": "user", "content": "Can I cancel?"}, {"role": "assistant", "content": "No idea."}],
    },
    "messages": {
        "messages": [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "Can I cancel?"},
            {"role": "assistant", "content": "Yes, of course."},
        ]
    },
}


def write(path: Path, rows: list[dict]) -> Path:
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    elif path.suffix == ".json":
        path.write_text(json.dumps(rows), encoding="utf-8")
    else:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(
                {key: json.dumps(cell) if isinstance(cell, list) else cell for key, cell in row.items()} for row in rows
            )
    return path


@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".csv"])
@pytest.mark.parametrize("shape", list(ROWS))
def test_every_shape_in_every_format(tmp_path, shape, suffix):
    examples, refused, detected = read_examples(write(tmp_path / f"rows{suffix}", [ROWS[shape]] * 2))
    assert (detected, refused, len(examples)) == (shape, [], 2)
    assert examples[0].response == "Yes, of course."
    assert examples[0].prompt.endswith("Can I cancel?")
    assert examples[0].id == ("rows-2" if suffix == ".csv" else "rows-1")  # a spreadsheet's first data row is 2
    assert examples[0].rejected == ("No idea." if "rejected" in shape else None)
    assert examples[0].system == ("Be kind." if shape == "messages" else None)


def test_parquet_comes_through_datasets_with_its_row_numbers(tmp_path, capfd):
    from datasets import Dataset

    given = [{"question": "Can I cancel?", "answer": "Yes."}, {"question": "", "answer": "No."}]
    Dataset.from_list(given).to_parquet(tmp_path / "rows.parquet")
    examples, refused, shape = read_examples(tmp_path / "rows.parquet")
    assert (shape, [row.id for row in examples]) == ("question/answer", ["rows-1"])
    assert refused == [{"file": "rows.parquet", "row": 2, "reason": "has an empty question"}]
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 nonsense")
    capfd.readouterr()
    assert "not a readable Parquet file" in read_examples(tmp_path / "broken.parquet")[1][0]["reason"]
    assert capfd.readouterr().err == ""  # the library says nothing beside our reason


def test_templates_are_read_back(tmp_path):
    for shape, spec in SHAPES.items():
        path = tmp_path / "template.jsonl"
        path.write_text(spec.template, encoding="utf-8")
        examples, refused, detected = read_examples(path)
        assert (len(examples), refused, detected) == (1, [], shape)


def test_ten_kinds_of_bad_rows_are_named_by_number(tmp_path):
    good = '{"id": "one", "prompt": "Can I cancel?", "response": "Yes."}'
    bad = {
        2: ('{"prompt": "broken', "is not valid JSON"),
        3: ('["a", "list"]', "is a list, not an object"),
        4: ('{"prompt": "No answer here"}', "lacks the column response"),
        5: ('{"prompt": "  ", "response": "Yes."}', "has an empty prompt"),
        6: ('{"prompt": "Empty?", "response": ""}', "has an empty response"),
        7: ('{"prompt": "Null?", "response": null}', "has an empty response"),
        8: ('{"prompt": "Number?", "response": 7}', "has a number as response"),
        9: ('{"prompt": "Marker?", "response": "Yes.<|im_end|>"}', "has the chat marker <|im_end|>"),
        10: ('{"prompt": "<context>a passage", "response": "Yes."}', "<context> block without its other half"),
        11: ('{"id": "one", "prompt": "Twice?", "response": "Yes."}', 'repeats the id "one" of row 1'),
        12: ('{"prompt": "Zero\\u0000", "response": "Yes."}', "has a NUL character"),
        13: ('{"prompt": "Evidence?", "response": "Yes.", "evidence": [1]}', "has something in evidence"),
        14: (json.dumps({"prompt": "Long?", "response": "a" * 200_001}), "has 200,001 characters"),
    }
    path = tmp_path / "bad.jsonl"
    path.write_text("\n".join([good, *(line for line, _ in bad.values()), ""]), encoding="utf-8")
    with path.open("ab") as file:
        file.write(b'{"prompt": "caf\xe9", "response": "Yes."}\n')  # latin-1: line 15
    examples, refused, shape = read_examples(path)
    assert [example.id for example in examples] == ["one"]
    assert shape == "prompt/response"
    assert [row["row"] for row in refused] == [*bad, 15]
    for row in refused[:-1]:
        assert bad[row["row"]][1] in row["reason"]
    assert "not UTF-8" in refused[-1]["reason"]
    assert {row["file"] for row in refused} == {"bad.jsonl"}


ASKED = [{"role": "user", "content": "A?"}]
YES, NO = ({"role": "assistant", "content": answer} for answer in ("Yes", "No"))


@pytest.mark.parametrize(
    ("chosen", "rejected", "found"),
    [
        ([*ASKED, YES], [*ASKED, NO], ("A?", ())),
        ("\n\nHuman: A?\n\nAssistant: Yes", "\n\nHuman: A?\n\nAssistant: No", ("A?", ())),  # as in hh-rlhf
        (
            "Human: Hi\n\nAssistant: Hello\n\nHuman: B?\n\nAssistant: Yes",
            "Human: Hi\n\nAssistant: Hello\n\nHuman: B?\n\nAssistant: No",
            ("B?", (("Hi", "Hello"),)),
        ),
        ("Yes, until Monday", "Yes, who knows", "add a column prompt"),
        ([YES], [NO], "no question in chosen"),
        ([*ASKED, YES], "No", "add a column prompt"),
        ([*ASKED, NO], [*ASKED, NO], "same text"),
        ("Human: A?\n\nAssistant: Yes", "Human: B?\n\nAssistant: No", "differ before their last turn"),
    ],
)
def test_pairs_without_a_prompt_share_it(tmp_path, chosen, rejected, found):
    path = tmp_path / "pairs.jsonl"
    path.write_text(json.dumps({"chosen": chosen, "rejected": rejected}))
    examples, refused, shape = read_examples(path)
    assert shape == "chosen/rejected"
    if isinstance(found, str):
        assert (examples, refused[0]["row"]) == ([], 1) and found in refused[0]["reason"]
    else:
        assert [(row.prompt, row.history, row.response, row.rejected) for row in examples] == [(*found, "Yes", "No")]


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-8", "utf-8-sig"])
def test_a_table_is_read_in_the_encoding_it_was_saved_in(tmp_path, encoding):
    text = "prompt;response\r\nÖffnungszeiten?;Täglich für Gäste\r\nPlain?;Yes\r\nGebühr?;5 €, größer: 7 €\r\n"
    path = tmp_path / "excel.csv"
    path.write_bytes(text.encode(encoding))
    examples, refused, _ = read_examples(path)
    assert refused == []
    answers = ["Täglich für Gäste", "Yes", "5 €, größer: 7 €"]
    assert [row.response for row in examples] == answers
    assert [row.prompt for row in examples] == ["Öffnungszeiten?", "Plain?", "Gebühr?"]


def test_a_damaged_line_of_a_utf8_table_is_refused_by_its_number(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_bytes("prompt,response\nÄ?,Ja\n".encode() + b"\xc4?,damaged\n")
    examples, refused, _ = read_examples(path)
    assert [row.prompt for row in examples] == ["Ä?"]
    assert [row["row"] for row in refused] == [3] and "not UTF-8" in refused[0]["reason"]


def test_bad_csv_rows_do_not_end_the_file(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text('question;answer\nA?;Yes\nB?;Yes;more\n"C;?";"two\nlines"\n;\nD?;\n', encoding="utf-8-sig")
    examples, refused, shape = read_examples(path)
    assert shape == "question/answer"
    assert [(row.prompt, row.response) for row in examples] == [("A?", "Yes"), ("C;?", "two\nlines")]
    assert [(row["row"], row["reason"].split(";")[0]) for row in refused] == [
        (3, "has 3 cells where the header has 2"),
        (6, "has an empty answer"),  # row 5 is blank
    ]


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        ([{"role": "user", "content": "A?"}], "end with the assistant"),
        ([{"role": "tool", "content": "x"}, {"role": "assistant", "content": "y"}], 'role "tool"'),
        ("not a list", "not a list of turns"),
        (["a"], "not an object with role and content"),
        ([{"role": "user", "content": None}, {"role": "assistant", "content": "y"}], "has an empty message"),
    ],
)
def test_bad_conversations(tmp_path, messages, reason):
    _, refused, _ = read_examples(write(tmp_path / "m.jsonl", [{"messages": messages}]))
    assert reason in refused[0]["reason"]


def test_every_answer_of_a_conversation_is_learned_after_its_history(tmp_path):
    turns = [("user", "A?"), ("assistant", "a"), ("user", "B?"), ("assistant", "b")]
    row = {"id": "talk", "messages": [{"from": {"user": "human", "assistant": "gpt"}[r], "value": t} for r, t in turns]}
    examples, _, _ = read_examples(write(tmp_path / "m.jsonl", [row]))
    assert [(row.id, row.prompt, row.response, row.history) for row in examples] == [
        ("talk/1", "A?", "a", ()),
        ("talk/2", "B?", "b", (("A?", "a"),)),
    ]
    assert {row.group for row in examples} == {"talk"}


def test_a_literal_context_block_becomes_context(tmp_path):
    row = {"prompt": "Help.\n<context>\nfirst passage\n\nsecond\n</context>\n\nCan I cancel?", "response": "Yes."}
    examples, _, _ = read_examples(write(tmp_path / "c.jsonl", [row]))
    assert examples[0].context == ("first passage", "second")
    assert examples[0].prompt == "Help.\n\nCan I cancel?"


def test_columns_can_be_mapped_by_hand(tmp_path):
    path = write(tmp_path / "german.csv", [{"Frage": "Geht das?", "Antwort": "Ja.", "slice": "x"}])
    assert "frage, antwort" in read_examples(path)[1][0]["reason"]
    examples, refused, shape = read_examples(path, {"prompt": "Frage", "response": "Antwort"})
    assert (examples[0].prompt, examples[0].response, refused, shape) == ("Geht das?", "Ja.", [], "prompt/response")


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.jsonl", b"", "is empty"),
        ("a.json", b"[1, 2", "is not valid JSON (line 1"),
        ("a.json", b"[]", "holds no rows"),
        ("a.json", b"[" * 100_000, "nested too deeply"),
        ("a.pdf", b"%PDF", "is not a training file"),
        ("a.csv", b"x,y\n1,2\n", "has the columns x, y"),
        ("a.csv", b"prompt,response\n", "holds no row"),
    ],
)
def test_unusable_files_are_one_refusal_without_a_row(tmp_path, name, data, reason):
    path = tmp_path / name
    path.write_bytes(data)
    examples, refused, shape = read_examples(path)
    assert (examples, shape) == ([], "")
    assert list(refused[0]) == ["file", "reason"]
    assert reason in refused[0]["reason"]


def test_jaccard_by_hand():
    a, b = shingles("the boat costs money"), shingles("The boat costs much money!")
    # words: 4 and 5, 4 shared; pairs: 3 and 4, 2 shared; 6 shared of 7 + 9 - 6 = 10
    assert jaccard(a, b) == 6 / 10
    assert jaccard(shingles(""), shingles("")) == 0


def test_near_pairs_finds_what_all_pairs_would():
    texts = [f"how long may I keep boat {n % 7} at dock {n % 3} in the month of {n % 5}" for n in range(60)]
    sets = [shingles(text) for text in texts]
    expected = {(i, j) for i in range(60) for j in range(i + 1, 60) if jaccard(sets[i], sets[j]) >= 0.8}
    assert {(i, j) for i, j, _ in near_pairs(texts)} == expected
    assert len(expected) > 10


def counted(examples: list[Example]) -> list[tuple[int, int]]:
    sizes = [(len(row.prompt.split()), len(row.response.split())) for row in examples]
    return [(asked + learned, learned) for asked, learned in sizes]


def test_the_report_names_what_is_wrong():
    examples = [
        Example("Can I cancel my booking for free?", "Yes, until the evening before.", "a"),
        Example("can i cancel my booking for free", "Yes, until the evening before!", "b"),
        Example("Can I cancel my booking for free?", "No.", "c"),
        Example("What does it cost to rent the large boat for one day?", "It is 71 euros.", "d"),
        Example("And what does it cost to rent the large boat for one day?", "It is 71 euros.", "e"),
        Example("long " * 100, "Yes.", "f", evidence=("prices.md",)),
    ]
    gold = [
        Gold("g1", "Can I cancel my booking, for free?", ("yes",), ("prices.md",)),
        Gold("g2", "What does it cost to rent the large boat for one day please?", ("71",)),
        Gold("g3", "Where is the harbour master?", ("north",)),
    ]
    documents = [Document("key.txt", "Q: Where is the  harbour master?\nA: north", "0")]
    report = inspect(examples, gold, documents, counted, max_tokens=50)
    assert report["rows"] == 6
    assert [row["id"] for row in report["first"]] == ["a", "b", "c"]
    assert report["tokens"]["learned"] == 5 + 5 + 1 + 4 + 4 + 1
    assert report["too_long"] == ["f"]
    assert report["duplicates"] == [["a", "b"]]
    assert [row["ids"] for row in report["near_duplicates"]] == [["d", "e"]]
    assert [row["ids"] for row in report["conflicts"]] == [["a", "b", "c"]]
    kinds = {(row["id"], row["gold"], row["kind"]) for row in report["gold_overlap"]}
    assert kinds == {(a, "g1", "exact") for a in "abc"} | {("d", "g2", "near"), ("e", "g2", "near")}
    assert report["leaks"] == [{"document": "key.txt", "gold": "g3"}]
    assert report["evidence_shared"] == ["prices.md"]
    assert "ask gold questions" in report["blocked"][0]
    json.dumps(report)


def test_a_project_is_inspected_again_only_when_something_has_changed(home, monkeypatch):
    workflows.new(home, "demo", "support")
    project, calls = home / "projects" / "demo", []
    real = inspection.inspect
    monkeypatch.setattr(inspection, "inspect", lambda *given: calls.append(1) or real(*given))
    first = experiments.inspect_data(project)
    assert experiments.inspect_data(project) == first and len(calls) == 1
    with (project / "examples.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"id": "new", "prompt": "Is the quay lit at night?", "response": "It is, until one."}\n')
    assert experiments.inspect_data(project)["rows"] == first["rows"] + 1 and len(calls) == 2
    knowledge.change(project, {"chunk_tokens": 96})
    experiments.inspect_data(project)
    assert len(calls) == 3


def test_a_clean_set_is_not_blocked_and_an_empty_one_is():
    rows = [Example(f"Question number {n} about topic {n * n}?", f"Answer {n}", str(n)) for n in range(5)]
    assert inspect(rows, [Gold("g", "Something else entirely?")], [], counted)["blocked"] == []
    empty = inspect([], [], [], counted)
    assert "no training rows" in empty["blocked"][0]
    assert (empty["histogram"], empty["tokens"]["median"]) == ([], 0)


@pytest.mark.parametrize(
    ("rows", "verdict"),
    [(99, "too few to rely on"), (100, "enough to try"), (500, "reliable"), (1000, "plenty")],
)
def test_sufficiency_thresholds_have_sources(rows, verdict):
    examples = [Example(f"q{n}", "a") for n in range(rows)] + [Example("q0", "a")] * 3  # copies do not count
    report = sufficiency(examples)
    assert (report["verdict"], report["rows"]) == (verdict, rows)
    assert all(row["source"] for row in report["thresholds"])


def test_histogram_counts_every_row_once():
    bins = histogram([1, 15, 16, 100, 400])
    assert sum(row["rows"] for row in bins) == 5
    assert bins[0] == {"low": 0, "high": 48, "rows": 3}  # ceil(401 / 12) = 34, up to a multiple of 16


def test_split_keeps_groups_whole_and_slices_on_both_sides():
    examples = [
        Example(f"question {n}", "a", str(n), slice=f"s{n % 4}", group=f"g{n % 4}-{n // 8}") for n in range(160)
    ]
    train, held = split(examples, seed=3, share=0.1)
    assert len(train) + len(held) == 160
    assert len(held) == 16  # a tenth, in groups of two
    assert not {row.group for row in train} & {row.group for row in held}
    assert {row.slice for row in held} == {"s0", "s1", "s2", "s3"}
    assert split(examples, seed=3, share=0.1) == (train, held)
    assert split(examples, seed=4, share=0.1)[1] != held


def test_split_never_parts_rows_that_ask_the_same():
    examples = [Example(f"Question {n // 2}{'?' * (n % 2)}", str(n), str(n)) for n in range(40)]
    train, held = split(examples, share=0.2)
    assert len(held) == 8
    assert not {row.prompt.rstrip("?") for row in train} & {row.prompt.rstrip("?") for row in held}
    assert split(examples[:1], share=0.5)[1] == []


class WordOverlap:
    """A real, tiny retriever: shared words, ties by position."""

    def __init__(self, chunks: list[Chunk]) -> None:
        self.chunks = chunks

    def search(self, query: str, k: int) -> list[Hit]:
        asked = set(query.lower().split())
        scored = [(len(asked & set(chunk.text.lower().split())), -n, chunk) for n, chunk in enumerate(self.chunks)]
        best = sorted((row for row in scored if row[0]), key=lambda row: row[:2], reverse=True)[:k]
        return [Hit(chunk, float(score), rank) for rank, (score, _, chunk) in enumerate(best, start=1)]


def chunks() -> list[Chunk]:
    texts = [f"the boat number {n} costs {n} euros" for n in range(20)]
    return [Chunk(f"doc{n}.md", 0, text, 0, len(text)) for n, text in enumerate(texts)]


def test_context_rows_hold_the_true_passage_among_distractors():
    examples = [
        Example(f"what does number {n} cost", f"{n} euros", str(n), evidence=(f"doc{n}.md",)) for n in range(20)
    ]
    examples.append(Example("who are you", "A boat club", "x"))
    refusal = Example("what is the moon", "I do not know", "r", context=("a boat",), evidence=("doc1.md",))
    rows = with_context([*examples, refusal], WordOverlap(chunks()), k=3, share=0.5, seed=1)
    shown = [row for row in rows[:-1] if row.context]
    assert len(shown) == 10  # half of the twenty that have evidence and no context
    for row in shown:
        assert f"the boat number {row.id} costs {row.id} euros" in row.context
        assert len(row.context) == len(set(row.context)) == 3
    assert rows[-1] == refusal
    assert rows[20] == examples[20]
    assert [row.id for row in rows] == [row.id for row in [*examples, refusal]]
    assert rows == with_context([*examples, refusal], WordOverlap(chunks()), k=3, share=0.5, seed=1)


def test_a_missed_passage_is_put_in_and_hidden_documents_never_show():
    example = Example("costs euros boat", "19 euros", "x", evidence=("doc19.md",))  # the search puts doc0 to doc2 first
    row = with_context([example], WordOverlap(chunks()), k=3, share=1.0, hidden={"doc0.md"})[0]
    assert "the boat number 19 costs 19 euros" in row.context
    assert not any("number 0 " in passage for passage in row.context)
    assert with_context([example], WordOverlap(chunks()), share=1.0, hidden={"doc19.md"})[0] == example


def test_a_gold_passage_never_shows_though_its_document_may():
    """One handbook holds what is trained and what is asked: its other passages may be read, the gold one not."""
    pages = [Chunk("handbook.md", n, f"the boat number {n} costs {n} euros", n, n + 1) for n in range(20)]
    examples = [
        Example(f"what does number {n} cost", f"{n} euros", str(n), evidence=(pages[n].text,)) for n in range(1, 20)
    ]
    leaky = with_context(examples, WordOverlap(pages), k=3, share=1.0)
    assert any(pages[0].text in row.context for row in leaky)  # the first page is a distractor of many
    rows = with_context(examples, WordOverlap(pages), k=3, share=1.0, secret={"The boat number 0  costs 0 euros"})
    assert not any(pages[0].text in row.context for row in rows)
    assert all(pages[int(row.id)].text in row.context for row in rows)


def test_rows_that_decline_are_shown_passages_without_the_answer():
    rows = [
        Example("what does the moon boat cost", "That is not in our pages.", "r"),
        Example("hello boat", "Hi!", "s"),
    ]
    shown = with_context(rows, WordOverlap(chunks()), k=2, share=1.0, declines=lambda answer: "not in our" in answer)
    assert len(shown[0].context) == 2 and all("moon" not in passage for passage in shown[0].context)
    assert shown[1] == rows[1]  # small talk reads nothing
