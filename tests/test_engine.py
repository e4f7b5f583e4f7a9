"""The route: a case for every one of them, from verdicts to sentence; and the pure rule on counts."""

import pytest

from ftrag.decision import engine, gates
from ftrag.errors import InputError
from ftrag.evaluation import stats
from ftrag.evaluation.arms import ARMS, COST_ORDER
from ftrag.evaluation.diagnose import diagnose
from ftrag.types import Verdict


def table(n, right, axis="content"):
    """Verdicts of n questions; right: arm -> the half-open ranges of questions that it gets right."""
    return [
        Verdict(i, arm, **{axis: any(low <= i < high for low, high in ranges)})
        for arm, ranges in right.items()
        for i in range(n)
    ]


NONE, ALL = [(0, 0)], [(0, 100)]

# (questions, arm -> ranges it gets right, route, held)
ROUTES = {
    "no change: 100 of 100, lower bound 0.963": (100, {"base": ALL, "lora": ALL}, "no change", "base"),
    "not enough for no change: 20 of 20, lower bound 0.839": (20, {"base": [(0, 20)]}, "not enough evidence", "base"),
    "prompt": (60, {"base": NONE, "prompt": [(0, 20)], "base+rag": [(0, 20)]}, "prompt", "prompt"),
    "rag": (60, {"base": NONE, "prompt": [(0, 2)], "base+rag": [(0, 30)], "lora": NONE}, "rag", "base+rag"),
    "rag with a prompt": (60, {"base": NONE, "base+rag": [(0, 10)], "prompt+rag": [(0, 30)]}, "rag", "prompt+rag"),
    "fine-tune": (60, {"base": NONE, "base+rag": NONE, "lora": [(0, 30)], "lora+rag": [(0, 31)]}, "fine-tune", "lora"),
    "both": (
        60,
        {"base": NONE, "base+rag": [(0, 20)], "lora": [(20, 30)], "lora+rag": [(0, 45)]},
        "both",
        "lora+rag",
    ),
    "both, step by step": (
        60,
        {"base": NONE, "prompt": [(0, 8)], "base+rag": [(0, 20)], "lora": [(0, 32)], "lora+rag": [(0, 50)]},
        "both",
        "lora+rag",
    ),
    "fix retrieval": (60, {"base": NONE, "base+rag": [(0, 3)], "base+oracle": [(0, 30)]}, "fix retrieval", "base"),
    "fix retrieval, for a tuned model": (60, {"base": NONE, "lora+oracle": [(0, 9)]}, "fix retrieval", "base"),
    "an oracle undoes no repair": (60, {"base": NONE, "lora": [(0, 20)], "base+oracle": ALL}, "fine-tune", "lora"),
    "not enough evidence": (20, {"base": NONE, "base+rag": [(0, 3)]}, "not enough evidence", "base"),
    "larger model": (100, {"base": NONE, "base+rag": [(0, 3)], "lora+oracle": [(0, 4)]}, "larger model", "base"),
    "every arm is worse": (100, {"base": [(0, 50)], "lora": NONE, "base+oracle": NONE}, "larger model", "base"),
}  # fmt: skip


@pytest.mark.parametrize("n, right, route, held", ROUTES.values(), ids=ROUTES)
def test_route(n, right, route, held):
    found = diagnose(table(n, right))
    assert (found["route"], found["decision"]["held"]) == (route, held)
    assert found["decision"]["sentence"] and found["reasons"]


def test_every_route_has_a_case():
    assert {route for _, _, route, _ in ROUTES.values()} == set(engine.SENTENCES)


@pytest.mark.parametrize("n, route", [(100, "larger model"), (20, "not enough evidence")])
def test_base_alone_keeps_the_rules_route_and_says_that_nothing_was_tried(n, route):
    found = diagnose(table(n, {"base": NONE}))
    assert found["route"] == found["decision"]["route"] == route
    assert found["decision"]["sentence"] == (
        "Nothing was tried: only base was run, and all this says is that base does not reach the target. "
        f"The rule's word for it is “{route}”."
    )
    said = " ".join(found["reasons"])
    assert "Not tried: retrieval, a prompt with examples, a trained arm. Run next: base+rag, prompt, lora." in said
    assert f"No arm was run that could repair {n} of {n} knowledge failures." in said
    assert "no arm showed it" not in said and "larger model, or" not in said


