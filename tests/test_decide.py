"""The questionnaire: contract, presets, monotonicity, what would change it, and bad input."""

import argparse
import json
import random

import pytest

from ftrag.cli import main
from ftrag.decision import exports
from ftrag.decision.answers import parse_answers
from ftrag.decision.contradictions import CONTRADICTIONS
from ftrag.decision.presets import PRESETS
from ftrag.decision.questionnaire import (
    QUESTIONS,
    add_decide_arguments,
    answers_from,
    decide,
    parse_answer,
    verdict,
)
from ftrag.errors import InputError

SAMPLE = {
    "knowledge-changes": "weekly",
    "needs-citations": "true",
    "style-requirements": "high",
    "training-data": "200 examples",
    "latency-requirement": "2s",
    "monthly-queries": "100000",
}


def option_value(option):
    return option.sample or option.id


def sampled(rng):
    """An answer set in which every question is skipped one time in three."""
    return {q.key: option_value(rng.choice(q.options)) for q in QUESTIONS if rng.random() < 2 / 3}


def test_sample_command_is_both_with_reasons_costs_and_what_would_change_it():
    result = decide(SAMPLE)
    assert result["route"] == "both"
    assert result["scores"] == {"prompt": 3, "rag": 9, "fine-tune": 4}  # rag 5 + 4; style 4; prompting starts with 3
    assert [row["factor"] for row in result["reasons"]] == list(SAMPLE)
    assert all(row["source"] and row["why"] and row["effect"] for row in result["reasons"])
    assert {row["route"] for row in result["cost"]["options"]} == {"prompt", "rag", "fine-tune", "both"}
    assert {row["route"] for row in result["would_change"]} >= {"rag", "fine-tune"}
    assert len(result["checklist"]) == 10
    assert json.loads(json.dumps(result, allow_nan=False)) == result


def test_no_answers_are_not_enough_information():
    result = decide({})
    assert result["route"] == "not enough information"
    assert result["would_change"] and result["recipe"] == [] and len(result["skipped"]) == len(QUESTIONS)


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_preset_agrees_with_its_source(preset):
    assert verdict(preset.answers)[0] in preset.verdicts
    assert preset.why and preset.source


def test_making_an_answer_more_favourable_never_lowers_the_route():
    rng, compared = random.Random(3), 0
    for _ in range(20_000):
        answers = sampled(rng)
        question = rng.choice(QUESTIONS)
        route, ladder = rng.choice(question.favours)
        low = rng.randrange(len(ladder) - 1)
        by_id = {option.id: option for option in question.options}
        less, more = ({**answers, question.key: option_value(by_id[ladder[i]])} for i in (low, low + 1))
        assert verdict(less)[1][route] <= verdict(more)[1][route], (answers, question.key, route)
        compared += 1
    assert compared == 20_000


def test_every_numbered_question_of_the_sources_is_here_once():
    cited = [name.strip() for question in QUESTIONS for name in question.source.split(";")]
    numbered = [f"Neural Dojo, question {n}" for n in range(1, 6)]
    numbered += [f"Abstract Algorithms, question {n}" for n in range(1, 10)]
    assert {name: sum(c == name or c.startswith(f"{name} ") for c in cited) for name in numbered} == dict.fromkeys(
        numbered, 1
    )


@pytest.mark.parametrize(
    ("answers", "state"),
    [
        ({}, "open"),
        ({"style-requirements": "high"}, "yes"),
        ({"problem": "both"}, "yes"),
        ({"domain-syntax": "true", "style-requirements": "none"}, "yes"),
        ({"problem": "knowledge"}, "no"),
        ({"domain-syntax": "false"}, "open"),  # says nothing about tone
    ],
)
def test_a_change_of_behaviour_is_ticked_by_any_question_that_says_so(answers, state):
    assert decide(answers)["checklist"][2]["state"] == state


@pytest.mark.parametrize(
    "words",
    [
        "$2,500; its formula gives",  # model cost of the sample
        "at the untuned rate",
        "'no' to question 5 means fine-tuning",
        "stop at the first yes",
        "0 to 0 tie",
        "100 to 1,000",
        "100 ms. Abstract Algorithms: 500 ms",
        "200 pairs beat 1,000",
        "a set: both or RAG",
        "survey percentages",
        "50 questions",
    ],
)
def test_a_contradiction_of_the_sources_is_resolved_with_a_reason(words):
    rows = [row for row in CONTRADICTIONS if words in row[1]]
    assert len(rows) == 1 and all(cell.endswith(".") for cell in rows[0][1:])


def test_every_question_has_a_ladder_and_every_option_a_reason():
    for question in QUESTIONS:
        assert question.favours and question.source and question.text.endswith("?")
        ids = {option.id for option in question.options}
        assert all(set(ladder) <= ids for _, ladder in question.favours)
        assert all(option.why for option in question.options)
        if question.kind != "choice":
            assert all(parse_answer(question.key, o.sample).option is o for o in question.options)


def test_the_route_has_the_highest_bar_unless_a_constraint_decides():
    rng = random.Random(5)
    for _ in range(3_000):
        answers = sampled(rng)
        route, scores = verdict(answers)
        required = answers.get("needs-citations") == "true" or answers.get("prompting-tried") == "worked"
        if required or route == "not enough information":
            continue
        taken = ("rag", "fine-tune") if route == "both" else (route,)
        assert max(scores[name] for name in taken) == max(scores.values()), (answers, route, scores)


