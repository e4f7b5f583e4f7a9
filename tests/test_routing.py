"""The router: rules that learn from no gold row, and its agreement with the better arm."""

import pytest

from ftrag import answering, routing, workflows
from ftrag.errors import InputError


@pytest.fixture(scope="module")
def support(tmp_path_factory):
    root = tmp_path_factory.mktemp("routing")
    workflows.new(root, "support", "support", recorded=True)
    return root / "projects" / "support"


@pytest.mark.parametrize(
    ("question", "context"),
    [
        ("How long should I press the Bobber's button for pairing?", "retrieved"),
        ("hi, is ripple expensive? I'd only go rowing now and then", "retrieved"),  # a greeting before a question
        ("Hello!", "none"),  # all its words stand in a document, and still there is nothing to look up
        ("Write a haiku about autumn.", "none"),
        ("Who won the world cup in 1998?", "none"),
    ],
)
def test_a_question_is_looked_up_where_the_documents_speak_of_it(support, question, context):
    found = routing.routed(support, question)
    assert found["context"] == context, found["why"]
    assert found == routing.routed(support, question)


def run(*rows):
    """A run of two arms: (question, base right, base+rag right)."""
    return {
        "arms": {"base": {}, "base+rag": {}},
        "decision": {"axis": "content"},
        "rows": [
            {"id": place, "question": question, "answers": {"base": {"content": bare}, "base+rag": {"content": read}}}
            for place, (question, bare, read) in enumerate(rows)
        ],
    }


def test_agreement_counts_only_questions_that_one_arm_alone_gets_right(support):
    found = routing.agreement(
        run(
            ("What does a Bobber cost?", False, True),  # looked up, and that is right
            ("Write a haiku about autumn.", True, False),  # not looked up, and that is right
            ("What does the Ripple plan cost?", True, False),  # looked up, and that is wrong
            ("From how far away will the pillar pick up my Bobber?", True, True),  # either is as good
            ("Hello!", None, True),  # cannot be compared
        ),
        workflows.retriever(support),
    )
    (pair,) = found["pairs"]
    assert (pair["decided"], pair["agreed"]) == (3, 2)
    assert pair["agreement"] == 2 / 3
    assert pair["routed"] == 3 / 4  # wrong in the third of four
    assert pair["always"] == 2 / 4 and pair["never"] == 3 / 4
    assert (found["n"], found["retrieved"]) == (5, 3)


def test_the_recorded_run_has_its_agreement_in_words(support):
    found = routing.report(support)
    assert found["n"] == 72
    assert "gold questions" in routing.sentence(found)


def test_a_run_without_both_sides_cannot_be_compared(support):
    with pytest.raises(InputError, match="evaluate base and base"):
        routing.agreement({"arms": {"base": {}}, "rows": []}, workflows.retriever(support))


def test_a_column_may_leave_it_to_the_router(support):
    column = {"adapter": None, "context": "auto", "k": 2}
    assert answering.column_prompt(support, "Hello!", column)[1] == []
    assert len(answering.column_prompt(support, "What does a Bobber cost?", column)[1]) == 2


def test_passages_below_the_relevance_threshold_are_not_read(support):
    column = {"adapter": None, "context": "retrieved", "k": 10}
    question = "How long should I press the Bobber's button for pairing?"
    every = answering.column_prompt(support, question, column)[1]
    near = answering.column_prompt(support, question, column | {"minimum_match": 0.4})[1]
    assert (len(every), len(near)) == (10, 1)