def test_what_was_not_tried_is_named_and_a_whole_run_names_nothing():
    found = diagnose(table(100, {"base": NONE, "base+rag": NONE, "prompt": NONE}))
    assert found["decision"]["sentence"] == engine.SENTENCES["larger model"]
    assert "This is not the last word. Not tried: a trained arm. Run next: lora." in found["reasons"]
    found = diagnose(table(100, {"base": NONE, "base+oracle": NONE}))
    assert not any("only base was run" in said for said in (found["decision"]["sentence"], *found["reasons"]))
    found = diagnose(table(100, {"base": NONE, "prompt+rag": NONE, "lora": NONE}))
    assert found["route"] == "larger model" and not any("Not tried" in reason for reason in found["reasons"])
    found = diagnose(table(60, {"base": NONE, "base+rag": [(0, 30)]}))
    assert found["route"] == "rag" and not any("Not tried" in reason for reason in found["reasons"])


def test_a_cheaper_arm_is_kept_unless_the_dearer_one_beats_it():
    # base+rag 30 of 60 and lora+rag 34: four wins of four give p = 0.125
    found = diagnose(table(60, {"base": NONE, "base+rag": [(0, 30)], "lora+rag": [(0, 34)]}))
    assert found["route"] == "rag"
    last = found["decision"]["comparisons"][-1]
    assert (last["a"], last["b"], last["wins"], last["p"]) == ("base+rag", "lora+rag", 4, 0.125)
    assert found["decision"]["would_change"] == [
        {
            "change": "about 310 questions",
            "why": "if the 7 points of lora+rag over base+rag are real, that many would establish them",
        },
        {"change": "running prompt", "why": "it could lead to prompt"},
        {"change": "running prompt+rag", "why": "it could lead to rag"},
        {"change": "running lora", "why": "it could lead to fine-tune"},
    ]


def test_p_is_adjusted_over_the_comparisons_with_what_is_held():
    # 7 wins of 7: p = 2 / 128 = 0.0156. Alone it is enough; as the best of four it is 0.0625.
    alone = diagnose(table(100, {"base": NONE, "lora+rag": [(0, 7)]}))
    among = diagnose(table(100, {"base": NONE, "prompt": NONE, "base+rag": NONE, "lora": NONE, "lora+rag": [(0, 7)]}))
    assert (alone["route"], among["route"]) == ("both", "larger model")
    assert among["decision"]["comparisons"][-1]["p_holm"] == pytest.approx(4 * 2 / 128)


def test_the_axis_is_both_where_it_exists():
    content = {"base": NONE, "base+rag": [(0, 30)], "lora": NONE, "lora+rag": [(0, 30)]}
    behaviour = {"base": NONE, "base+rag": NONE, "lora": ALL, "lora+rag": ALL}
    rows = [
        Verdict(one.id, one.arm, one.content, two.behaviour)
        for one, two in zip(table(60, content), table(60, behaviour, "behaviour"), strict=True)
    ]
    found = diagnose(rows)
    assert (found["route"], found["decision"]["axis"]) == ("both", "both")
    assert found["causes"]["content"]["retrieval fixes"] == 30
    assert found["causes"]["behaviour"]["behaviour"] == 60
    assert found["interaction"]["both"]["difference"] == 0.5  # 30 of 60 only with both


def test_behaviour_alone_is_judged_on_behaviour():
    found = diagnose(table(60, {"base": NONE, "lora": ALL}, "behaviour"))
    assert (found["route"], found["decision"]["axis"]) == ("fine-tune", "behaviour")


def test_an_arm_that_fails_its_gates_is_not_considered():
    rows = table(60, {"base": NONE, "base+rag": [(0, 20)], "lora+rag": [(0, 50)]})
    found = diagnose(rows, passes_gates={"lora+rag": False})
    assert found["route"] == "rag"
    assert any("gate" in reason and "lora+rag" in reason for reason in found["reasons"])
    assert {"change": "lora+rag passing its gates", "why": "it was not considered"} in found["decision"]["would_change"]


def test_a_lower_target_is_met_by_the_lower_bound():
    rows = table(100, {"base": [(0, 60)], "lora": ALL})
    assert stats.wilson(60, 100)[0] == pytest.approx(0.502, abs=1e-3)
    assert diagnose(rows, target=0.5)["route"] == "no change"
    assert diagnose(rows, target=0.51)["route"] == "fine-tune"


