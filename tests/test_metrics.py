"""Content scores: values as values, containment that is not fooled, refusals, published token F1 values."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftrag.evaluation.metrics import best_of, completeness, content, content_verdict, exact_match, token_f1
from ftrag.evaluation.refusals import declines
from ftrag.evaluation.values import atoms, values
from ftrag.types import Gold, Score

SUPPORT = Path(__file__).resolve().parent.parent / "examples" / "support"


def right(answer: str, *accepted: str, question: str = "What is it?") -> bool | None:
    return content_verdict(content(answer, Gold("q", question, accepted)))


@pytest.mark.parametrize(
    ("answer", "accepted", "f1"),
    [
        ("25 days of leave", "25 days", 2 / 3),  # precision 2/4, recall 2/2
        ("The Denver Broncos!", "Denver Broncos", 1.0),  # article and punctuation go
        ("Saint Bernadette Soubirous in 1858", "Saint Bernadette Soubirous", 3 / 4),  # precision 3/5, recall 3/3
        ("a golden statue", "a copper statue of Christ", 1 / 3),  # shared 1; 2 * 1 / (2 + 4)
        ("yes yes", "yes", 2 / 3),  # shared counts once: precision 1/2, recall 1/1
        ("", "something", 0.0),
        ("the", "a", 1.0),  # both empty after normalisation, equal as in SQuAD 2.0's script
        ("red", "blue", 0.0),
    ],
)
def test_token_f1_is_squads(answer: str, accepted: str, f1: float) -> None:
    assert token_f1(answer, accepted) == pytest.approx(f1)


def test_exact_match_and_best_of() -> None:
    assert exact_match("The Broncos.", "broncos") == 1.0
    assert exact_match("Broncos won", "broncos") == 0.0
    assert best_of("Holt", ["Casimir Holt", "Holt"]) == 1.0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2 h", "two hours"),
        ("$1,200.00", "1200 USD"),
        ("€23.40", "€23.4"),
        ("EUR 16.80", "16.80 euros"),
        ("1.200,50 €", "€1,200.50"),
        ("$1.5 million", "1,500,000 dollars"),
        ("90 min", "1 hour and 30 minutes"),
        ("2½ hours", "150 minutes"),
        ("half an hour", "30 min"),
        ("14 days", "two weeks"),
        ("1 year", "12 months"),
        ("17 November", "November 17th"),
        ("2025-11-17", "17 Nov 2025"),
        ("11/17/2025", "November 17, 2025"),
        ("3:20 pm", "15:20"),
        ("7:45", "07:45"),
        ("noon", "12:00"),
        ("85%", "eighty-five percent"),
        ("1.5 km", "1500 metres"),
        ("6.5 km/h", "6.5 kilometres per hour"),
        ("34 kg", "34 kilograms"),
        ("OLN-7741", "oln 7741"),
        ("0471 55 26 08", "0471552608"),
        ("one hundred and four guests", "104 guests"),
        ("3-5 days", "between three and five days"),
        ("-5 °C", "-5 degrees Celsius"),
        ("-5 °C", "minus five degrees"),
        ("20C", "20 °C"),
        ("2h 30m", "150 minutes"),
        ("2 hours and a half", "2.5 hours"),
        ("one and a half hours", "90 minutes"),
        ("three quarters of an hour", "45 minutes"),
        ("a week", "7 days"),
        ("a week's notice", "7 days' notice"),
        ("every fortnight", "every two weeks"),
        ("one thousand two hundred dollars", "$1,200"),
        ("a thousand euros", "€1.000"),
        ("50¢", "$0.50"),
        ("Rs 500", "500 INR"),
        ("500 Kč", "500 CZK"),
        ("€5/month", "5 euros a month"),
        ("100 mg/day", "100 mg per day"),
        ("twice a week", "two times per week"),
        ("half past two", "2:30"),
        ("quarter to one", "12:45"),
        ("9 o'clock", "9:00"),
        ("10 kg to 20 kg", "10-20 kg"),
        ("$10-20", "10 to 20 dollars"),
        ("6 ft 2 in", "6 feet 2 inches"),
        ("half a cup", "1/2 cup"),
        ("two thirds", "2/3"),
        ("two dozen eggs", "24 eggs"),
        (".5", "0.5"),
        ("10.000 visitors", "10,000 visitors"),
        ("120 V", "120 volts"),
        ("twenty-first", "21st"),
        ("the second of May", "2 May"),
    ],
)
def test_equal_values_are_contained_either_way(one: str, other: str) -> None:
    assert right(f"As far as we know it is {one}, all year.", other)
    assert right(f"As far as we know it is {other}, all year.", one)


@pytest.mark.parametrize(
    ("answer", "accepted"),
    [
        ("It takes 140 days.", "14 days"),
        ("It takes 14 hours.", "14 days"),
        ("It costs €23.45.", "€23.4"),
        ("It costs $5.", "€5"),
        ("on 17 November", "17 November 2025"),  # the year was asked for
        ("at 3:20 am", "15:20"),
        ("Ask Mr Holter.", "Holt"),
        ("Code E-171 it is.", "E-17"),
        ("It is 75 lb.", "34 kg"),  # near, but not exact
        ("5 degrees Celsius", "-5 °C"),
        ("It is 11 percentage points.", "11 percent"),
        ("5 days", "5 working days"),
        ("It is 3.5 %.", "0.035"),
        ("on 13/11/2025", "November 12, 2025"),
        ("in November 2025", "12 November 2025"),
        ("It costs $12.00.", "$1200"),
        ("It is 5 degrees.", "minus 5 degrees"),
        ("It is .5 kg.", "5 kg"),
        ("It costs 14.30.", "14:30"),
        ("It grew by 2.30.", "2:30"),
        ("Flat 4C is upstairs.", "4 degrees"),
        ("There are three floors.", "third floor"),
        ("It weighs 10-20 kg.", "10-30 kg"),
        ("€5 per year", "€5 per month"),
        ("one thousand dollars", "$1,200"),
        ("in 1990", "1990s"),
    ],
)
def test_other_values_are_not(answer: str, accepted: str) -> None:
    assert right(answer, accepted) is False


@pytest.mark.parametrize(
    ("answer", "accepted", "verdict"),
    [
        ("It isn't 14 days.", "14 days", False),
        ("It is not 14 days but 21 days.", "21 days", True),
        ("It does not cost €16.80.", "€16.80", False),
        ("A dog may weigh no more than 34 kilograms.", "34 kg", True),
        ("It is red, yellow or green.", "yellow", False),
        ("Either yellow or green.", "yellow", False),
        ("It is 7 days, 14 days or 21 days.", "14 days", False),
        ("It is 7, 14 or 21 days.", "21 days", False),
        ("14 days or more.", "14 days", True),
        ("24 hours or one day, which is the same.", "1 day", True),
        ("You can unlock boats from 09:50 to 15:20.", "15:20", True),
        ("A Bobber costs €16.80 and a replacement €12.45.", "€16.80", True),
        ("**Lantern Quay**, near the church.", "Lantern Quay", True),
        ("the overflow buoy, which is yellow and marked", "yellow overflow buoy", True),  # other order
    ],
)
def test_denials_and_alternatives(answer: str, accepted: str, verdict: bool) -> None:
    assert right(answer, accepted) is verdict


@pytest.mark.parametrize(
    ("question", "answer", "accepted", "verdict"),
    [
        ("How many boats do we need?", "You need seven.", "7 boats", True),
        ("How many boats do we need?", "You need 7 docks.", "7 boats", False),
        ("How many days do I have?", "Within 24.", "24 days", True),
        ("How long do I wait?", "Within 24.", "24 days", False),  # 24 of what?
        ("How many docks can I store?", "up to 24 favourite docks", "24 docks", True),
        ("How many seats are there?", "There are 12 days.", "12", False),
        ("How many rooms are there?", "Room 5 is free.", "5 rooms", False),
        ("How many rooms are there?", "There are five rooms.", "5", True),
        ("When was it founded?", "On 3 May 2015.", "2015", True),
        ("When was it founded?", "On 12 November 2025.", "November 2025", True),
        ("When do you close?", "We close at 14.30.", "14:30", True),
    ],
)
def test_what_the_question_says_need_not_be_repeated(question: str, answer: str, accepted: str, verdict: bool) -> None:
    assert right(answer, accepted, question=question) is verdict


@pytest.mark.parametrize(
    ("answer", "accepted", "verdict"),
    [
        ("Yes, you may.", "yes", True),
        ("No, you may not.", "yes", False),
        ("You may not bring it.", "no", True),
        ("It depends.", "yes", False),
    ],
)
def test_yes_and_no(answer: str, accepted: str, verdict: bool) -> None:
    assert right(answer, accepted) is verdict


REFUSALS = [
    "I don't know.",
    "I’m sorry, but I cannot find that information.",
    "The context does not mention the price.",
    "Our pages don't say.",
    "That isn't covered by our documents.",
    "There is no information about wifi.",
    "No information available.",
    "unknown",
    "I can't help with that, sorry.",
    "Sorry, I could not find an answer to your question in the documentation.",
    "Thanks for asking! I am afraid this is not in our pages.",
    "This cannot be determined from the text.",
    "It is not specified.",
    "Sorry, no idea.",
    "Not sure.",
    "It's unclear from the text.",
    "Nothing in our pages mentions this.",
    "There isn't enough information to answer.",
    "I lack the information to answer that.",
    "I wasn't able to find it.",
    "The pages say nothing about parking.",
    "The passage gives no price.",
    "No price is given.",
    "Cannot determine.",
    "We have nothing on that.",
    "It doesn't say.",
    "That's not mentioned.",
    "Apologies, but the handbook has no entry on this.",
]
ANSWERS = [
    "Life jackets are not included in the plan.",
    "If you don't know the code, ask us. It is 5 digits.",
    "Dogs are not allowed on board.",
    "No, it is closed.",
    "There is no fee.",
    "The plan does not include meals.",
    "We do not provide towels.",
    "The hulls are made of aluminium, as far as anyone can tell. I don't know more.",
    "That is not in our pages. However, it was founded in 2015.",
    "There is no information desk on the island; ask the skipper.",
    "The policy does not cover theft.",
    "If the price is not stated on the boat, it is €9.",
    "We cannot answer the phone after 18:00; write to us instead.",
    "You are not covered by the policy abroad.",
    "Our guide does not give lessons on Mondays.",
    "The number is not listed on your ticket but on the hull.",
    "The code is not known to the crew; it is on your ticket.",
    "Details are not available by phone, only by mail.",
    "It is beyond the scope of the warranty.",
    "We are not sure-footed people only: everybody may climb.",
    "We don't say no to dogs.",
    "It is not clear water but it is safe.",
]


@pytest.mark.parametrize("answer", REFUSALS)
def test_a_refusal_is_recognised_and_is_wrong_where_there_is_an_answer(answer: str) -> None:
    assert declines(answer)
    assert content_verdict(content(answer, Gold("q", "Is there wifi?", ()))) is True
    assert right(answer, "36 hours") is False


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_is_no_refusal(answer: str) -> None:
    assert not declines(answer)
    assert content_verdict(content(answer, Gold("q", "Is there wifi?", ()))) is False


def test_a_guess_after_a_refusal_does_not_count_and_doubt_after_an_answer_does() -> None:
    assert right("That is not in our pages. I guess €16.80.", "€16.80") is False
    assert right("It is €16.80. I could not find more details about it.", "€16.80") is True


def test_long_answers_by_key_points() -> None:
    accepted = "Cancel up to 24 hours before the start. After that the fee is €9. Refunds arrive within 5 days."
    full = "You can cancel until 24 hours before the start; later the fee is 9 euros. A refund arrives in five days."
    half = "You can cancel until 24 hours before the start."
    assert completeness(full, accepted).value == 1.0
    assert completeness(half, accepted).value == pytest.approx(1 / 3)
    assert right(full, accepted) is True
    assert right(half, accepted) is False
    assert "missing: After that the fee is €9." in content(half, Gold("q", "How do I cancel?", (accepted,))).why


def test_a_verdict_follows_the_threshold_and_what_cannot_be_scored_has_none() -> None:
    assert content_verdict(Score(0.6, ""), 0.5) is True
    assert content_verdict(Score(0.6, ""), 0.7) is False
    assert content_verdict(Score(None, "nothing to score")) is None


def test_every_evidence_of_the_example_holds_its_answer_and_no_other() -> None:
    rows = [json.loads(line) for line in (SUPPORT / "gold.jsonl").read_text(encoding="utf-8").splitlines()]
    answerable = [row for row in rows if row["answers"]]
    for row in answerable:
        gold = Gold(row["id"], row["question"], tuple(row["answers"]))
        for text in [*row["evidence"], *row["answers"]]:
            assert content(text, gold).value == 1.0, (text, row["answers"])
        others = [other["evidence"][0] for other in answerable if other is not row]
        assert not [text for text in others if content(text, gold).value], row["question"]


def test_the_example_refuses_where_it_says_so() -> None:
    rows = [json.loads(line) for line in (SUPPORT / "examples.jsonl").read_text(encoding="utf-8").splitlines()]
    wrong = [row["response"] for row in rows if declines(row["response"]) != ("not in our pages" in row["response"])]
    assert len(wrong) <= 1, wrong  # "I am not sure yet what you are looking for" asks back


@given(st.text(max_size=200), st.text(max_size=60), st.text(max_size=60))
def test_any_text_can_be_scored(answer: str, accepted: str, question: str) -> None:
    score = content(answer, Gold("q", question, (accepted,)))
    assert score.value is None or 0 <= score.value <= 1
    assert score.why


@given(st.text(alphabet="0123456789 .,:/-%€$hmkdays", max_size=60))
def test_any_numbers_can_be_read(text: str) -> None:
    assert all(atom.start < atom.end for atom in atoms(text))
    assert len(values(text)) <= len(text)
