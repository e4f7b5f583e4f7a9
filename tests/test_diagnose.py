"""`diagnose`: any system's verdicts -> causes, differences and a route, in the shapes that scripts rely on."""

import json
import os
import random
import time
from pathlib import Path

import pytest

from ftrag.evaluation import verdicts
from ftrag.evaluation.arms import ARMS
from ftrag.evaluation.diagnose import diagnose
from ftrag.types import Verdict

SHARED = Path(__file__).resolve().parent.parent / os.environ.get("FTRAG_SHARED", "../shared")


def random_verdicts(n, seed=0):
    rng = random.Random(seed)
    return [Verdict(i, arm, rng.random() < 0.4, rng.random() < 0.6) for i in range(n) for arm in ARMS]


def test_the_result_is_json_and_has_the_contracts_keys():
    found = diagnose(random_verdicts(20))
    assert json.loads(json.dumps(found)) == found
    assert {"causes", "regressions", "rows", "excluded", "differences", "minimum_detectable_effect"} <= set(found)
    assert {"route", "reasons"} <= set(found)
    for row in found["differences"]:
        assert list(row) == ["a", "b", "axis", "n", "difference", "low", "high", "wins", "losses", "ties", "p"]


def test_every_arm_is_compared_with_base_on_every_axis():
    found = diagnose(random_verdicts(20))
    named = {(row["a"], row["b"], row["axis"]) for row in found["differences"]}
    assert {("base", arm, axis) for arm in ARMS if arm != "base" for axis in ("content", "behaviour", "both")} <= named
    assert ("lora", "lora+rag", "both") in named and ("base+rag", "lora+rag", "both") in named
    assert len(named) == len(found["differences"])


def test_a_difference_is_b_minus_a_and_its_counts_add_up():
    rows = [Verdict(i, "base", i < 2) for i in range(10)] + [Verdict(i, "lora", i >= 1) for i in range(10)]
    (row,) = diagnose(rows)["differences"]
    assert (row["wins"], row["losses"], row["ties"], row["n"]) == (8, 1, 1, 10)  # 0: broken, 1: right twice, rest won
    assert row["difference"] == pytest.approx(0.7)
    assert row["p"] == pytest.approx(20 / 512)


def test_only_questions_with_both_arms_are_compared():
    rows = [Verdict(i, "base", False) for i in range(10)] + [Verdict(i, "lora", True) for i in range(6)]
    rows += [Verdict(i, "lora", None) for i in range(6, 8)] + [Verdict(99, "lora", True)]
    found = diagnose(rows)
    assert found["differences"][0]["n"] == 6
    assert found["excluded"] == 1
    assert found["n"] == 10


def test_both_exists_only_where_content_and_behaviour_do():
    rows = [Verdict(i, "base", False, False if i < 4 else None) for i in range(10)]
    rows += [Verdict(i, "lora", True, True if i < 4 else None) for i in range(10)]
    counts = {row["axis"]: row["n"] for row in diagnose(rows)["differences"]}
    assert counts == {"content": 10, "behaviour": 4, "both": 4}


def test_the_order_of_the_rows_changes_nothing_but_the_order_of_the_questions():
    rows = random_verdicts(30)
    shuffled = random.Random(1).sample(rows, len(rows))
    one, two = diagnose(rows), diagnose(shuffled)
    assert sorted(one.pop("rows"), key=str) == sorted(two.pop("rows"), key=str)
    assert one == two


def test_a_hundred_thousand_rows_take_less_than_ten_seconds(tmp_path):
    file = tmp_path / "many.jsonl"
    with file.open("w") as out:
        for one in random_verdicts(12_500):
            row = {"id": one.id, "arm": one.arm, "content": one.content, "behaviour": one.behaviour}
            out.write(json.dumps(row) + "\n")
    start = time.process_time()
    found = diagnose(verdicts.read(file))
    assert time.process_time() - start < 10
    assert len(found["rows"]) == 12_500


@pytest.mark.parametrize("name, route", [("verdicts", "fix retrieval"), ("two_axes", "both")])
def test_the_contract_tables(name, route):
    file = SHARED / "contract" / f"{name}.jsonl"
    if not file.exists():
        pytest.skip(f"{file} is not here; set FTRAG_SHARED to the folder that holds contract/")
    found = diagnose(verdicts.read(file))
    expected = json.loads(file.with_suffix(".expected.json").read_text())
    assert {key: found[key] for key in expected} == expected
    # verdicts: lora+rag repairs 8 and breaks 1, p = 0.039, and 0.195 as the best of five; base+oracle 9 of 9, p = 0.004
    # two_axes: on both axes lora+rag repairs 8 of 8, p = 0.0078, and 0.039 as the best of five
    assert found["route"] == route


def test_answers_are_scored_against_gold_before_they_are_diagnosed(tmp_path):
    from ftrag.types import Gold

    file = tmp_path / "answers.jsonl"
    said = {"base": "I do not know", "base+rag": "It takes 2 h."}
    rows = [{"id": i, "arm": arm, "answer": said[arm]} for i in range(9) for arm in said]
    file.write_text("\n".join(map(json.dumps, rows)))
    gold = [Gold(i, "How long does it take?", ("two hours",)) for i in range(9)]
    found = diagnose(verdicts.read_answers(file, gold))
    assert found["causes"]["content"]["retrieval fixes"] == 9
    assert found["route"] == "rag"


def test_answers_find_their_gold_question_whether_its_id_is_a_number_or_a_text(tmp_path):
    from ftrag.evaluation.gold import read_gold

    table = tmp_path / "gold.csv"  # a CSV has only texts
    table.write_text("id,question,answers\n1,How long?,2 hours\n2,How much?,€5\n")
    file = tmp_path / "answers.jsonl"
    file.write_text('{"id": 1, "arm": "base", "answer": "two hours"}\n{"id": 2, "arm": "base", "answer": "€6"}\n')
    found = diagnose(verdicts.read_answers(file, read_gold(table)[0]))
    assert [row["content"] for row in found["rows"]] == ["solved", "unresolved"]


def test_a_gold_file_that_is_none_is_named_once(tmp_path):
    from ftrag import workflows
    from ftrag.errors import InputError

    answers, gold = tmp_path / "answers.jsonl", tmp_path / "gold.jsonl"
    answers.write_text('{"id": 1, "arm": "base", "answer": "x"}\n')
    gold.write_text("")
    with pytest.raises(InputError) as error:
        workflows.diagnose(answers, gold)
    assert str(error.value).count("gold.jsonl") == 1 and "None" not in str(error.value)


def test_retrieval_that_was_not_run_is_not_said_to_fail():
    rows = [Verdict(i, arm, arm == "base+oracle") for i in range(30) for arm in ("base", "base+oracle")]
    found = diagnose(rows)["decision"]
    assert found["route"] == "fix retrieval" and "was not run" in found["sentence"]


def test_what_is_left_out_is_said():
    rows = [
        Verdict(i, arm, None if arm == "base" and i < 4 else arm == "lora")
        for i in range(9)
        for arm in ("base", "lora")
    ]
    said = diagnose([*rows, Verdict(99, "lora", True)])["reasons"]
    assert "Left out, for want of a base row: 1." in said
    assert "Left out on content, for want of a verdict of base: 4." in said
    nothing = diagnose([Verdict(1, "base", None)])["reasons"]
    assert any("nothing to compare" in one for one in nothing) and not any("100 points" in one for one in nothing)