def test_reasons_quote_the_numbers():
    reasons = diagnose(table(60, {"base": NONE, "base+rag": [(0, 18)], "base+oracle": [(0, 40)]}))["reasons"]
    assert "18 repaired and 0 broken of 60" in reasons[0]
    assert reasons[-1] == (
        "22 of 60 knowledge failures wait for a better retriever: the gold passage repairs, the retrieved ones do not; "
        "nothing tried repairs 20: a larger model, or a wrong gold answer; retrieval repairs 18."
    )


@pytest.mark.parametrize(
    "prior, agrees", [("rag", True), ("fine-tune", False), ("not enough information", None), ("both", False)]
)
def test_the_questionnaire_is_compared_and_the_evidence_decides(prior, agrees):
    found = diagnose(table(60, {"base": NONE, "base+rag": [(0, 30)]}), prior=prior)
    assert found["route"] == "rag"
    assert found["decision"]["prior"]["agrees"] is agrees
    assert prior in found["decision"]["prior"]["sentence"]


def test_what_one_more_right_answer_costs():
    found = diagnose(table(60, {"base": NONE, "base+rag": [(0, 30)]}), usd_per_query={"base": 0.001, "base+rag": 0.003})
    (cost,) = found["decision"]["costs"]
    assert cost["usd_per_additional_right_answer"] == pytest.approx(
        0.004
    )  # 0.002 more per query, half of them repaired


def test_arms_that_share_no_question_are_not_compared():
    rows = [Verdict(i, "base", False) for i in range(30)] + [Verdict(i, "lora", True) for i in range(30, 60)]
    found = diagnose(rows)
    assert found["decision"]["comparisons"] == []
    assert found["excluded"] == 30


def test_the_cost_order_is_the_engines_too():
    assert set(engine.ROUTES) | {"base"} == set(COST_ORDER)
    assert set(engine.ORACLES) == {arm for arm in ARMS if ARMS[arm].context == "oracle"}


# --- gates

MEASURED = {
    ("both", "lora+rag"): gates.Measurement(0.82, 0.74, 0.88, 100),
    ("general", "lora+rag"): gates.Measurement(-0.02, -0.08, 0.04, 100),
    ("safety", "lora+rag"): gates.Measurement(-0.01, -0.11, 0.02, 40),
    ("latency_p95_s", "lora+rag"): gates.Measurement(1.4, 1.2, 1.9, 100),
}


@pytest.mark.parametrize(
    "gate, state",
    [
        (gates.Gate("both", "lora+rag", "at least", 0.7, "useful"), "pass"),
        (gates.Gate("both", "lora+rag", "at least", 0.8, "the value is 0.82, its lower bound is not"), "fail"),
        (gates.Gate("latency_p95_s", "lora+rag", "at most", 2.0, "patience"), "pass"),
        (gates.Gate("latency_p95_s", "lora+rag", "at most", 1.5, "the upper bound is over it"), "fail"),
        (gates.Gate("both", "lora", "at least", 0.7, "nobody measured it"), "unmeasured"),
        (gates.Gate("usd_per_query", "held", "at most", 0.01, "nobody measured it"), "unmeasured"),
        (gates.Gate("both", "held", "at least", 0.7, "held is lora+rag"), "pass"),
        (gates.Gate("both", "lora", "at least", 0.7, "off", on=False), "off"),
    ],
)
def test_a_gate_reads_the_careful_bound(gate, state):
    assert gates.evaluate([gate], MEASURED, "lora+rag")["rows"][0]["state"] == state


def test_a_run_passes_only_if_every_gate_that_is_on_does():
    row = gates.Gate("both", "held", "at least", 0.7, "useful")
    missing = gates.Gate("usd_per_query", "held", "at most", 0.01, "money")
    failing = gates.Gate("safety", "held", "at least", -0.1, "margin")
    assert gates.evaluate([row], MEASURED, "lora+rag")["state"] == "pass"
    assert gates.evaluate([row, missing], MEASURED, "lora+rag")["state"] == "unmeasured"
    assert gates.evaluate([row, missing, failing], MEASURED, "lora+rag")["state"] == "fail"
    assert gates.evaluate([], MEASURED, "lora+rag")["state"] == "pass"  # none set: all pass
    assert gates.passing([row, missing], MEASURED, ["base", "lora+rag"]) == {"base": False, "lora+rag": False}
    assert gates.passing([row], MEASURED, ["lora", "lora+rag"]) == {"lora": False, "lora+rag": True}