def test_what_would_change_it_does_change_it_and_is_smallest():
    rng = random.Random(7)
    for _ in range(40):
        answers = sampled(rng)
        route, _ = verdict(answers)
        rows = decide(answers)["would_change"]
        for row in rows:
            changed = {**answers, **{change["factor"]: change["to"] for change in row["changes"]}}
            assert verdict(changed)[0] == row["route"] != route
            for change in row["changes"] if len(row["changes"]) == 2 else []:
                single = {**answers, change["factor"]: change["to"]}
                assert verdict(single)[0] != row["route"]


def test_a_hard_constraint_that_decides_says_so():
    few = decide({**SAMPLE, "training-data": "99"})
    assert few["route"] == "rag" and few["decided_by"] == "hard constraint: training-data 99 rules out fine-tune"
    assert few["scores"]["fine-tune"] == 0
    asked = "How many good examples of the wanted answer do you have? 99: rules out fine-tune"
    assert exports.decided(few) == f"Decided by a hard constraint: {asked}."
    assert asked in exports.to_markdown(few) and asked in exports.to_html(few)
    assert exports.decided(decide({"training-data": "200"})) == "Nothing is decided yet." and not exports.decided(
        decide({})
    )
    assert decide(SAMPLE)["decided_by"] == "points"  # citations require rag, but 5 points for weekly are enough


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({**SAMPLE, "training-data": "40"}, "Too few examples"),
        ({"problem": "behaviour", "style-requirements": "high", "knowledge-changes": "monthly"}, "Keep facts"),
        ({"needs-citations": "true", "latency-requirement": "80ms"}, "Two answers conflict"),
        ({"evaluation-set": "false"}, "evaluation set first"),
        ({**SAMPLE, "retraining": "yearly"}, "retrain less often"),
        (SAMPLE, "10 of 16 questions were skipped"),
    ],
)
def test_warnings(answers, words):
    assert any(words in warning for warning in decide(answers)["warnings"])


@pytest.mark.parametrize(
    ("key", "text", "number", "option"),
    [
        ("training-data", "200 examples", 200, "100 to 499"),
        ("training-data", "1,000", 1000, "1000 or more"),
        ("training-data", "99 labelled rows", 99, "under 100"),
        ("monthly-queries", "2 million", 2_000_000, "1000000 or more"),
        ("monthly-queries", "5k", 5000, "1000 to 999999"),
        ("latency-requirement", "80ms", 0.08, "under 100ms"),
        ("latency-requirement", "100ms", 0.1, "100ms to 500ms"),
        ("latency-requirement", "2s", 2.0, "2s or more"),
        ("corpus-size", "0", 0, "none"),
    ],
)
def test_values_are_parsed(key, text, number, option):
    answer = parse_answer(key, text)
    assert answer.number == pytest.approx(number) and answer.option.id == option


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("training-data", "many"),
        ("training-data", "-5"),
        ("training-data", "nan"),
        ("training-data", "inf"),
        ("training-data", "12.5 examples"),
        ("training-data", "3 GB"),
        ("monthly-queries", "9" * 14),
        ("latency-requirement", "2"),
        ("latency-requirement", "0s"),
        ("latency-requirement", "-2s"),
        ("latency-requirement", "nan s"),
        ("knowledge-changes", "sometimes"),
        ("needs-citations", "maybe"),
        ("colour", "blue"),
    ],
)
def test_bad_values_are_refused_in_one_sentence(key, text):
    with pytest.raises(InputError) as error:
        decide({key: text})
    assert "\n" not in str(error.value) and len(str(error.value)) < 400


def test_flags_become_answers():
    parser = argparse.ArgumentParser()
    add_decide_arguments(parser)
    given = answers_from(parser.parse_args(["--training-data", "200 examples", "--needs-citations", "true"]))
    assert given == {"training-data": "200 examples", "needs-citations": "true"}
    assert answers_from(parser.parse_args([])) == {}
    given = answers_from(parser.parse_args(["--preset", "sample", "--training-data", "50"]))
    assert given == {**SAMPLE, "training-data": "50"}  # a flag wins over the preset
    with pytest.raises(InputError):
        answers_from(parser.parse_args(["--preset", "unknown"]))
    with pytest.raises(InputError):
        answers_from(parser.parse_args(["--training-data", ""]))


def test_a_terminal_shows_what_a_person_reads_and_json_the_rest(capsys):
    flags = [part for key, value in SAMPLE.items() for part in (f"--{key}", value)]
    assert main(["decide", *flags]) == 0
    text = capsys.readouterr().out
    assert text.startswith("Recommendation: both\n") and "Decided by points." in text
    assert "- How often does the knowledge change? Weekly: rag +5. Facts that change weekly" in text
    assert "(Neural Dojo, question 1; Abstract Algorithms, question 1)" in text
    assert "- ✓ yes: At least 100" in text and "$2,655" in text and "10 of 16 questions were skipped" in text
    assert len(text.splitlines()) < 80 and "e+0" not in text
    assert main(["decide", *flags, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == decide(SAMPLE)


def test_skipped_questions_are_empty_values():
    assert parse_answers({"training-data": "", "problem": "both"}).keys() == {"problem"}
