"""The runs that ship with the examples: every number in them follows from their rows, and so does their report."""

import json
import re

import pytest

from ftrag import project as projects
from ftrag import workflows
from ftrag.errors import InputError
from ftrag.evaluation import alone
from ftrag.evaluation.attribution import cause
from ftrag.evaluation.stats import compare
from ftrag.experiments import evaluate
from ftrag.outcomes import promote
from ftrag.project import EXAMPLES
from ftrag.records import listing, load_run
from ftrag.report import render
from ftrag.reporting import Report

RECORDED = sorted(EXAMPLES.glob("*/recorded/run.json"))


@pytest.fixture(params=RECORDED, ids=lambda path: path.parent.parent.name)
def run(request):
    return json.loads(request.param.read_text())


def verdicts(run, arm, axis):
    """One verdict per question that has one."""
    said = [row["answers"][arm] for row in run["rows"] if arm in row["answers"]]
    if axis == "both":
        return [answer["content"] and answer["behaviour"] for answer in said]
    return [answer[axis] for answer in said]


def test_support_ships_a_recorded_run():
    assert "support" in [path.parent.parent.name for path in RECORDED]


def test_every_share_is_the_mean_of_its_rows(run):
    for arm, numbers in run["arms"].items():
        for axis in ("content", "behaviour"):
            values = [value for value in verdicts(run, arm, axis) if value is not None]
            assert numbers[axis] == (sum(values) / len(values) if values else None)


def test_every_difference_recomputes(run):
    for row in run["differences"]:
        pairs = [
            pair
            for pair in zip(verdicts(run, row["a"], row["axis"]), verdicts(run, row["b"], row["axis"]), strict=True)
            if None not in pair
        ]
        assert {key: row[key] for key in ("n", "wins", "losses", "p", "low", "high")} == {
            key: value for key, value in compare(pairs).items() if key not in ("difference", "ties")
        }


def test_every_cause_follows_from_the_table(run):
    for row in run["rows"]:
        for axis, name in row["cause"].items():
            right = {arm: said[axis] for arm, said in row["answers"].items() if said[axis] is not None}
            assert name == cause(right), row["id"]


def test_every_number_follows_from_the_rows(run):
    from tests.recompute import wrong

    if "costs" not in run:
        pytest.skip("recorded before costs were kept: python benchmarks/record.py --rebuild")
    assert wrong(run) == []


@pytest.mark.parametrize("form", ["html", "md", "json"])
def test_a_report_is_the_same_every_time_and_runs_nothing(run, form):
    text = render(run, form)
    assert text == render(json.loads(json.dumps(run)), form)
    if form == "html":
        assert "<script" not in text and not re.search(r'(?:src|href)="?http', text)
        assert run["decision"]["sentence"] in text


def test_what_a_model_wrote_is_text_in_the_report(run):
    run["rows"][0]["answers"]["base"]["text"] = "<img src=x onerror=alert(1)> | [a](javascript:b)"
    assert "<img" not in render(run, "html")
    assert "[a](javascript" not in render(run, "md")


def test_a_visitor_finds_the_recorded_run_and_cannot_promote_it(home):
    workflows.new(home, "support", "support", recorded=True)
    project = home / "projects" / "support"
    (found,) = listing(project)
    run = load_run(project, found["id"])
    assert found["recorded"] and run["stale"] == []
    rank = projects.read_json(project / "adapters" / run["adapter"] / "card.json")["settings"]["rank"]
    assert f"train demo --rank {rank} and evaluate demo" in run["reproduce"]
    with pytest.raises(InputError, match="evaluate this project yourself"):
        promote(project, found["id"], who="somebody")
    workflows.new(home, "mine", "support")
    assert listing(home / "projects" / "mine") == []


@pytest.mark.slow
def test_the_recorded_adapter_answers_again_as_recorded(home, monkeypatch):
    """The first questions under three arms with the real model: other batches in bfloat16 may flip a near tie."""
    monkeypatch.setattr(alone, "ask", lambda folder, asked, rows, *_: list(rows))  # no latency is compared here
    workflows.new(home, "support", "support", recorded=True)
    project = home / "projects" / "support"
    old = load_run(project, workflows.RECORDED)
    arms, count = ["base", "base+rag", "lora+rag"], 8
    found = load_run(project, evaluate(project, arms, Report(None), limit=count)["run"])
    assert found["adapter"] == old["adapter"]
    before = {(row["id"], arm): row["answers"][arm] for row in old["rows"] for arm in arms}
    again = {(row["id"], arm): row["answers"][arm] for row in found["rows"] for arm in arms}
    assert len(again) == count * len(arms)
    same = [before[key]["content"] == said["content"] for key, said in again.items()]
    same += [before[key]["behaviour"] == said["behaviour"] for key, said in again.items()]
    assert sum(same) >= 0.9 * len(same)
    assert [before[key]["sources"] for key in again] == [said["sources"] for said in again.values()]
