"""For programs: four typed endpoints, each over HTTP and as an MCP tool. Everything else of the page is private.

`search` and `ask` read the examples that ship with ftrag and nothing else, so no program can reach a visitor's project.
"""

# No `from __future__ import annotations`: gradio reads the return types of these functions as they stand.
import hashlib
import json
import shutil
import tempfile
import threading
from pathlib import Path
from typing import Any, Literal

import gradio as gr

from ftrag import answering, quotas, workflows
from ftrag import project as projects
from ftrag.errors import InputError
from ftrag.ui import session, texts

MAX_ROWS = 20_000  # of one `diagnose`
MAX_K = 20
YesNo = Literal["", "true", "false"]
_making = threading.Lock()


def build() -> None:
    """The endpoints, inside an open gr.Blocks."""
    for function, limit in ((decide, 4), (diagnose, 2), (search, 4), (ask, 2)):
        gr.api(session.guarded(function), api_name=function.__name__, concurrency_limit=limit)


def decide(
    knowledge_changes: Literal["", "daily", "weekly", "monthly", "quarterly", "yearly", "never"] = "",
    needs_citations: YesNo = "",
    problem: Literal["", "knowledge", "behaviour", "both"] = "",
    style_requirements: Literal["", "none", "low", "medium", "high"] = "",
    training_data: str = "",
    latency_requirement: str = "",
    monthly_queries: str = "",
    corpus_size: str = "",
    hardware: Literal["", "none", "hosted", "own"] = "",
    domain_syntax: YesNo = "",
    regulated: YesNo = "",
    evaluation_set: YesNo = "",
    prompting_tried: Literal["", "no", "failed", "worked"] = "",
    retraining: Literal["", "never", "yearly", "quarterly", "monthly", "weekly"] = "",
    languages: Literal["", "english", "several", "rare"] = "",
    data_may_leave: YesNo = "",
) -> dict[str, Any]:
    """
    Recommend prompting, retrieval (RAG), fine-tuning or both, with reasons, costs and what would change it. Every
    answer is optional; an empty one is skipped.

    Args:
        knowledge_changes: How often does the knowledge change?
        needs_citations: Must every answer be traceable to a source?
        problem: What is missing: knowledge, behaviour or both?
        style_requirements: How much do tone, style or output format matter?
        training_data: How many good examples of the wanted answer there are, like "200 examples"
        latency_requirement: How fast an answer must start, like "80ms" or "2s"
        monthly_queries: Questions a month, like "100000"
        corpus_size: How many documents hold the knowledge, like "300 documents"
        hardware: What can train and serve a tuned model?
        domain_syntax: Must domain terms be used like grammar?
        regulated: Is the content regulated, sensitive or legally binding?
        evaluation_set: Is there an evaluation set?
        prompting_tried: Have a better prompt and a few examples been tried?
        retraining: How often can you retrain?
        languages: Which languages?
        data_may_leave: May your data leave your network?

    Returns:
        route, scores, reasons, warnings, checklist, cost and would_change
    """
    given = dict(locals())  # the parameters are the questions, so nothing is named twice
    from ftrag.decision import questionnaire

    answers = {name.replace("_", "-"): str(value) for name, value in given.items() if value not in ("", None)}
    return questionnaire.decide(answers)


def diagnose(rows: list[dict[str, Any]], gold: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """
    Find what causes each failure of any system, and what to do: causes per question, paired differences, the route.

    Args:
        rows: {"id", "arm", "correct"} or {"id", "arm", "content", "behaviour"}, or {"id", "arm", "answer"} with gold;
            arm is base, prompt, base+rag, prompt+rag, base+oracle, lora, lora+rag or lora+oracle
        gold: {"id", "question", "answers"} rows to score answers by; empty where rows hold verdicts

    Returns:
        causes, regressions, differences, minimum_detectable_effect, route and reasons
    """
    for name, value in (("rows", rows), ("gold", gold or [])):
        if not isinstance(value, list) or len(value) > MAX_ROWS:
            raise InputError(texts.TOO_MANY_ROWS.format(name=name, most=MAX_ROWS))
    with tempfile.TemporaryDirectory(prefix="ftrag-") as folder:
        files = [Path(folder) / name for name in ("rows.jsonl", "gold.jsonl")]
        for file, value in zip(files, (rows, gold or []), strict=True):
            file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in value), encoding="utf-8")
        return workflows.diagnose(files[0], files[1] if gold else None)


def search(
    query: str,
    example: str = "support",
    k: int = 5,
    retriever: Literal["bm25", "dense", "hybrid"] = "bm25",
) -> list[dict[str, Any]]:
    """
    The passages that a question finds in an example project's documents.

    Args:
        query: The question or keywords, at most 4,000 characters
        example: An example that ships with ftrag: support, handbook or tickets
        k: How many passages, 1 to 20
        retriever: bm25 (words), dense (meaning) or hybrid (both)

    Returns:
        rank, document, chunk, score, text, start and end of each passage, best first
    """
    return workflows.search(example_project(example), query, _count(k), retriever)


def ask(
    question: str,
    request: gr.Request,
    example: str = "support",
    context: Literal["none", "retrieved"] = "retrieved",
    k: int = 3,
    tuned: bool = False,
) -> dict[str, Any]:
    """
    Ask the built-in model about an example project, with its passages or without, and get the answer with its sources.

    Args:
        question: At most 4,000 characters
        example: An example that ships with ftrag: support, handbook or tickets
        context: retrieved (the model reads passages) or none
        k: How many passages it reads, 1 to 20
        tuned: Answer with the example's recorded LoRA, where it has one

    Returns:
        answer, sources, sentences (which of them a source supports), seconds, tokens and adapter
    """
    quotas.ask(f"program {client(request)}")
    return answering.ask(example_project(example), question, context, None if tuned else "none", _count(k))


def client(request: gr.Request | None) -> str:
    """Who calls, for the quota alone."""
    if request is None or request.client is None:
        return "here"
    return quotas.address(str(request.client.host), request.headers.get("x-forwarded-for", ""))


def _count(k: int) -> int:
    if not isinstance(k, int) or not 1 <= k <= MAX_K:
        raise InputError(texts.WRONG_K.format(most=MAX_K, given=k))
    return k


def example_project(name: str) -> Path:
    """The app's own copy of an example, made when it is first asked for and again when the example has changed."""
    source = projects.example_folder(str(name))
    files = sorted(path for path in source.rglob("*") if path.is_file())
    stamp = hashlib.sha256(repr([(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files]).encode())
    root = projects.home() / "programs" / stamp.hexdigest()[:16]
    with _making:
        if name not in projects.names(root):
            workflows.new(root, name, name, recorded=True)
            for old in root.parent.iterdir():
                if old.name != root.name and (old / "projects" / name).exists():
                    shutil.rmtree(old, ignore_errors=True)
    return projects.find(name, root)
