"""The table of causes, and the files that hold verdicts."""

import json
import os
from pathlib import Path

import pytest

from ftrag.errors import InputError
from ftrag.evaluation import attribution, verdicts
from ftrag.evaluation.arms import ARMS, COST_ORDER
from ftrag.types import Verdict

SHARED = Path(__file__).resolve().parent.parent / os.environ.get("FTRAG_SHARED", "../shared")
R, W = True, False


def test_eight_arms_of_which_six_can_be_deployed():
    assert len(ARMS) == 8
    assert [arm for arm in ARMS if ARMS[arm].context != "oracle"] == list(COST_ORDER)


@pytest.mark.parametrize(
    "right, cause",
    [
        ({"base": R}, "solved"),
        ({"base": R, "prompt": W, "lora+rag": W}, "solved"),  # regressions are counted beside, not instead
        ({"base": W, "prompt": R, "base+rag": R}, "prompt"),
        ({"base": W, "prompt": W, "base+rag": R, "base+oracle": W}, "suspect evidence"),
        ({"base": W, "base+rag": R, "base+oracle": R}, "retrieval fixes"),
        ({"base": W, "base+rag": R}, "retrieval fixes"),  # oracle not run: no suspicion
        ({"base": W, "base+rag": W, "prompt+rag": R, "lora": R}, "prompted retrieval"),
        ({"base": W, "lora": R, "lora+rag": R}, "behaviour"),
        ({"base": W, "lora": W, "lora+rag": R, "base+oracle": R}, "reading"),  # deployable before diagnosis
        ({"base": W, "base+rag": W, "base+oracle": R, "lora+oracle": R}, "retrieval bound"),
        ({"base": W, "base+oracle": R}, "retrieval untested"),
        ({"base": W, "base+rag": W, "base+oracle": W, "lora+oracle": R}, "reading"),
        ({"base": W, "lora+oracle": R}, "reading"),
        ({"base": W}, "unresolved"),
        (dict.fromkeys(ARMS, W), "unresolved"),
    ],
)
def test_the_first_line_that_holds_names_the_cause(right, cause):
    assert attribution.cause(right) == cause


def test_every_cause_has_advice_and_the_ten_names_are_the_contract():
    assert attribution.CAUSES == (
        "solved",
        "prompt",
        "suspect evidence",
        "retrieval fixes",
        "prompted retrieval",
        "behaviour",
        "reading",
        "retrieval bound",
        "retrieval untested",
        "unresolved",
    )
    assert all(attribution.ADVICE[cause] for cause in attribution.CAUSES)


def test_what_cannot_be_scored_is_left_out_and_counted():
    found = attribution.attribute(
        [
            Verdict("a", "base", None, False),  # content not scored: no content cause, but a behaviour cause
            Verdict("a", "lora", True, True),
            Verdict("b", "base", False, False),
            Verdict("b", "base+rag", None, None),  # not scored is not wrong: as if base+rag had not been run
            Verdict("b", "base+oracle", True, None),
            Verdict("c", "lora", True, True),  # no base row
        ]
    )
    assert found["rows"] == [
        {"id": "a", "behaviour": "behaviour"},
        {"id": "b", "content": "retrieval untested", "behaviour": "unresolved"},
    ]
    assert found["excluded"] == 1
    assert found["unscored"] == {"content": 1, "behaviour": 0}


def test_regressions_count_answers_that_an_arm_broke():
    found = attribution.attribute(
        [Verdict(1, "base", True), Verdict(1, "lora", False), Verdict(2, "base", False), Verdict(2, "lora", False)]
    )
    assert found["regressions"] == {"lora": {"content": 1}}
    assert found["causes"]["behaviour"] == {}


def test_a_retrieval_bound_row_says_whether_the_evidence_was_found():
    rows = [
        Verdict(id_, arm, arm == "base+oracle") for id_ in (1, 2) for arm in ("base", "base+rag", "base+oracle")
    ] + [Verdict(3, "base", True)]
    found = attribution.attribute(rows, {1: False, 2: True, 3: False})
    assert found["rows"] == [
        {"id": 1, "content": "retrieval bound", "retrieved": False},
        {"id": 2, "content": "retrieval bound", "retrieved": True},
        {"id": 3, "content": "solved"},
    ]


def test_the_same_number_as_text_and_as_integer_are_two_questions():
    found = attribution.attribute([Verdict(1, "base", True), Verdict("1", "base", False)])
    assert [row["id"] for row in found["rows"]] == [1, "1"]


@pytest.mark.parametrize("name", ["verdicts", "two_axes"])
def test_the_contract_tables_give_their_exact_counts(name):
    file = SHARED / "contract" / f"{name}.jsonl"
    if not file.exists():
        pytest.skip(f"{file} is not here; set FTRAG_SHARED to the folder that holds contract/")
    expected = json.loads(file.with_suffix(".expected.json").read_text())
    found = attribution.attribute(verdicts.read(file))
    assert {key: found[key] for key in expected} == expected
    assert list(found["causes"]["content"]) == list(expected["causes"]["content"])


GOOD = '{"id": 1, "arm": "base", "correct": true}'


