"""What becomes of a run: only a fresh, passing run that found something is promoted, and every step is kept."""

import json

import pytest

from ftrag import outcomes, workflows
from ftrag import project as projects
from ftrag.errors import InputError, NotFound

NUMBERS = {"content": 0.9, "behaviour": None, "both": None, "n": 60, "content_n": 60}
TIMES = {"latency_p50_s": 1.0, "latency_p95_s": 2.0, "tokens": 30.0, "prompt_chars": 400.0}


@pytest.fixture
def project(home):
    workflows.new(home, "demo", "support")
    return home / "projects" / "demo"


def stored(project, run="r", route="rag", held="base+rag", adapter=None):
    """A finished run whose hashes are those of now, so that it is fresh."""
    from ftrag.records import fingerprints

    value = {
        "run": run,
        "created": "2026-01-02T03:04:05Z",
        "adapter": adapter,
        "n": 60,
        "decision": {"route": route, "held": held},
        "arms": dict.fromkeys(("base", held), NUMBERS | TIMES),
        "hashes": fingerprints(project, adapter),
    }
    projects.write_json(project / "runs" / run / "run.json", value)


def test_a_fresh_passing_run_is_promoted_and_replaces_the_old_one(project):
    stored(project, "one")
    stored(project, "two")
    assert outcomes.promoted(project) is None
    assert outcomes.promote(project, "one", who="ana", why="first")["state"] == "promoted"
    assert outcomes.promote(project, "two", who="ben", why="second")["release"] == "r2"
    first, second = outcomes.releases(project)
    assert [step["state"] for step in first["history"]] == ["draft", "evaluated", "promoted", "retired"]
    assert [(step["who"], step["why"]) for step in first["history"]][-1] == ("ben", "replaced by r2")
    assert outcomes.promoted(project) == second and second["adapter"] is None
    assert outcomes.retire(project, "r2", "ana", "it is old")["state"] == "retired"
    assert outcomes.promoted(project) is None
    with pytest.raises(NotFound, match="no release 'r9'"):
        outcomes.retire(project, "r9", "ana", "why")


@pytest.mark.parametrize("route", ["fix retrieval", "larger model", "not enough evidence"])
def test_a_verdict_that_found_nothing_better_promotes_nothing(project, route):
    stored(project, route=route, held="base")
    with pytest.raises(InputError, match="found no arm worth promoting"):
        outcomes.promote(project, "r", who="ana")
    assert outcomes.releases(project) == []


def test_a_stale_run_is_refused_by_what_changed_and_its_release_waits(project):
    stored(project)
    rows = (project / "gold.jsonl").read_text().splitlines()
    (project / "gold.jsonl").write_text("\n".join(rows[1:]) + "\n")
    with pytest.raises(InputError, match=r"stale \(data\)"):
        outcomes.promote(project, "r", who="ana")
    (waiting,) = outcomes.releases(project)
    assert waiting["state"] == "evaluated" and outcomes.promoted(project) is None
    (project / "gold.jsonl").write_text("\n".join(rows) + "\n")
    assert outcomes.promote(project, "r", who="ana")["release"] == "r1"  # the same release goes on
    assert [step["state"] for step in outcomes.releases(project)[0]["history"]] == [
        "draft", "evaluated", "evaluated", "promoted",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("metric", "limit", "words"), [("latency_p95_s", 1.0, "fail latency"), ("behaviour", 0.5, "unmeasured behaviour")]
)
def test_a_failing_and_an_unmeasured_gate_refuse(project, metric, limit, words):
    stored(project)
    direction = "at most" if metric == "latency_p95_s" else "at least"
    row = {"metric": metric, "arm": "held", "direction": direction, "limit": limit, "why": "ours"}
    projects.update(project, gates=[row])
    with pytest.raises(InputError, match=words):
        outcomes.promote(project, "r", who="ana")
    assert json.loads((project / "releases.json").read_text())[0]["state"] == "evaluated"
