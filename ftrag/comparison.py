"""The auto-RAG A/B: the gold questions on the same model without and with retrieved passages, paired."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ftrag import answering, records, workflows
from ftrag import project as projects
from ftrag.errors import InputError
from ftrag.experiments import BATCH_SECONDS, checked_model, checked_plan, scorer
from ftrag.reporting import Report
from ftrag.types import Gold, LanguageModel, Retriever, Verdict

MOST_PASSAGES = 20


def compare(
    project: Path,
    report: Report,
    ks: Sequence[int] = (),
    retrievers: Sequence[str] = ("bm25",),
    adapter: str | None = None,
) -> dict[str, Any]:
    """{n, k, retriever, adapter, arms, without, with, difference} of the first setting; several settings also `rows`.

    rows: [{retriever, k, with, difference, p_holm, best}], one per retriever and k; without retrieval is asked once.
    p_holm: Holm-adjusted over the rows. best: the largest difference, the fewest passages on a tie. Without `ks` the
    project's own k. The result is kept in comparisons/.
    """
    wanted = _wanted(retrievers, ks or (workflows.setting(project, "k"),))
    plan, gold = checked_plan(project, None, None, adapter, wanted[0][1])
    arms, rests_on = _arms(plan), records.rests_on(project)
    opened = {name: workflows.reader(project, name) for name, _ in wanted}  # a bad one fails before the model loads
    report(0.01, "loading the model")
    llm = checked_model(project, plan["adapter"])
    folder = project / "comparisons" / projects.new_id()

    def asked(part: int, arm: str, name: str, k: int) -> list[dict[str, Any]]:
        said = "without retrieval" if part == 0 else f"{name}, {k} passages"

        def told(share: float, text: str) -> None:
            report(0.02 + 0.97 * (part + share) / (len(wanted) + 1), f"{said}: {counted(text)}")

        return _asked(project, folder / f"{part:02}", gold, arm, llm, opened[name], plan["adapter"], k, told)

    without = asked(0, arms[0], *wanted[0])
    rows = [_paired(without, asked(i, arms[1], *one), arms, *one) for i, one in enumerate(wanted, start=1)]
    value = {"n": len(gold), "adapter": plan["adapter"], "arms": list(arms), "without": _summed(without, arms[0])}
    value |= {"rests_on": rests_on} | {key: rows[0][key] for key in ("k", "retriever", "with", "difference")}
    if len(rows) > 1:
        value["rows"] = _ranked(rows)
    projects.write_json(folder / "comparison.json", value)
    return value


def _asked(
    project: Path,
    folder: Path,
    gold: Sequence[Gold],
    arm: str,
    llm: LanguageModel,
    retriever: Retriever,
    adapter: str | None,
    k: int,
    told: Callable[[float, str], None],
) -> list[dict[str, Any]]:
    """The gold questions under one arm with one retriever."""
    from ftrag.evaluation import runner

    rows = runner.run(
        folder,
        gold,
        [arm],
        llm,
        retriever,
        adapter=adapter,
        k=k,
        settings=answering.generation(project, seconds=BATCH_SECONDS),
        score=scorer(project),
        on_progress=told,
    )
    return list(rows)


def counted(text: str) -> str:
    """The runner's message without the time of its one part: the job says how long all parts take."""
    return text.partition(", about ")[0]


def _arms(plan: Mapping[str, Any]) -> tuple[str, str]:
    """Without and with retrieval, of the newest adapter where there is one."""
    arms = ("lora", "lora+rag") if plan["adapter"] else ("base", "base+rag")
    if missing := set(arms) - set(plan["arms"]):
        raise InputError(f"the comparison needs {' and '.join(sorted(missing))}; ingest documents first")
    return arms


def check(retrievers: Sequence[str], ks: Sequence[int]) -> None:
    """InputError for a retriever or a number of passages that there cannot be: nothing is read for it."""
    from ftrag.retrieval.opening import KINDS

    if bad := [name for name in retrievers if name not in KINDS]:
        raise InputError(f"there is no retriever {bad[0]!r}; choose {', '.join(KINDS)}")
    if wrong := [k for k in ks if not 1 <= k <= MOST_PASSAGES]:
        raise InputError(f"k is {wrong[0]}; give 1 to {MOST_PASSAGES} passages")


def _wanted(retrievers: Sequence[str], ks: Sequence[int]) -> list[tuple[str, int]]:
    """Every retriever with every k, each pair once."""
    check(retrievers, ks)
    return [(name, k) for name in dict.fromkeys(retrievers) for k in dict.fromkeys(ks)]


def newest(project: Path) -> dict[str, Any] | None:
    """The newest finished comparison of a project with when it was made, None where there is none."""
    return records.newest_result(project, "comparisons", "comparison.json")


def _summed(rows: Sequence[dict[str, Any]], arm: str) -> dict[str, Any]:
    from ftrag.evaluation import runner

    summary: dict[str, Any] = runner.summarise(rows)[arm]
    return summary


def _paired(
    without: list[dict[str, Any]], with_: list[dict[str, Any]], arms: tuple[str, str], name: str, k: int
) -> dict[str, Any]:
    """One setting against none on the same questions: on both verdicts where questions have them, else on content."""
    from ftrag.evaluation import trust
    from ftrag.evaluation.attribution import by_question
    from ftrag.evaluation.diagnose import pairs
    from ftrag.evaluation.stats import compare as paired

    rows = [*without, *with_]
    trust.same_questions(rows, arms)
    verdicts = [Verdict(row["id"], row["arm"], row["content"], row["behaviour"]) for row in rows]
    summary, table = _summed(with_, arms[1]), {axis: by_question(verdicts, axis) for axis in ("both", "content")}
    both = pairs(table["both"], *arms)
    axis, compared = ("both", both) if both else ("content", pairs(table["content"], *arms))
    difference = {"axis": axis} | paired(compared)
    return {"retriever": name, "k": k, "with": summary, "difference": difference}


def _ranked(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    from ftrag.evaluation.stats import holm

    scored = [row for row in rows if row["difference"]["n"]]  # where nothing could be scored there is no p either
    adjusted = dict(zip(map(id, scored), holm([row["difference"]["p"] for row in scored]), strict=True))
    best = max(scored, key=lambda row: (row["difference"]["difference"], -row["k"]), default=None)
    return [row | {"p_holm": adjusted.get(id(row)), "best": row is best} for row in rows]
