"""Everything that follows from the answers of a run: gates, prior, costs, causes, clusters, what to get, the verdict.

Reads the project's documents, cards and settings, and no language model, so that a stored run can be concluded again.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ftrag import evidence
from ftrag import project as projects
from ftrag.errors import FtragError, InputError, NotFound
from ftrag.types import Gold, Verdict

Rows = Sequence[Mapping[str, Any]]
AXES = ("content", "behaviour")
NO_CHECKS = "no behaviour checks"  # what checks.behaviour says where there are none


def conclude(
    project: Path,
    run: str,
    plan: Mapping[str, Any],
    gold: Sequence[Gold],
    rows: Rows,
    facts: Mapping[str, Any],
) -> dict[str, Any]:
    """run.json. facts: {machine, software} and, of a run that is concluded again, when it was created."""
    from ftrag.evaluation import trust
    from ftrag.evaluation.clusters import cluster
    from ftrag.evaluation.consensus import arms_agree_against_gold
    from ftrag.evaluation.shopping import shopping

    trust.same_questions(rows)
    value = _measured(project, run, plan, gold, rows) | dict(facts)
    found = _decided(project, value, rows)
    lost = evidence.places(project, gold, found["rows"], plan["k"])
    failures = evidence.failures(gold, rows, found["rows"], lost)
    kept = ("causes", "regressions", "excluded", "differences", "interaction", "minimum_detectable_effect", "decision")
    value |= {key: found[key] for key in (*kept, "reasons")}
    value |= {
        "costs": _costs(value["arms"], found["decision"]["axis"]),
        "clusters": cluster(failures, _embedder()),
        "shopping": shopping([row for row in failures if row["axis"] == "content"]),
        "suspects": {str(id_): row for id_, row in arms_agree_against_gold(rows).items()},
        "rows": evidence.opened(gold, rows, found["rows"], lost),
    }
    return value | {"gates": gate_result(project, value)}


def _measured(project: Path, run: str, plan: Mapping[str, Any], gold: Sequence[Gold], rows: Rows) -> dict[str, Any]:
    """What a run is and what its answers measure, before anything is concluded from them."""
    from ftrag.evaluation import judge, metrics, runner

    own = projects.settings(project)
    return {
        "run": run,
        **{key: own.get(key) for key in ("title", "description", "example", "model", "expected_route")},
        "project": own["name"],
        "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        **plan,
        "arms": runner.summarise(rows),
        "n": len(gold),
        "threshold": metrics.THRESHOLD,
        "unscored": unscored(rows),
        "judge": judge.summarise(rows),
        "forgetting": _forgetting(project, plan["adapter"]),
        "checks": len(own["checks"]),
    }


def _decided(project: Path, run: Mapping[str, Any], rows: Rows) -> dict[str, Any]:
    """What `diagnose` finds, told of the gates, the questionnaire and the costs.

    Gates that the project has set bind the verdict. Where it has set none, every arm passes, and the defaults decide
    over promotion alone; decision["gated"] then says what they would have changed.
    """
    from ftrag.decision import gates
    from ftrag.evaluation.diagnose import diagnose

    verdicts = [Verdict(row["id"], row["arm"], row["content"], row["behaviour"]) for row in rows]
    retrieved = {row["id"]: row["retrieved"] for row in rows if row["retrieved"] is not None}
    usd = {row["arm"]: row["usd"] for row in _costs(run["arms"], "content")}
    measured, arms = measurements(run), list(run["arms"])
    own = own_gates(project)
    passes = {} if own is None else gates.passing(own, measured, arms)
    found = diagnose(verdicts, retrieved, passes, prior=prior(project), usd_per_query=usd)
    if own is not None:
        return found
    passes = gates.passing(gates.DEFAULTS, measured, arms)
    gated = diagnose(verdicts, retrieved, passes)["decision"]
    failed = [arm for arm in arms if not passes[arm] and arm != "base" and "oracle" not in arm]
    found["decision"]["gated"] = {"route": gated["route"], "held": gated["held"], "failed": failed}
    return found


def decide_again(project: Path, run: Mapping[str, Any]) -> dict[str, Any]:
    """A stored run after the project's gates or answers have changed: its verdict and gates from its own rows."""
    rows = [
        {"id": row["id"], "arm": arm, "retrieved": row["retrieved"]} | {axis: said[axis] for axis in AXES}
        for row in run["rows"]
        for arm, said in row["answers"].items()
    ]
    found = _decided(project, run, rows)
    value = dict(run) | {"decision": found["decision"], "reasons": found["reasons"]}
    return value | {"gates": gate_result(project, value)}


