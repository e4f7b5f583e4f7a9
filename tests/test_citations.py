"""Sentences of an answer and the spans that support them; offsets say exactly what is quoted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftrag.evaluation import claims
from ftrag.evaluation.citations import PAIRED, align
from ftrag.evaluation.grounding import faithfulness, is_retrieved, statements, states
from ftrag.types import Chunk

DOGS = (
    "Dogs and luggage. A dog on board may weigh no more than 34 kilograms. A dog travels for a fee of €1.60 per trip."
)
BERTH = "Berths. You can reserve a berth from the water for €1.95. Waiting at the overflow buoy is free for 23 minutes."
PASSAGES = [Chunk("dogs.html", 4, DOGS, 200, 200 + len(DOGS)), Chunk("parking.html", 0, BERTH, 0, len(BERTH))]
VOICE = "Short answer: {} A fine day to be on the water! – Your Oarlane dock desk"


def supports(answer: str) -> list[tuple[bool, str]]:
    return [(row["supported"], row["quote"]) for row in align(answer, PASSAGES)]


@pytest.mark.parametrize(
    ("sentence", "quote"),
    [
        ("A dog may weigh up to 34 kg.", "A dog on board may weigh no more than 34 kilograms."),
        ("The fee for a dog is 1.60 euros per trip.", "A dog travels for a fee of €1.60 per trip."),
        ("Waiting at the overflow buoy is free for twenty-three minutes.", BERTH.split(". ")[2]),
        ("Reserving a berth from the water costs €1.95.", "You can reserve a berth from the water for €1.95."),
    ],
)
def test_a_supported_sentence_in_the_house_voice(sentence: str, quote: str) -> None:
    assert supports(VOICE.format(sentence)) == [(True, quote), (False, ""), (False, "")]


@pytest.mark.parametrize(
    "sentence",
    [
        "A dog may weigh up to 43 kg.",  # another value
        "A cat travels for a fee of €1.60 per trip in Vessby.",  # a place that no passage names
        "A dog may not travel for a fee of €1.60 per trip.",  # denied
        "Parking is watched by cameras at night.",
        "Thank you for asking!",
    ],
)
def test_an_unsupported_sentence(sentence: str) -> None:
    assert [supported for supported, _ in supports(sentence)] == [False]


def test_a_heading_claims_nothing() -> None:
    headed = [Chunk("a.md", 0, f"## Dogs and luggage\n\n{DOGS}", 0, 20 + len(DOGS))]
    rows = align("## Dogs and luggage\n\nA dog may weigh up to 34 kg.", headed)
    assert [row["supported"] for row in rows] == [False, True]


@pytest.mark.parametrize(
    "said",
    [
        "**A dog** on board may weigh _no more_ than `34 kilograms`.",
        "- A dog on board may weigh no more than **34 kilograms.**",
        "1. A dog on board may weigh no more than ***34*** kilograms.",
        "> A [dog](https://example.org/dog) on board may weigh no more than 34 kilograms.",
    ],
)
@pytest.mark.parametrize("rewords", [True, False])
def test_markdown_signs_are_no_words(said: str, rewords: bool) -> None:
    def spelled(texts: list[str]) -> np.ndarray:  # signs count for much, as in a model's tokens
        rows = np.array([[1, *(text.count(sign) for sign in "*_`>[1-")] for text in texts], dtype=np.float64)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    (plain,) = align("A dog on board may weigh no more than 34 kilograms.", PASSAGES, spelled, rewords)
    (signed,) = align(said, PASSAGES, spelled, rewords)
    assert plain["supported"]
    assert {**signed, "sentence": {}} == {**plain, "sentence": {}}


def test_an_item_of_a_list_is_no_name_below_a_letter() -> None:
    said = "- A dog may weigh up to 34 kg.\n- A dog travels for €1.60 per trip\n- Your Oarlane dock desk"
    assert [supported for supported, _ in supports(said)] == [True, True, False]


@pytest.mark.parametrize(
    ("sentence", "claims"),
    [
        ("A cat may weigh up to 9 kg.", True),
        ("Dogs swim beside the boat at night.", True),
        ("**€2.10**", True),
        ("- Cats travel in the second boat.", True),
        ("Let us know 2 days before the boat leaves.", True),
        ("If you have a dog, the cleaning costs extra money.", True),
        ("Enjoy free parking beside the harbour.", True),
        ("Hello!", False),
        ("Thank you for asking the Oarlane team.", False),
        ("Have a lovely day on the water!", False),
        ("Let me know if you have more questions about dogs.", False),
        ("## Dogs and luggage on board", False),
        ("**Dogs and luggage on board**", False),
        ("Here is what dogs and luggage cost:", False),
        ("Would you like to know about cats, too?", False),
        ("– Your Oarlane dock desk", False),
        ("- Your Oarlane dock desk", False),
        ("The documents do not say what a cat may weigh.", False),
    ],
)
def test_what_a_reader_would_hold_against_the_passages(sentence: str, claims: bool) -> None:
    assert states(sentence) is claims


def test_statements_are_what_is_supported_and_what_claims_something() -> None:
    answer = "Hello!\n\nA dog may weigh up to 34 kg. A cat may weigh up to 9 kg. – Your Oarlane dock desk"
    found = statements(answer, align(answer, PASSAGES))
    assert [row["supported"] for row in found] == [True, False]
    refusal = "The documents do not say that. Ask the harbour master beside the crane."
    assert statements(refusal, align(refusal, PASSAGES)) == []


def test_offsets_point_into_the_document_and_the_answer() -> None:
    answer = "Hello! A dog may weigh up to 34 kg. Waiting at the buoy is free for 23 minutes."
    document = {"dogs.html": " " * 200 + DOGS, "parking.html": BERTH}
    rows = align(answer, PASSAGES)
    assert [answer[row["sentence"]["start"] : row["sentence"]["end"]] for row in rows] == [
        "Hello!",
        "A dog may weigh up to 34 kg.",
        "Waiting at the buoy is free for 23 minutes.",
    ]
    assert [row["chunk"] for row in rows] == [None, 4, 0]
    for row in rows[1:]:
        assert document[row["document"]][row["start"] : row["end"]] == row["quote"]
        assert 0.6 <= row["score"] <= 1


def test_a_sentence_that_joins_two_facts_is_supported_by_both() -> None:
    (row,) = align("A dog may weigh 34 kg and travels for a fee of €1.60 per trip.", PASSAGES)
    assert (
        row["quote"] == "A dog on board may weigh no more than 34 kilograms. A dog travels for a fee of €1.60 per trip."
    )


def test_without_passages_nothing_is_supported() -> None:
    assert [row["supported"] for row in align("It costs €5. Really.", [])] == [False, False]
    assert align("", PASSAGES) == []


def test_faithfulness_counts_claims_alone() -> None:
    assert faithfulness(VOICE.format("A dog may weigh up to 34 kg."), PASSAGES[:1]).value is not None
    half = faithfulness("A dog may weigh up to 34 kg. A cat may weigh up to 9 kg.", PASSAGES)
    assert half.value == 0.5  # one of two claims
    assert faithfulness("That is not in our pages.", PASSAGES).value is None
    assert faithfulness("It is 5 kg.", []).value is None


def test_evidence_is_retrieved_by_document_or_by_words() -> None:
    assert is_retrieved(("dogs.html",), PASSAGES) is True
    assert is_retrieved(("You can reserve a berth  from the water for €1.95",), PASSAGES) is True
    assert is_retrieved(("other.html", "A berth costs €7."), PASSAGES) is False
    assert is_retrieved((), PASSAGES) is None


@given(st.text(max_size=120), st.text(max_size=120))
def test_any_text_can_be_aligned(answer: str, passage: str) -> None:
    for row in align(answer, [Chunk("d", 0, passage, 7, 7 + len(passage))]):
        if row["supported"]:
            assert passage[row["start"] - 7 : row["end"] - 7] == row["quote"]


def bag(texts: list[str]) -> np.ndarray:
    """A stand-in for sentence embeddings: a few meanings, each with its words."""
    meanings = (
        "dog hound animal",
        "weigh weight heavy",
        "fee costs price euros",
        "buoy mooring",
        "free wait waiting",
        "weather sun rain",
    )
    rows = [[sum(word in text.lower() for word in group.split()) for group in meanings] for text in texts]
    vectors = np.array(rows, dtype=np.float64)
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


@pytest.mark.parametrize(
    ("sentence", "supported"),
    [
        ("No hound is let on which is heavier than 34 kg.", True),  # hardly a common word, the same meaning and value
        ("No hound is let on which is heavier than 43 kg.", False),  # the same meaning, another value
        ("The price for a hound from Vessby is 1.60 euros.", False),  # a name that the passage does not know
        ("The weather is fine.", False),
    ],
)
def test_embeddings_find_a_source_under_other_words(sentence: str, supported: bool) -> None:
    (row,) = align(sentence, PASSAGES, bag)
    assert row["supported"] is supported
    (row,) = align(sentence, PASSAGES, bag, rewords=False)  # for a model whose own words are not to be believed
    assert row["supported"] is False


def test_a_copy_is_cited_whoever_said_it() -> None:
    said = "A dog may weigh up to 34 kg."
    assert [row["supported"] for row in align(said, PASSAGES, bag, rewords=False)] == [True]


def test_most_of_a_source_in_other_words_around_it_is_supported() -> None:
    """A capable model copies half a sentence and says the rest itself; such an answer was once taken for a change."""
    (row,) = align("As a rule, a dog that you bring may weigh no more than 34 kg altogether.", PASSAGES, bag)
    assert (row["supported"], row["chunk"]) == (True, 4)


def test_the_question_finds_what_a_short_answer_leaves_unsaid() -> None:
    text = "Two masts stand on the hill. The ferry has two decks. The lift takes two bicycles."
    passages = [Chunk("a.md", 0, text, 0, len(text))]
    quotes = [
        align("Two.", passages, question=asked)[0]["quote"] for asked in ("How many decks?", "How many bicycles?")
    ]
    assert quotes == ["The ferry has two decks.", "The lift takes two bicycles."]


def test_a_name_of_the_question_is_no_strange_one() -> None:
    said, asked = "In Vessby a dog travels for a fee of €1.60 per trip.", "What does a dog cost in Vessby?"
    assert [align(said, PASSAGES, question=one)[0]["supported"] for one in ("", asked)] == [False, True]


def test_a_remark_that_declines_is_not_supported() -> None:
    said = "The documents do not say what a dog may weigh on board."
    assert [row["supported"] for row in align(said, PASSAGES, bag)] == [False]


@pytest.mark.parametrize(
    ("said", "contradicts"),
    [
        ("The PIN has 5 digits.", False),  # the other clause denies something else
        ("The PIN does not have 5 digits.", True),
        ("The PIN may contain the year of birth.", True),
        ("The PIN is not without 5 digits.", False),
    ],
)
def test_denial_counts_in_the_clause_that_is_spoken_of(said: str, contradicts: bool) -> None:
    assert claims.contradicts(said, "The PIN has 5 digits, and must not contain the year of birth.") is contradicts


def test_names_in_the_plural_and_what_is_no_name() -> None:
    assert claims.strange_names("We fought the Seljuks.", ["the Seljuk Turks"]) == []
    assert claims.strange_names("It goes there, so I'm sending it to Vessby.", ["a text"]) == ["Vessby"]


@pytest.mark.parametrize(
    ("said", "source", "missing"),
    [
        ("Half a dozen tries lock you out for half an hour.", "After 6 attempts it is locked for 30 minutes.", []),
        ("They warn you an hour and a quarter before.", "A warning comes 75 minutes before.", []),
        ("An additional hour is given.", "You get 60 extra minutes.", []),
        ("About three quarters are paper.", "74 percent are paper.", []),  # hedged: a tenth off is near
        ("Three quarters are paper.", "74 percent are paper.", ["75 percent"]),
        ("Until half past five in the afternoon.", "Free until 17:30.", []),
        ("It lasts two weeks.", "It lasts 14 days.", []),
        ("The two of you use 900 minutes in a month.", "You use 900 minutes a month.", []),
    ],
)
def test_amounts_said_in_words(said: str, source: str, missing: list[str]) -> None:
    assert [atom.text for atom in claims.missing(said, source)] == missing


@pytest.mark.parametrize(
    ("said", "together"),
    [
        ("The small box costs £14 and the large box £22, postage included.", True),
        ("For the small box it is £14.", True),  # the order alone does not matter
        ("Nobody knows.", True),  # nothing in common
    ],
)
def test_what_stands_together_in_the_source_stands_together(said: str, together: bool) -> None:
    source = "Prices are £14 for the small box and £22 for the large box, postage included."
    assert (claims.paired(said, source) >= PAIRED) is together


def test_right_words_in_wrong_pairs_are_told_apart() -> None:
    source = (
        "Bicycles are kept in the cellar on the north side and need a blue sticker. "
        "Prams stay in the hall beside the letter boxes, where they need no sticker at all."
    )
    assert claims.paired("Prams are kept in the cellar, bicycles in the hall.", source) < PAIRED
    assert claims.paired("Prams stay in the hall, beside the letter boxes.", source) >= PAIRED
