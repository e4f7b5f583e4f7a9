"""Behaviour checks: every kind passes and fails, bad rows are refused, no pattern can hang a run."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from ftrag.errors import InputError
from ftrag.evaluation import style
from ftrag.evaluation.checks import KINDS, Reference, behaviour, validated

SUPPORT = Path(__file__).resolve().parent.parent / "examples" / "support"
TRIAGE = {
    "type": "object",
    "properties": {"team": {"enum": ["billing", "docks"]}, "urgent": {"type": "boolean"}},
    "required": ["team", "urgent"],
    "additionalProperties": False,
}


def verdict(answer: str, kind: str, value: Any, reference: Reference | None = None) -> bool | None:
    rows = validated([{"kind": kind, "value": value}])
    return behaviour(answer, rows, reference or Reference())[1]


@pytest.mark.parametrize(
    ("kind", "value", "passes", "fails"),
    [
        ("starts_with", "Short answer:", " Short answer: yes", "The short answer: yes"),
        ("starts_with", ["Hello", "Hi"], "Hi there", "Good day"),
        ("ends_with", "– The desk", "Fine. – The desk\n", "Fine. - The desk"),
        ("contains", ["refund", "€5"], "Your Refund is €5.", "Your refund is €6."),
        ("not_contains", ["sorry"], "Of course.", "We are SORRY."),
        ("regex", r"^\d{4}$", "2025", "in 2025"),
        ("not_regex", r"!{2,}", "Great!", "Great!!"),
        ("min_words", 3, "one two three", "one two"),
        ("max_words", 3, "one two – three", "one two three four"),
        ("json_schema", TRIAGE, '{"team": "docks", "urgent": true}', '{"team": "sales", "urgent": true}'),
        ("language", "en", "The boat leaves at nine in the morning.", "Das Boot fährt um neun Uhr morgens ab."),
        ("language", "de", "Das Boot fährt um neun Uhr morgens ab.", "The boat leaves at nine in the morning."),
        ("language", "en", "Visa, Mastercard, PayPal and cash.", "Visa, Mastercard, PayPal und Bargeld."),  # no pidgin
        ("language", "ja", "料金は一日1500円です。", "每天费用为16元，不允许带狗。"),  # no spaces
        (
            "reading_level",
            6,
            "The boat is red. It can go fast.",
            "Considerable administrative irregularities notwithstanding, applicability remains.",
        ),
        ("cites", True, "It is €5 [1].", "It is €5."),
        ("cites", "price-list.md", "It is €5, says the price list.", "It is €5 [1]."),
    ],
)
def test_every_kind(kind: str, value: Any, passes: str, fails: str) -> None:
    assert verdict(passes, kind, value) is True
    assert verdict(fails, kind, value) is False


def test_every_kind_is_tested_and_explained() -> None:
    tested = {mark.args[1][row][0] for mark in test_every_kind.pytestmark for row in range(len(mark.args[1]))}
    assert set(KINDS) == tested | {"tone"}
    assert all(kind.why.endswith(".") for kind in KINDS.values())


def test_all_checks_must_pass_and_the_failing_ones_are_named() -> None:
    rows = validated(
        [{"kind": "starts_with", "value": "Hi"}, {"kind": "max_words", "value": 2}, {"kind": "contains", "value": "x"}]
    )
    score, passed = behaviour("Hello dear world x", rows)
    assert passed is False
    assert score.value == pytest.approx(1 / 3)  # one of three
    assert "starts_with: begins with" in score.why
    assert "has 4 words, at most 2 are asked" in score.why
    assert behaviour("Hi x", rows)[1] is True


def test_no_checks_means_no_verdict() -> None:
    assert behaviour("anything", ())[1] is None
    assert behaviour("anything", ())[0].value is None


def test_what_cannot_be_checked_has_no_verdict_unless_another_check_fails() -> None:
    rows = validated([{"kind": "tone"}, {"kind": "max_words", "value": 2}])
    assert behaviour("one two", rows)[1] is None  # no training answers given
    assert behaviour("one two three", rows)[1] is False


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"kind": "begins_with", "value": "x"}, "no check 'begins_with'"),
        ({"value": "x"}, "must be"),
        ("starts_with", "must be"),
        ({"kind": "starts_with"}, "needs a text"),
        ({"kind": "starts_with", "value": ["a", ""]}, "needs a text"),
        ({"kind": "max_words", "value": "60"}, "whole number"),
        ({"kind": "max_words", "value": True}, "whole number"),
        ({"kind": "regex", "value": "(unclosed"}, "not a regular expression"),
        ({"kind": "json_schema", "value": {"type": "objekt"}}, "bad schema"),
        ({"kind": "json_schema", "value": "{}"}, "needs a JSON schema"),
        ({"kind": "json_schema", "value": {"$schema": ["x"]}}, "bad schema"),
        ({"kind": "json_schema", "value": {"properties": {"a": {"pattern": "(a"}}}}, "bad schema"),
        ({"kind": "json_schema", "value": {"patternProperties": {"(a+)+$": {}}}}, "patternProperties"),
        ({"kind": "language", "value": "klingon"}, "knows"),
        ({"kind": "tone", "value": 5}, "share from 0 to 1"),
        ({"kind": "reading_level", "value": -1}, "above 0"),
        ({"kind": "cites", "value": 3}, "name of a document"),
        ({"kind": "cites", "value": [3]}, "name of a document"),
        ({"kind": "cites", "value": []}, "name of a document"),
    ],
)
def test_bad_rows_are_refused_with_the_reason(row: Any, says: str) -> None:
    with pytest.raises(InputError, match=says.replace("(", r"\(")):
        validated([row])


def test_a_pattern_that_would_run_for_ever_is_no_verdict() -> None:
    start = time.process_time()
    hostile = validated([{"kind": "regex", "value": r"^(a|aa)+$"}])
    score, passed = behaviour("a" * 60 + "b", hostile)
    assert passed is None and "took too long" in score.why
    schema = {"type": "string", "pattern": r"^(a|aa)+$"}
    assert verdict(json.dumps("a" * 60 + "b"), "json_schema", schema) is None
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("Here you go: {}", "is not JSON"),
        ('```json\n{"team": "docks", "urgent": true}\n```', "code fence"),
        ('{"team": "docks"}', "'urgent' is a required property"),
        ('{"team": "docks", "urgent": NaN}', "NaN is not JSON"),
        ("[" * 100_000, "is not JSON"),
    ],
)
def test_json_answers_say_what_does_not_fit(answer: str, says: str) -> None:
    score, passed = behaviour(answer, validated([{"kind": "json_schema", "value": TRIAGE}]))
    assert passed is False
    assert says in score.why


def test_a_schema_fetches_nothing() -> None:
    rows = validated([{"kind": "json_schema", "value": {"$ref": "https://example.invalid/schema.json"}}])
    score, passed = behaviour("{}", rows)
    assert passed is None and "outside" in score.why


@pytest.mark.parametrize(
    ("schema", "answer"),
    [({"$ref": "#"}, "{}"), ({"type": "integer", "multipleOf": 0.5}, "1" * 400)],
)
def test_a_schema_that_cannot_be_applied_is_no_verdict(schema: Any, answer: str) -> None:
    assert verdict(answer, "json_schema", schema) is None


def test_cites_knows_the_documents_that_were_shown() -> None:
    shown = Reference(sources=("weather-stop-policy.md",))
    assert verdict("See the weather stop policy.", "cites", True, shown) is True
    assert verdict("Boats stop in storms.", "cites", True, shown) is False


def test_tone_is_learnt_from_the_training_answers() -> None:
    rows = [json.loads(line) for line in (SUPPORT / "examples.jsonl").read_text(encoding="utf-8").splitlines()]
    learnt = style.learn([row["response"] for row in rows[::2]])
    assert learnt is not None
    reference = Reference(style=learnt)
    unseen = [row["response"] for row in rows[1::2]]
    kept = sum(verdict(answer, "tone", None, reference) is True for answer in unseen) / len(unseen)
    assert kept >= 0.85  # a twentieth of the training answers themselves would not pass
    for other in (
        "The fee is €16.80.",
        "lol no idea mate, check the site!!",
        "Dear Sir or Madam, pursuant to clause 4.",
    ):
        assert verdict(other, "tone", None, reference) is False
    assert style.learn(["one", "two"]) is None


def test_the_example_projects_checks_are_valid() -> None:
    rows = validated(json.loads((SUPPORT / "project.json").read_text(encoding="utf-8"))["checks"])
    answer = "Short answer: A Bobber costs €16.80. Happy boating! – Your Oarlane dock desk"
    assert behaviour(answer, rows)[1] is True