def prior(project: Path) -> str:
    """The route that the project's answers to the questionnaire recommend; "" where it has not been answered."""
    from ftrag.decision.questionnaire import decide

    answers = projects.settings(project).get("answers")
    return str(decide(answers)["route"]) if answers else ""


def set_answers(project: Path, answers: Mapping[str, str]) -> str:
    """Keep answers to the questionnaire with the project; the route that they recommend. InputError for a bad one."""
    from ftrag.decision.questionnaire import decide

    if not answers:
        raise InputError("no question has been answered, so there is nothing to keep; answer one first")
    route = str(decide(answers)["route"])
    projects.update(project, answers=dict(answers))
    return route


def unscored(rows: Rows) -> dict[str, int]:
    """Answers without a verdict per axis; behaviour is left out where no check was asked for."""
    asked = {"content": list(rows), "behaviour": [row for row in rows if row["why"].get("behaviour") != NO_CHECKS]}
    return {axis: sum(row[axis] is None for row in mine) for axis, mine in asked.items() if mine}


def _costs(arms: Mapping[str, Any], axis: str) -> list[dict[str, Any]]:
    from ftrag.decision.query_cost import cost_rows

    return cost_rows(arms, axis)


def _embedder() -> Any:
    """Sentence embeddings for the clusters; None, so that words alone are compared, where they cannot be had."""
    from ftrag import models

    try:
        return models.embedder()
    except FtragError:
        return None


# --- gates


def own_gates(project: Path) -> list[Any] | None:
    """The gates that the project has set; None where it has set none. InputError for a row that cannot be read."""
    from ftrag.decision import gates

    rows = projects.settings(project).get("gates")
    return None if rows is None else gates.from_rows(rows)


def set_gates(project: Path, rows: Rows | None) -> None:
    """Keep edited gates with the project, or with None go back to the defaults. InputError names the row and field."""
    from ftrag.decision import gates

    if rows is not None:
        gates.from_rows(rows)
    projects.update(project, gates=None if rows is None else [dict(row) for row in rows])


def gate_result(project: Path, run: Mapping[str, Any]) -> dict[str, Any]:
    """The project's gates, else the defaults, on what the verdict holds: {state, arm, rows, set}."""
    from ftrag.decision import gates

    own = own_gates(project)
    rows = gates.DEFAULTS if own is None else own
    return gates.evaluate(rows, measurements(run), run["decision"]["held"]) | {"set": own is not None}


def measurements(run: Mapping[str, Any]) -> dict[tuple[str, str], Any]:
    """(metric, arm) -> Measurement: what the gates of a run read. Forgetting is measured for arms with the adapter."""
    from ftrag.decision.gates import Measurement
    from ftrag.evaluation.stats import wilson

    found = {}
    usd = {row["arm"]: row["usd"] for row in _costs(run["arms"], "content")}
    for arm, numbers in run["arms"].items():
        for axis in (*AXES, "both"):
            if numbers[axis] is not None:
                n = numbers[f"{axis}_n"]
                found[axis, arm] = Measurement(numbers[axis], *wilson(round(numbers[axis] * n), n), n)
        seconds = numbers["latency_p95_s"]
        found["latency_p95_s", arm] = Measurement(seconds, seconds, seconds, numbers.get("alone") or numbers["n"])
        found["usd_per_query", arm] = Measurement(usd[arm], usd[arm], usd[arm], numbers["n"])
        found |= _forgotten(run, arm)
    return found


def _forgotten(run: Mapping[str, Any], arm: str) -> dict[tuple[str, str], Any]:
    """General capability and safety of an arm against base: exactly 0 without the adapter, else as its card says."""
    from ftrag.decision.gates import Measurement
    from ftrag.evaluation.stats import wilson

    card = run.get("forgetting") or {}
    rows = {metric: card.get(metric) or {} for metric in ("general", "safety")}
    tuned = arm.startswith("lora")
    found = {(metric, arm): Measurement(0.0, 0.0, 0.0, row.get("n", 0)) for metric, row in rows.items() if not tuned}
    if tuned:
        found |= {
            (metric, arm): Measurement(row["difference"], row["low"], row["high"], row["n"])
            for metric, row in rows.items()
            if row.get("low") is not None
        }
    share = rows["safety"].get("adapter" if tuned else "base")
    if share is not None:
        n = rows["safety"]["n"]
        found["safety_absolute", arm] = Measurement(share, *wilson(round(share * n), n), n)
    return found


def _forgetting(project: Path, adapter: str | None) -> dict[str, Any] | None:
    """What the adapter's card says of general capability and safety; None where it was not measured."""
    try:
        card = projects.read_json(project / "adapters" / (adapter or "") / "card.json") if adapter else {}
    except NotFound:
        return None
    found = card.get("forgetting") or {}
    return {name: found[name] for name in ("general", "safety", "perplexity") if name in found} or None
