"""What follows from answers: gates that bind, prior, costs, what to get, hashes; a scripted model and real files."""

import json
import shutil

import pytest

from ftrag import conclusions, experiments, records, workflows
from ftrag import project as projects
from ftrag.errors import EvaluationBlocked, InputError
from ftrag.evaluation import planner, runner, stats
from ftrag.evaluation.scorer import scorer
from ftrag.llm import ScriptedLLM
from ftrag.prompts import split_context

ARMS = ("base", "base+rag", "base+oracle", "lora", "lora+rag")
FACTS = {"machine": "a test", "software": {}}
LOST = {"n": 350, "base": 0.5, "adapter": 0.4, "difference": -0.1, "low": -0.15, "high": -0.05, "state": "failed"}
KEPT = {"n": 64, "base": 0.5, "adapter": 0.5, "difference": 0.0, "low": -0.02, "high": 0.02, "state": "passed"}


@pytest.fixture
def project(demo):
    projects.write_json(demo / "adapters" / "a1" / "card.json", {"forgetting": {"general": LOST, "safety": KEPT}})
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        (demo / "adapters" / "a1" / name).write_bytes(b"weights")
    return demo


def says(gold):
    """The fact where a passage holds it; the house voice only with the adapter."""
    facts = {row.question: row.evidence[0] for row in gold if row.evidence}

    def script(prompt):
        passages, question = split_context(prompt.messages[-1]["content"])
        fact = facts.get(question.strip(), "")
        said = fact if fact and any(fact in passage for passage in passages) else "It is the usual one."
        return f"Short answer: {said} – Your Oarlane dock desk" if prompt.adapter else said

    return ScriptedLLM(script)


def answered(project, n=24, arms=ARMS, **changes):
    gold = workflows.gold_rows(project)[:n]
    rows = list(
        runner.run(
            project / "runs" / "r",
            gold,
            arms,
            says(gold),
            workflows.retriever(project),
            adapter="a1",
            oracle=experiments.oracle_passages(project),
            score=scorer(workflows.checks(project), experiments.reference(project)),
        )
    )
    plan = {"adapter": "a1", "limit": n, "k": 3, "hashes": records.fingerprints(project, "a1")}
    return conclusions.conclude(project, "r", plan, gold, rows, FACTS), rows, plan, gold


def test_gates_that_are_set_bind_the_verdict_and_defaults_only_say_what_they_would_change(project):
    run, rows, plan, gold = answered(project)
    assert (run["decision"]["route"], run["decision"]["held"]) == ("both", "lora+rag")
    assert run["gates"]["state"] == "fail" and run["gates"]["set"] is False  # general lost 10 points, -15 at the bound
    general = next(row for row in run["gates"]["rows"] if row["metric"] == "general")
    assert (general["value"], general["bound"], general["n"]) == (-0.1, -0.15, 350)
    assert run["decision"]["gated"]["failed"] == ["lora", "lora+rag"]
    assert run["decision"]["gated"]["route"] != "both"
    conclusions.set_gates(project, [row for row in _rows(run) if row["metric"] == "general"])
    bound = conclusions.conclude(project, "r", plan, gold, rows, FACTS)
    assert bound["decision"]["held"] == "base" and "gated" not in bound["decision"]
    assert any("gate" in reason and "lora+rag" in reason for reason in bound["reasons"])
    conclusions.set_gates(project, [])
    free = conclusions.conclude(project, "r", plan, gold, rows, FACTS)
    assert free["decision"]["route"] == "both" and free["gates"]["state"] == "pass"  # none set: all pass


def _rows(run):
    fields = ("metric", "arm", "direction", "limit", "why", "source", "on")
    return [{key: row[key] for key in fields} | {"arm": "held"} for row in run["gates"]["rows"]]


def test_answers_are_kept_by_command_and_a_bad_one_is_not(project, capsys):
    from ftrag.cli import main

    assert (
        main(["decide", "--knowledge-changes", "daily", "--needs-citations", "true", "--keep", "demo", "--json"]) == 0
    )
    assert json.loads(capsys.readouterr().out)["route"] == "rag"
    assert projects.settings(project)["answers"] == {"knowledge-changes": "daily", "needs-citations": "true"}
    assert conclusions.prior(project) == "rag"
    with pytest.raises(InputError, match="no question has been answered"):
        conclusions.set_answers(project, {})


@pytest.mark.parametrize("name", projects.examples())
def test_the_answers_of_an_example_recommend_what_it_was_built_for(name):
    from ftrag.decision.questionnaire import decide

    own = projects.read_json(projects.EXAMPLES / name / "project.json")
    assert decide(own["answers"])["route"] == own["expected_route"]


def test_a_gate_that_cannot_be_read_is_not_kept(project):
    with pytest.raises(InputError, match="gate 1: unknown metric"):
        conclusions.set_gates(project, [{"metric": "beauty"}])
    assert "gates" not in projects.settings(project)


def test_the_prior_the_costs_and_the_unscored_are_in_the_run(project):
    projects.update(project, answers={"knowledge-changes": "daily", "needs-citations": "true"})
    run, rows, _, _ = answered(project)
    assert run["decision"]["prior"]["route"] == "rag" and run["decision"]["prior"]["agrees"] is False
    assert run["unscored"] == {"content": 0, "behaviour": 0}
    base, rag = run["costs"][0], run["costs"][1]
    inputs = rag["inputs"]
    # (prompt tokens * price in + answer tokens * price out) / a million
    dollars = inputs["prompt_tokens"] * inputs["llm_input_usd"] + inputs["answer_tokens"] * inputs["llm_output_usd"]
    assert rag["usd"] == pytest.approx(dollars / 1e6)
    assert inputs["prompt_tokens"] == run["arms"]["base+rag"]["prompt_chars"] / 4
    both = run["costs"][-1]
    assert (base["arm"], both["arm"]) == ("base", "lora+rag")
    assert both["usd_per_additional"] == pytest.approx((both["usd"] - base["usd"]) / run["arms"]["lora+rag"]["both"])


