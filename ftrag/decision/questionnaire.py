"""The questionnaire: answers in, recommendation out. It is a prior: measured results replace it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ftrag.decision import scoring
from ftrag.decision.advice import checklist, recipe, warnings
from ftrag.decision.answers import Answer, add_decide_arguments, answers_from, parse_answer, parse_answers
from ftrag.decision.cost import estimate, inputs_from_answers
from ftrag.decision.flips import would_change
from ftrag.decision.questions import QUESTIONS
from ftrag.decision.scoring import ROUTES, UNKNOWN, Tally, add, route_of, scores_of, tally_of

__all__ = ["QUESTIONS", "add_decide_arguments", "answers_from", "decide", "parse_answer", "verdict"]

SENTENCES = {
    "prompt": "Write a better prompt first; nothing you answered calls for retrieval or training yet.",
    "rag": "Supply the facts from your documents at the time of the question.",
    "fine-tune": "Teach the manner with your examples; retrieval is not needed.",
    "both": "Retrieve the facts and fine-tune the manner.",
    UNKNOWN: "Answer a question about your facts and one about style or behaviour.",
}


def verdict(answers: Mapping[str, str]) -> tuple[str, dict[str, int]]:
    """Route and scores alone, without costs and advice: what the property tests and the search use."""
    tally = add(tally_of(a.question, a.option) for a in parse_answers(answers).values())
    return route_of(tally), dict(zip(ROUTES, scores_of(tally), strict=True))


def decide(answers: Mapping[str, str], costs: Mapping[str, object] | None = None) -> dict[str, Any]:
    """The recommendation for a set of answers (question key -> value as typed); a missing question is skipped.

    `costs` overrides rows of the cost model (see `ftrag.decision.cost.estimate`). The result can be printed as JSON:
    {route, sentence, decided_by, scores, reasons, warnings, checklist, cost, would_change, recipe, skipped, answers}.
    Raises InputError for an unknown question or a value that cannot be read.
    """
    given = parse_answers(answers)
    tally = add(tally_of(a.question, a.option) for a in given.values())
    route = route_of(tally)
    scores = dict(zip(ROUTES, scores_of(tally), strict=True))
    return {
        "route": route,
        "sentence": SENTENCES[route],
        "decided_by": _decided_by(given, route, tally),
        "scores": scores,
        "reasons": [reason(answer) for answer in given.values()],
        "warnings": warnings(given, route, scores),
        "checklist": checklist(given, route),
        "cost": estimate({**inputs_from_answers(given), **(costs or {})}),
        "would_change": would_change(given, route),
        "recipe": recipe(given, route),
        "skipped": [question.key for question in QUESTIONS if question.key not in given],
        "answers": {key: answer.text for key, answer in given.items()},
    }


def reason(answer: Answer) -> dict[str, str]:
    """One row of "your answer -> effect -> why -> source"."""
    question, option = answer.question, answer.option
    moved = [f"{route} {points:+d}" for route, points in zip(ROUTES, option.points, strict=True) if points]
    hard = question.constraints.get(option.id)
    return {
        "factor": question.key,
        "answer": answer.text,
        "effect": "; ".join(([hard] if hard else []) + moved) or "none",
        "why": option.why,
        "source": question.source,
    }


def _decided_by(given: Mapping[str, Answer], route: str, tally: Tally) -> str:
    """Names the hard constraints without which the route would be another; otherwise the points decided."""
    if route == UNKNOWN:
        return "nothing yet"
    hard = scoring.NO_RAG | scoring.NO_TUNE | scoring.NEED_RAG | scoring.PROMPT_ENOUGH
    deciding = []
    for answer in given.values():
        rows = [(a, tally_of(a.question, a.option)) for a in given.values()]
        softened = add(Tally(t.points, t.bits & ~hard) if a is answer else t for a, t in rows)
        if answer.question.constraints.get(answer.option.id) and route_of(softened) != route:
            deciding.append(f"{answer.question.key} {answer.text} {answer.question.constraints[answer.option.id]}")
    return f"hard constraint: {'; '.join(deciding)}" if deciding else "points"
