"""Training rows held out as questions: whole groups, seeded, each with one value that stands in its evidence."""

import json

from benchmarks.context_rows import divided, question
from tests.conftest import ROOT


def test_a_row_becomes_a_question_when_its_answer_is_one_value_of_its_evidence():
    evidence = ["Ripple costs €8.60 per month and includes 45 minutes."]
    row = {"id": "t1", "prompt": "What is it?", "response": "It is €8.60, for 2 people.", "evidence": evidence}
    assert question(row) == {"id": "t1", "question": row["prompt"], "answers": ["€8.60"], "evidence": evidence}
    assert question(row | {"response": "It includes 45 minutes."})["answers"] == ["45 minutes"]
    assert question(row | {"response": "€8.60 for 45 minutes."}) is None  # two values: which one is asked for?
    assert question(row | {"response": "It is 5 euros."}) is None  # 45 holds no 5
    assert question({"id": "t2", "prompt": "Hi", "response": "Hello 8.60"}) is None  # nothing to read it from


def test_held_out_questions_share_no_document_with_what_is_trained():
    rows = [json.loads(line) for line in (ROOT / "examples/support/examples.jsonl").read_text("utf-8").splitlines()]
    train, asked = divided(rows, 30, seed=0)
    document = {row["id"]: row.get("document") for row in rows}
    assert 30 <= len(asked) < 45
    assert not {document[row["id"]] for row in asked} & {document[row["id"]] for row in train}
    said = "\n".join(row["prompt"] + row["response"] for row in train)
    assert not [text for row in asked for text in row["evidence"] if text in said]  # nor in a passage that a row shows
    assert divided(rows, 30, seed=0) == (train, asked) != divided(rows, 30, seed=1)
