"""The long commands train and evaluate, and what their results rest on; comparison and freshness have their own.

Each takes the project's folder and a report(fraction, message, **numbers) that a job shows, and writes its manifest
(card.json, run.json) last, so that its existence means that the rest is there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftrag import answering, prompts, records, workflows
from ftrag import project as projects
from ftrag.conclusions import conclude
from ftrag.errors import InputError
from ftrag.reporting import Report
from ftrag.seen_rows import inspect_data as inspect_data
from ftrag.seen_rows import training_data as training_data
from ftrag.types import Example, Gold, Prompt

if TYPE_CHECKING:
    from ftrag.evaluation.checks import Reference
    from ftrag.evaluation.judge import Judge
    from ftrag.evaluation.plan import Asked
    from ftrag.evaluation.scorer import Scorer

BATCH_SECONDS = 1800.0  # of 16 answers at once: a slow machine must not turn into answers that count as cut off
# --- training


def train(project: Path, wanted: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Train a LoRA; the index is brought up to date as it ends (auto-RAG)."""
    from ftrag import tuning
    from ftrag.retrieval import store

    value = tuning.train(project, wanted, report)
    store.refresh(project)
    return value


def plan_training(project: Path, wanted: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """What a training would take, from a few measured steps: seconds, memory, steps, parameters. Trains nothing."""
    from ftrag import tuning

    return tuning.plan(project, wanted, report)


# --- evaluation


def oracle_passages(project: Path) -> Callable[[Gold], list[str]]:
    """A question's gold passages: its evidence, where an entry that names a document is that document's text."""
    from ftrag.retrieval import store

    texts = {document.name: document.text for document in store.documents(project)}
    return lambda gold: [texts.get(entry, entry) for entry in gold.evidence]


def runnable_arms(project: Path, adapter: str | None) -> list[str]:
    """The arms that this project can run: LoRA arms need an adapter, prompt arms training rows, and so on."""
    from ftrag.evaluation.arms import ARMS
    from ftrag.retrieval import store

    have = {
        "none": True,
        "retrieved": bool(store.chunks(project)),
        "oracle": any(row.evidence for row in workflows.gold_rows(project)),
    }
    shots = bool(workflows.training_rows(project))
    return [
        name
        for name, arm in ARMS.items()
        if have[arm.context] and (adapter or not arm.adapter) and (shots or not arm.few_shot)
    ]


def evaluate(
    project: Path,
    arms: Sequence[str] | None,
    report: Report,
    *,
    resume: bool = False,
    limit: int | None = None,
    adapter: str | None = None,
    k: int | None = None,
    judge: tuple[str, str] | None = None,
) -> dict[str, Any]:
    """The gold questions under every arm; causes, clusters, gates and the verdict. A stopped run can be resumed.

    judge: (address of an OpenAI-compatible API or "hub", model): a second opinion that decides nothing.
    """
    plan, gold = checked_plan(project, arms, limit, adapter, k)
    second = checked_judge(project, judge)
    folder = _run_folder(project, plan, resume)
    report(0.01, "loading the model")
    rows, whole = _answers(project, folder, plan, gold, report)
    if not whole:
        return {"run": folder.name, "stopped": f"{len(rows)} answers are kept; go on with --resume"}
    if second:
        rows, whole = _judged(folder, gold, rows, second, report)
    if not whole:
        return {"run": folder.name, "stopped": "the answers are kept; go on with --resume, with the judge or without"}
    report(0.96, "causes and verdict")
    facts = {"machine": records.machine(), "software": records.software()}
    run = conclude(project, folder.name, plan, gold, rows, facts)
    projects.write_json(folder / "run.json", run)
    return summary(run)


def _answers(
    project: Path, folder: Path, plan: Mapping[str, Any], gold: Sequence[Gold], report: Report
) -> tuple[list[dict[str, Any]], bool]:
    """Every row of the run, and whether that is all: answers in batches, then a few of each arm asked alone."""
    from ftrag.evaluation import alone, runner

    def told(begin: float, end: float) -> Callable[[float, str], None]:
        return lambda fraction, message: report(begin + (end - begin) * fraction, message)

    llm = checked_model(project, plan["adapter"])
    asked = planned(project, plan, gold, told(0.02, 0.03))
    limits = answering.generation(project, seconds=BATCH_SECONDS)
    answers = runner.answer_all(
        folder,
        asked,
        llm,
        settings=limits,
        score=scorer(project),
        later=alone.cost(asked, runner.cost),
        on_progress=told(0.03, 0.8),
        should_stop=report.should_stop,
    )
    rows = list(answers)
    if len(rows) < len(asked):
        return rows, False
    timed = alone.ask(folder, asked, rows, llm, limits, told(0.8, 0.95), report.should_stop)
    return (rows, False) if timed is None else (timed, True)


def planned(
    project: Path,
    plan: Mapping[str, Any],
    gold: Sequence[Gold],
    on_progress: Callable[[float, str], None] | None = None,
) -> list[Asked]:
    """Every prompt of a run, searched; on_progress(fraction, message). Reads no model."""
    from ftrag.evaluation import runner

    shots = few_shot(project)
    return runner.planned(
        gold,
        plan["arms"],
        workflows.reader(project, few_shot=shots),
        adapter=plan["adapter"],
        oracle=oracle_passages(project),
        few_shot=shots,
        k=plan["k"],
        on_progress=on_progress or (lambda fraction, message: None),
    )


def scorer(project: Path) -> Scorer:
    """What scores answers by the project's checks, its style, and its model's citations."""
    from ftrag.evaluation import scorer as scoring

    rewords = workflows.rewords(project)
    return scoring.scorer(workflows.checks(project), reference(project), embed=answering.meaning(), rewords=rewords)


def plan_evaluation(
    project: Path, arms: Sequence[str] | None = None, limit: int | None = None, adapter: str | None = None
) -> dict[str, Any]:
    """Before a run: {arms, n, seconds, basis, smallest_effect, needed: [{effect, questions}]}. Answers nothing.

    smallest_effect and needed hold for the arm that the verdict turns on, Holm-adjusted over the arms compared with
    base. seconds come from the newest run with these arms, else from the recorded example; None where neither is there.
    """
    from ftrag.evaluation import planner

    possible = runnable_arms(project, workflows.choose_adapter(project, adapter))
    chosen = [arm for arm in possible if arm == "base" or arms is None or arm in arms]
    n = len(workflows.gold_rows(project)[:limit])
    known = [projects.read_json(path) for path in sorted(project.glob("runs/*/run.json"), reverse=True)]
    earlier = [run for run in known if run["n"] >= planner.BATCH]  # fewer make smaller batches, which are faster
    example = projects.EXAMPLES / "support" / "recorded" / "run.json"
    recorded = [projects.read_json(example)] if example.exists() else []
    return {"arms": chosen, "n": n} | planner.duration(chosen, n, [*earlier, *recorded]) | planner.reach(chosen, n)


def checked_plan(
    project: Path, arms: Sequence[str] | None, limit: int | None, adapter: str | None, k: int | None
) -> tuple[dict[str, Any], list[Gold]]:
    """What will be run, checked before anything slow happens: arms, adapter, leaks."""
    from ftrag.evaluation import trust
    from ftrag.evaluation.arms import ARMS
    from ftrag.retrieval import store

    gold = workflows.gold_rows(project)[:limit]
    chosen = workflows.choose_adapter(project, adapter)
    possible = runnable_arms(project, chosen)
    for arm in arms or []:
        if arm not in ARMS:
            raise InputError(f"there is no arm {arm!r}; the arms are {', '.join(ARMS)}")
        if arm not in possible:
            need = "an adapter: train one first" if ARMS[arm].adapter else "documents, gold evidence or training rows"
            raise InputError(f"the arm {arm} needs {need}")
    if arms and "base" not in arms:
        raise InputError("the arm base is needed: every other arm is compared with it")
    trust.no_leaks(gold, workflows.training_rows(project), store.documents(project))
    plan = {
        "arms": [arm for arm in ARMS if arm in (arms or possible)],
        "adapter": chosen,
        "limit": limit,
        "k": k or workflows.setting(project, "k"),
        "hashes": records.fingerprints(project, chosen),
    }
    return plan, gold


def checked_judge(project: Path, wanted: tuple[str, str] | None) -> Judge | None:
    """The judge that was asked for; InputError before anything slow happens if it cannot be one."""
    from ftrag import models
    from ftrag.evaluation import judge

    if wanted is None:
        return None
    own = projects.settings(project)["model"]
    row = models.MODELS.get(own)
    return judge.checked(*wanted, under_test=[own, *([row.title] if row else [])])


def _judged(
    folder: Path, gold: Sequence[Gold], rows: Sequence[Mapping[str, Any]], second: Judge, report: Report
) -> tuple[list[dict[str, Any]], bool]:
    """The rows with the judge's verdicts, and whether that is all: a run stopped here keeps what was judged."""
    from ftrag.evaluation import judge

    def progress(fraction: float, message: str) -> None:
        report(0.95 + 0.01 * fraction, message)

    found = list(judge.judge_rows(folder, gold, rows, second, progress, report.should_stop))
    return found, len(found) == len(rows)


def reference(project: Path) -> Reference:
    """What the checks of tone compare with: the style of the training answers."""
    from ftrag.evaluation import checks, style

    return checks.Reference(style.learn([row.response for row in workflows.training_rows(project)]))


def few_shot(project: Path) -> list[Example]:
    """The examples that the prompt arms show: the same ones for every question, chosen from the training rows."""
    from ftrag.evaluation.plan import pick_few_shot

    if not workflows.training_rows(project):
        return []
    return pick_few_shot(training_data(project, workflows.setting(project, "context_share")), n=3)


def _run_folder(project: Path, plan: Mapping[str, Any], resume: bool) -> Path:
    """A new folder, or the newest unfinished one with the same plan."""
    if resume:
        for path in sorted(project.glob("runs/*/plan.json"), reverse=True):
            if not (path.parent / "run.json").exists() and projects.read_json(path) == plan:
                return path.parent
    folder = project / "runs" / projects.new_id()
    projects.write_json(folder / "plan.json", plan)
    return folder


def checked_model(project: Path, adapter: str | None) -> Any:
    """The model with the adapter at hand, after the check that its base arm is the bare model."""
    from ftrag.evaluation import trust

    llm = workflows.ready_model(project, adapter)
    if adapter:
        trust.base_is_bare(llm, Prompt(prompts.chat("What is the capital of France?")))
    return llm


SUMMARY = (
    *("run", "arms", "differences", "interaction", "causes", "regressions", "excluded", "unscored", "clusters"),
    *("shopping", "costs", "judge", "gates", "decision"),
)


def summary(run: Mapping[str, Any]) -> dict[str, Any]:
    """What `evaluate` prints: the run without its rows."""
    return {key: run[key] for key in SUMMARY} | {
        "route": run["decision"]["route"],
        "reasons": run["reasons"],
        "minimum_detectable_effect": run["minimum_detectable_effect"],
    }
