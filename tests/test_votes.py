"""Blind votes: kept with the project, compared with the scorer on gold questions alone."""

import json

import pytest

from ftrag import votes
from ftrag.errors import InputError

GOLD = {"id": "a", "question": "What does a Bobber cost?", "answers": ["€16.80"], "evidence": [], "checks": []}


@pytest.fixture
def project(tmp_path):
    (tmp_path / "project.json").write_text(json.dumps({"name": "p", "checks": [], "settings": {}}))
    (tmp_path / "gold.jsonl").write_text(json.dumps(GOLD) + "\n")
    return tmp_path


def sides(left, right):
    return [{"column": "base", "text": left}, {"column": "base, with retrieval", "text": right}]


@pytest.mark.parametrize(
    ("left", "right", "preferred"),
    [
        ("It costs €9.", "It costs €16.80.", "right"),
        ("It costs €16.80.", "I do not know.", "left"),
        ("€16.80", "A Bobber costs €16.80.", "tie"),
        ("€9", "€10", "tie"),
    ],
)
def test_the_scorer_prefers_the_one_right_answer(project, left, right, preferred):
    assert votes.scorer(project, GOLD["question"], left, right) == preferred


def test_votes_are_kept_and_their_agreement_counted(project):
    votes.vote(project, GOLD["question"], sides("It costs €9.", "It costs €16.80."), "right")  # the scorer agrees
    votes.vote(project, GOLD["question"], sides("It costs €9.", "It costs €16.80."), "left")  # and here it does not
    votes.vote(project, GOLD["question"], sides("€16.80", "€16.80"), "tie")  # and here it does
    votes.vote(project, "What is a boat?", sides("a", "b"), "left")  # no gold row: nothing to agree with
    found = votes.agreement(project)
    assert (found["votes"], found["gold"], found["agreed"]) == (4, 3, 2)
    assert (found["decided"], found["decided_agreed"], found["ties"]) == (2, 1, 1)
    assert found["wins"] == {"base, with retrieval": 1, "base": 2}
    assert "the scorer agrees with 2 of 3" in votes.sentence(found)


def test_a_vote_is_one_of_three(project):
    with pytest.raises(InputError, match="left, right or tie"):
        votes.vote(project, "x", sides("a", "b"), "<script>")
    assert votes.sentence(votes.agreement(project)) == "No blind votes yet."
