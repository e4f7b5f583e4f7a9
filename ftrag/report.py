"""One page about a run, from what the run stored: the same bytes every time, as HTML, Markdown or JSON.

A run of any age is reported: what it does not hold is left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ftrag.errors import InputError
from ftrag.evaluation.arms import ARMS, AXES
from ftrag.evaluation.attribution import ADVICE, CAUSES
from ftrag.evaluation.stats import wilson
from ftrag.report_findings import costs, doubts, in_order, to_get, verdict
from ftrag.report_judge import section as judge
from ftrag.report_marks import LEGEND
from ftrag.report_parts import Plot, Section, Table
from ftrag.report_rows import examples, questions
from ftrag.report_words import explained

FORMS = ("html", "md", "json")
SHARES = ("p50", "p95")


def render(run: Mapping[str, Any], form: str) -> str:
    """The report of a stored run. InputError for an unknown form."""
    if form not in FORMS:
        raise InputError(f"a report is {', '.join(FORMS)}, not {form!r}")
    if form == "json":
        return json.dumps(run, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    if form == "md":
        from ftrag.report_markdown import page as written

        return written(run, title(run), sections(run))
    from ftrag.report_html import page

    return page(run, title(run), sections(run))


def sections(run: Mapping[str, Any]) -> list[Section]:
    """What the page says, in the order in which it is read."""
    found = [
        Section("Verdict", verdict(run)),
        Section("What would change it", _would_change(run)),
        Section("Every arm", _arms(run)),
        Section("Paired differences", (*_differences(run), *_interaction(run))),
        Section("What a judge says", judge(run)),
        Section("Causes", (*_causes(run), *_regressions(run))),
        Section("What to get", to_get(run)),
        Section("Failures that are alike", _clusters(run)),
        Section("Gates", _gates(run)),
        Section("Costs", costs(run)),
        Section("Answers to doubt", tuple(doubts(run))),
        Section("Method and limits", _method(run)),
        Section("What it rests on", (_facts(run),)),
    ]
    kept = [section for section in found if section.parts]
    looked_up = [
        Section("Examples of each cause", examples(run), appendix=True),
        Section("Every question", questions(run), appendix=True),
    ]
    return [*kept, *explained(kept), *(section for section in looked_up if section.parts)]


def title(run: Mapping[str, Any]) -> str:
    name = run.get("title") or run.get("project") or "An evaluation"
    return f"{name}: {_decision(run).get('route', 'no verdict')}"


def _decision(run: Mapping[str, Any]) -> Mapping[str, Any]:
    return run.get("decision") or {}


def _would_change(run: Mapping[str, Any]) -> tuple[str, ...]:
    rows = _decision(run).get("would_change") or []
    return tuple(f"{row['change'][0].upper()}{row['change'][1:]}: {row['why']}." for row in rows)


def share(value: float | None, n: int) -> str:
    """A share in percent with its 95 % Wilson interval."""
    if value is None:
        return "–"
    low, high = wilson(round(value * n), n)
    return f"{value * 100:.0f} % ({low * 100:.0f}–{high * 100:.0f})"


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f} s"


def _arms(run: Mapping[str, Any]) -> tuple[str | Table | Plot, ...]:
    rows = [
        (
            arm,
            *(share(numbers.get(axis), numbers.get(f"{axis}_n", numbers["n"])) for axis in (*AXES, "both")),
            str(numbers["n"]),
            ARMS[arm].why if arm in ARMS else "",
        )
        for arm, numbers in in_order(run.get("arms", {}))
    ]
    headers = ("arm", "content", "behaviour", "both", "n", "what it shows")
    note = "Shares of right answers with their 95 % Wilson interval, cheapest arm first, diagnoses last."
    return (Plot("arms"), Table(headers, tuple(rows)), note, *_times(run)) if rows else ()


def _times(run: Mapping[str, Any]) -> tuple[Table, str]:
    rows = [
        (
            arm,
            *(_seconds(numbers.get(f"{kind}_{share}_s")) for kind in ("first_token", "latency") for share in SHARES),
            f"{numbers['tokens']:.1f}" if "tokens" in numbers else "–",
        )
        for arm, numbers in in_order(run.get("arms", {}))
    ]
    headers = ("arm", "first token p50", "first token p95", "answer p50", "answer p95", "tokens")
    return Table(headers, tuple(rows)), timing(run)


def timing(run: Mapping[str, Any]) -> str:
    """What the times of a run's arms are times of."""
    alone = max((numbers.get("alone", 0) for numbers in run.get("arms", {}).values()), default=0)
    if not alone:
        return "Time includes the search. Measured while answers were given 16 at a time, so one alone is faster."
    asked = "Two questions per arm were asked alone: those of middle and of nearly longest answer."
    return f"Time includes the search. {asked}"


def _differences(run: Mapping[str, Any]) -> tuple[str | Table | Plot, ...]:
    rows = [
        (
            row["axis"],
            f"{row['b']} − {row['a']}",
            f"{row['difference'] * 100:+.1f}",
            f"{row['low'] * 100:+.1f} to {row['high'] * 100:+.1f}",
            str(row["wins"]),
            str(row["losses"]),
            str(row["ties"]),
            "< 0.0001" if row["p"] < 0.0001 else f"{row['p']:.4f}",
        )
        for row in run.get("differences", [])
        if row["n"]
    ]
    headers = ("axis", "difference", "points", "95 % interval", "repaired", "broken", "same", "p")
    note = "On the same questions. p is exact McNemar of one comparison; the verdict adjusts it for all it makes."
    return (Plot("differences"), Table(headers, tuple(rows)), note) if rows else ()