@pytest.mark.parametrize(
    "lines, line, words",
    [
        ([], 1, "empty"),
        (["", "  "], 1, "empty"),
        ([GOOD, "{not json"], 2, "not JSON"),
        ([GOOD, "[1, 2]"], 2, "not an object"),
        ([GOOD, '{"id": 1, "arm": "rag", "correct": true}'], 2, 'unknown arm "rag"'),
        ([GOOD, '{"id": 1, "arm": ["lora"], "correct": true}'], 2, "unknown arm"),
        ([GOOD, '{"id": 1, "arm": "lora", "correct": "yes"}'], 2, "true, false or null"),
        ([GOOD, '{"id": 1, "arm": "lora", "correct": 1}'], 2, "true, false or null"),
        ([GOOD, '{"id": 1, "arm": "lora", "behaviour": 0.5}'], 2, "true, false or null"),
        ([GOOD, "", GOOD], 3, "twice"),
        ([GOOD, '{"id": 1, "arm": "lora"}'], 2, "no verdict"),
        ([GOOD, '{"id": true, "arm": "lora", "correct": true}'], 2, '"id"'),
        ([GOOD, '{"id": 1.5, "arm": "lora", "correct": true}'], 2, '"id"'),
        ([GOOD, '{"id": null, "arm": "lora", "correct": true}'], 2, '"id"'),
        ([GOOD, '{"arm": "lora", "correct": true}'], 2, '"id"'),
        ([GOOD, '{"id": 2, "arm": "base", "correct": true, "content": true}'], 2, '"correct" means content'),
        ([GOOD, '{"id": 2, "arm": "base", "correct": true, "correct": false}'], 2, '"correct" twice'),
        ([GOOD, '{"id": NaN, "arm": "base", "correct": true}'], 2, "NaN"),
        (['{"id": 1, "arm": "lora", "correct": true}'], 1, "base"),
    ],
)
def test_bad_input_names_the_file_and_the_line(tmp_path, lines, line, words):
    file = tmp_path / "their verdicts.jsonl"
    file.write_text("\n".join(lines))
    with pytest.raises(InputError) as error:
        verdicts.read(file)
    message = str(error.value)
    assert message.startswith("their verdicts.jsonl, line ") and words in message
    assert f"line {line}" in message
    assert "\n" not in message


@pytest.mark.parametrize(
    "content", [b"\xff\xfe{\x00", b'{"id": 1, "arm": "base", "correct": true}\n\xe9\n', b"\x00\x01"]
)
def test_a_file_that_is_not_text_is_refused_in_one_line(tmp_path, content):
    file = tmp_path / "bytes.jsonl"
    file.write_bytes(content)
    with pytest.raises(InputError, match=r"bytes\.jsonl, line \d"):
        verdicts.read(file)


@pytest.mark.parametrize("hostile", ["[" * 200_000, '{"id": ' + "9" * 10_000 + ', "arm": "base", "correct": true}'])
def test_a_hostile_line_is_refused_and_not_a_crash(tmp_path, hostile):
    file = tmp_path / "deep.jsonl"
    file.write_text(hostile)
    with pytest.raises(InputError, match=r"deep\.jsonl, line 1"):
        verdicts.read(file)


def test_a_missing_file_says_so(tmp_path):
    with pytest.raises(InputError, match=r"none\.jsonl"):
        verdicts.read(tmp_path / "none.jsonl")
    with pytest.raises(InputError, match="cannot be read"):
        verdicts.read(tmp_path)


def test_null_and_a_byte_order_mark_and_windows_lines_are_read(tmp_path):
    file = tmp_path / "v.jsonl"
    file.write_bytes(
        b'\xef\xbb\xbf{"id": "\xc3\xa9", "arm": "base", "content": null, "behaviour": true}\r\n\r\n'
        b'{"id": "\xc3\xa9", "arm": "lora", "correct": false}\r\n'
    )
    assert verdicts.read(file) == [Verdict("é", "base", None, True), Verdict("é", "lora", False, None)]


def test_arms_that_agree_against_the_gold_are_named():
    answers = {
        "base": "I do not know.",
        "base+rag": "The deposit is 80 crowns.",
        "base+oracle": "The deposit is 80 crowns",
        "lora+rag": "Deposit is 80 crowns.",
    }
    found = attribution.agreement(answers)
    assert found == {"answer": "The deposit is 80 crowns.", "arms": ["base+rag", "base+oracle", "lora+rag"]}
    assert attribution.agreement({"base": "40", "base+rag": "50", "lora": "60"}) is None
    assert attribution.agreement({"base": "", "base+rag": "", "lora": ""}) is None
    assert attribution.agreement({"base": "The deposit is 80 crowns.", "lora": "The deposit is 90 crowns."}) is None


def test_only_a_passage_that_was_not_retrieved_blames_the_retriever():
    assert "fix the retriever" in attribution.advice("retrieval bound", False)
    assert "a better retriever changes nothing" in attribution.advice("retrieval bound", True)
    assert "retriever" not in attribution.advice("retrieval bound")
    assert attribution.advice("reading", True) == attribution.ADVICE["reading"]
    assert attribution.advice("unheard of") == ""