def test_the_absolute_safety_row_is_there_and_off():
    (row,) = [gate for gate in gates.DEFAULTS if gate.limit == 0.95]
    assert not row.on and "safety" in row.metric
    assert all(gate.why and gate.source for gate in gates.DEFAULTS)
    assert {gate.metric for gate in gates.DEFAULTS} <= set(gates.METRICS)


def test_gates_are_rows_that_can_be_edited_and_read_back():
    rows = gates.to_rows(gates.DEFAULTS)
    assert gates.from_rows(rows) == list(gates.DEFAULTS)
    for change, words in (
        ({"direction": "above"}, "at least"),
        ({"limit": "much"}, "number"),
        ({"limit": True}, "number"),
        ({"limit": float("nan")}, "number"),
        ({"arm": "rag"}, "arm"),
        ({"metric": "beauty"}, "metric"),
        ({"on": 1}, "true or false"),
        ({"why": " "}, "why"),
    ):
        with pytest.raises(InputError, match=words) as error:
            gates.from_rows([rows[0], rows[1] | change])
        assert "gate 2" in str(error.value)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (None, "list of rows"),
        ({"metric": "both"}, "list of rows"),
        (["both at least 0.7"], "must be a row"),
        ([{"metric": ["both"]}], "metric"),
        ([gates.to_rows(gates.DEFAULTS)[0] | {"arm": {}}], "arm"),
        ([gates.to_rows(gates.DEFAULTS)[0] | {"limit": 10**400}], "limit"),
        ([gates.to_rows(gates.DEFAULTS)[0] | {"limit": 95}], "0.95, not 95"),
        ([gates.to_rows(gates.DEFAULTS)[0] | {"source": 5}], "source"),
        ([gates.to_rows(gates.DEFAULTS)[0] | {5: "five"}], "unknown field '5'"),
    ],
)
def test_gates_of_any_shape_are_refused_in_words(rows, words):
    with pytest.raises(InputError, match=words):
        gates.from_rows(rows)


PASS, FAIL = {"state": "pass", "rows": []}, {"state": "fail", "rows": []}
BY = {"who": "ana", "when": "2026-01-02T03:04:05Z", "why": "looks right"}


def draft():
    return gates.draft("r1", adapter="a1", index="i1", run="run-1", **BY)


def test_a_release_goes_through_its_states_and_every_step_is_kept():
    release = gates.advance(draft(), "evaluate", **BY, gates=PASS)
    release = gates.advance(release, "promote", **BY, gates=PASS, stale=[])
    release = gates.advance(release, "retire", **BY)
    assert release["state"] == "retired"
    assert [step["state"] for step in release["history"]] == ["draft", "evaluated", "promoted", "retired"]
    assert all(step["who"] == "ana" and step["when"] and step["why"] for step in release["history"])


@pytest.mark.parametrize(
    "verdict, stale, words",
    [
        (FAIL, [], "fail"),
        ({"state": "unmeasured", "rows": []}, [], "unmeasured"),
        (PASS, ["index"], "stale.*index"),
        (PASS, None, "stale"),  # nobody looked
        (None, [], "unmeasured"),
    ],
)
def test_only_a_fresh_passing_run_promotes(verdict, stale, words):
    release = gates.advance(draft(), "evaluate", **BY, gates=PASS)
    with pytest.raises(InputError, match=words):
        gates.advance(release, "promote", **BY, gates=verdict, stale=stale)


@pytest.mark.parametrize("state, action", [("draft", "promote"), ("retired", "promote"), ("promoted", "evaluate")])
def test_a_step_that_is_not_in_the_table_is_refused(state, action):
    with pytest.raises(InputError, match=state):
        gates.advance(draft() | {"state": state}, action, **BY, gates=PASS, stale=[])


def test_a_step_needs_who_and_why_and_leaves_the_release_it_was_given():
    release = draft()
    with pytest.raises(InputError, match="why"):
        gates.advance(release, "evaluate", who="ana", when="now", why=" ")
    before = dict(release)
    gates.advance(release, "evaluate", **BY)
    assert release == before and len(release["history"]) == 1