def _interaction(run: Mapping[str, Any]) -> list[str]:
    said = []
    for axis, value in (run.get("interaction") or {}).items():
        if value:
            verb = "more" if value["difference"] >= 0 else "less"
            said.append(
                f"{axis}: retrieval gains {abs(value['difference']) * 100:.0f} points {verb} on the tuned model than "
                f"on the base model (95 % interval {value['low'] * 100:+.0f} to {value['high'] * 100:+.0f})."
            )
    return said


def _causes(run: Mapping[str, Any]) -> list[Table]:
    causes = run.get("causes", {})
    names = [name for name in CAUSES if any(counts.get(name) for counts in causes.values())]
    rows = [(name, *(str(causes.get(axis, {}).get(name, "–")) for axis in AXES), ADVICE[name]) for name in names]
    return [Table(("cause", *AXES, "what to do"), tuple(rows))] if rows else []


def _regressions(run: Mapping[str, Any]) -> list[str]:
    broken = [
        f"{arm} ({', '.join(f'{count} {axis}' for axis, count in counts.items() if count)})"
        for arm, counts in run.get("regressions", {}).items()
        if any(counts.values())
    ]
    return [f"Wrong although base is right: {'; '.join(broken)}."] if broken else []


def _clusters(run: Mapping[str, Any]) -> tuple[str | Table | Plot, ...]:
    rows = [
        (
            str(number),
            one["axis"],
            one["cause"],
            one["label"],
            f"{one['size']} of {one['of']}",
            ", ".join(f"{name} {count}" for name, count in one["slices"].items()) or "–",
            " · ".join(example["question"] for example in one["examples"]),
            one["advice"],
        )
        for number, one in enumerate(run.get("clusters") or [], 1)
    ]
    headers = ("#", "axis", "cause", "words", "size", "slices", "typical questions", "what to do")
    note = (
        "Within each cause, questions and answers are compared by meaning or words; a group is shown only where halves "
        f"of the failures confirm it. In the plot alike failures lie near each other. {LEGEND}"
    )
    return (Plot("clusters"), Table(headers, tuple(rows), dense=True), note) if rows else ()


def _gates(run: Mapping[str, Any]) -> tuple[str | Table | Plot, ...]:
    gates = run.get("gates") or {}
    if not isinstance(gates, Mapping) or not gates.get("rows"):
        return ()
    rows = [
        (
            row["metric"],
            row["arm"],
            f"{row['direction']} {row['limit']:g}",
            "–" if row["value"] is None else f"{row['value']:.4g}",
            "–" if row["bound"] is None else f"{row['bound']:.4g}",
            row["state"],
            row["why"],
        )
        for row in gates["rows"]
    ]
    note = "A gate reads the careful end of the 95 % interval; what was not measured does not pass."
    headers = ("metric", "arm", "gate", "measured", "careful bound", "state", "why")
    return (f"The gates of {gates['arm']}: {gates['state']}.", Table(headers, tuple(rows)), note)


def _method(run: Mapping[str, Any]) -> tuple[str, ...]:
    effect = run.get("minimum_detectable_effect")
    power = f"{effect * 100:.0f} points, if 5 % are broken" if effect is not None else "not known"
    unscored = ", ".join(f"{count} on {axis}" for axis, count in (run.get("unscored") or {}).items() if count)
    n, arms = run.get("n", len(run.get("rows", []))), len(run.get("arms", {}))
    return (
        f"{n} gold questions were answered under {arms} arms with the same prompt template and greedy decoding by "
        f"{run.get('model', 'the model')}. {run.get('excluded', 0)} questions were excluded for want of a base answer"
        f"{f'; not scored: {unscored}' if unscored else ''}.",
        "Each answer has two verdicts: content (are the facts right) and behaviour (do the project's checks hold). An "
        "arm that repairs a failure is its cause: the first that holds in a fixed table, repairs that can be deployed "
        "before diagnoses.",
        "Arms are tried in the order of their cost; one replaces what is held so far if its paired difference is "
        "positive and the exact McNemar p, Holm-adjusted over the comparisons with what is held, is below 0.05. "
        "Intervals of differences are bootstrap intervals with one imagined win and one imagined loss added.",
        f"An answer of graded content counts as right from {run.get('threshold', 0.7):g} of its key points. Costs take "
        "measured tokens at the prices of the cost model, which are assumed.",
        f"The smallest gain that so many questions show with power 0.8 is {power}.",
        "The result holds for this model and these questions. A larger model may read or behave without training.",
    )


def _facts(run: Mapping[str, Any]) -> Table:
    facts = {key: run.get(key) for key in ("run", "created", "machine", "model", "adapter", "k")}
    facts |= {f"hash of {name}": value for name, value in (run.get("hashes") or {}).items()}
    facts |= run.get("software") or {}
    return Table(("what", "value"), tuple((key, str(value)) for key, value in facts.items() if value is not None))
