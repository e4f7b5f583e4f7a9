"""Both verdicts of an answer and all its scores, as a run keeps them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ftrag.evaluation import metrics
from ftrag.evaluation.asking import Said
from ftrag.evaluation.checks import NOTHING, Reference, behaviour
from ftrag.evaluation.citations import Embed
from ftrag.evaluation.grounding import faithfulness
from ftrag.evaluation.plan import Asked

Scorer = Callable[[Asked, Said], dict[str, Any]]


def scorer(
    checks: Sequence[Mapping[str, Any]] = (),
    reference: Reference = NOTHING,
    threshold: float = metrics.THRESHOLD,
    embed: Embed | None = None,
    rewords: bool = True,
) -> Scorer:
    """What gives {content, behaviour, scores, checks, why} for a question and its answer.

    Verdicts are None for an answer that was cut off by the time limit or never given. checks: the project's; those of
    the question come on top. embed: sentence embeddings for faithfulness, as the page's citations have them; rewords:
    as in `citations.align`.
    """

    def score(asked: Asked, said: Said) -> dict[str, Any]:
        if said.done not in {"stop", "length"}:
            reason = "cut off by the time limit" if said.done == "time" else said.done or "the model gave no answer"
            return {"content": None, "behaviour": None, "scores": {}, "why": {"content": reason, "behaviour": reason}}
        content = metrics.content(said.text, asked.gold)
        shown = Reference(reference.style, tuple(dict.fromkeys(chunk.document for chunk in asked.passages)))
        form, passed = behaviour(said.text, [*checks, *asked.gold.checks], shown)
        faithful = faithfulness(said.text, asked.passages, embed, rewords, asked.gold.question)
        scores = {"content": content.value, **content.parts, "behaviour": form.value, "faithfulness": faithful.value}
        return {
            "content": metrics.content_verdict(content, threshold),
            "behaviour": passed,
            "scores": scores,
            "checks": dict(form.parts),
            "why": {"content": content.why, "behaviour": form.why, "faithfulness": faithful.why},
        }

    return score