def test_what_could_not_be_scored_is_counted_and_an_axis_nobody_asked_for_is_not():
    cut = {"content": None, "behaviour": None, "why": {"content": "cut off", "behaviour": "cut off"}}
    free = {"content": True, "behaviour": None, "why": {"behaviour": "no behaviour checks"}}
    assert conclusions.unscored([cut, cut]) == {"content": 2, "behaviour": 2}
    assert conclusions.unscored([free, free]) == {"content": 0}
    assert conclusions.unscored([free, cut]) == {"content": 1, "behaviour": 1}


def test_a_missing_document_is_on_the_shopping_list_by_what_was_asked_of_it(project):
    gold = workflows.gold_rows(project)[:24]
    lost = next(row for row in gold if row.evidence)
    for path in (project / "documents").iterdir():
        if lost.evidence[0] in path.read_text(encoding="utf-8"):
            path.unlink()
    from ftrag.retrieval import store

    store.refresh(project)
    run, _, _, _ = answered(project)
    row = next(row for row in run["rows"] if row["id"] == lost.id)
    assert row["cause"]["content"] == "retrieval bound" and row["evidence_place"]["state"] == "missing"
    assert any("no document holds" in sentence for sentence in run["shopping"])
    group = next(one for one in run["clusters"] if one["cause"] == "retrieval bound" and lost.id in one["ids"])
    assert "add one that answers" in group["advice"]


def test_arms_that_answered_different_questions_are_not_concluded(project):
    _, rows, plan, gold = answered(project)
    with pytest.raises(EvaluationBlocked, match="lora\\+rag lacks 1 of 24"):
        conclusions.conclude(project, "r", plan, gold, rows[:-1], FACTS)


def test_tone_is_measured_against_the_training_answers(project):
    projects.update(project, checks=[{"kind": "tone"}])
    _, rows, _, _ = answered(project, arms=("base", "lora"))
    shares = {arm: sum(row["behaviour"] for row in rows if row["arm"] == arm) / 24 for arm in ("base", "lora")}
    assert shares["lora"] > shares["base"] and None not in [row["behaviour"] for row in rows]


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ("adapters/a1/adapter_model.safetensors", "adapter"),
        ("adapters/a1/card.json", "adapter"),
        ("gold.jsonl", "data"),
        ("examples.jsonl", "data"),
        ("documents", "index"),
        ("prompts", "prompts"),
        ("scoring", "scoring"),
    ],
)
def test_a_run_is_stale_when_anything_it_rests_on_changes(project, changed, name, monkeypatch):
    run, _, _, _ = answered(project, 4)
    projects.write_json(project / "runs" / "r" / "run.json", run)
    assert records.load_run(project, "r")["stale"] == [] and records.stale_runs(project) == set()
    if changed == "prompts":
        from ftrag import prompts

        monkeypatch.setattr(prompts, "SYSTEM", "Answer otherwise.", raising=True)
    elif changed == "scoring":
        monkeypatch.setattr(records, "scoring", lambda: "another way to score")
    elif changed == "documents":
        (project / "documents" / "new.md").write_text("# New\n\nA new page.\n")
    elif changed.endswith("jsonl"):
        lines = (project / changed).read_text().splitlines()
        (project / changed).write_text("\n".join(lines[:-1]) + "\n")
    elif changed.endswith("json"):
        (project / changed).write_text(json.dumps({"forgetting": None}))
    else:
        (project / changed).write_bytes(b"other weights")
    assert records.load_run(project, "r")["stale"] == [name]
    assert records.stale_runs(project) == {"r"}


def test_an_adapter_without_its_weights_makes_a_run_stale(project):
    run, _, _, _ = answered(project, 4)
    projects.write_json(project / "runs" / "r" / "run.json", run)
    shutil.rmtree(project / "adapters" / "a1")
    assert "has no" in records.load_run(project, "r")["stale"][0] and records.stale_runs(project) == {"r"}


def test_before_a_run_its_time_and_reach_are_told(project):
    alone = {"alone": 6, "latency_p50_s": 1.0, "latency_p95_s": 2.0}
    arms = {"base": alone | {"batch_p95_s": 6.0}, "lora": alone | {"batch_p95_s": 8.0}}
    run = {"arms": arms, "created": "2026-01-02T"}  # 40 questions in batches of 16, then 6 of each arm one at a time
    assert planner.duration(["base", "lora"], 40, [run])["seconds"] == 3 * 6 + 3 * 8 + 2 * 6 * 1.5
    assert planner.duration(["base", "prompt"], 40, [run])["seconds"] is None
    plan = experiments.plan_evaluation(project, ["base", "base+rag"])
    assert plan["arms"] == ["base", "base+rag"] and plan["n"] == 72 and plan["comparisons"] == 1
    assert plan["smallest_effect"] == stats.minimum_detectable_effect(72)
    assert {row["effect"]: row["questions"] for row in plan["needed"]}[0.2] == stats.questions_needed(0.2)


def test_every_number_of_a_run_follows_from_its_rows_and_one_that_does_not_is_named(project):
    from tests.recompute import wrong

    run, _, _, _ = answered(project)
    run = json.loads(json.dumps(run))
    assert wrong(run) == []
    run["rows"][0]["answers"]["lora"]["behaviour"] = False
    named = wrong(run)
    assert "lora behaviour" in named and "lora - base behaviour wins" in named
