"""Long commands, each of which runs as a job: train, evaluate, compare, reroute, drill."""

from __future__ import annotations

import argparse
from typing import Any

from ftrag.commands.arguments import add, as_job, given, names, number, passages, positive, project_of, some_names
from ftrag.errors import InputError


def register(commands: Any) -> None:
    train = add(commands, "train", _train, "train a LoRA on the project's rows")
    train.add_argument("--rank", type=positive, default=None)
    train.add_argument("--epochs", type=number, default=None)
    train.add_argument("--learning-rate", type=number, default=None)
    train.add_argument("--dropout", type=float, default=None, help="of the LoRA, 0 to 0.95")
    train.add_argument("--target-modules", type=names, default=None, help="linear layers, comma-separated")
    train.add_argument("--batch-rows", type=positive, default=None, help="rows of one optimizer step")
    train.add_argument("--max-tokens", type=positive, default=None, help="longer rows are left out")
    train.add_argument("--four-bit", action="store_true", default=None, help="QLoRA; needs a GPU and bitsandbytes")
    train.add_argument("--seed", type=int, default=None)
    train.add_argument("--context-share", type=float, default=None, help="share of rows shown with passages, 0 to 1")
    train.add_argument("--rehearsal", type=int, default=None, help="general rows mixed in, 0 to 64 (default 64)")
    train.add_argument("--dry-run", action="store_true", help="measure a few steps and print the estimate only")
    evaluate = add(commands, "evaluate", _evaluate, "the gold questions under every arm, causes and verdict")
    evaluate.add_argument("--arms", help="comma-separated; default: all that can run")
    evaluate.add_argument("--resume", action="store_true", help="go on with the newest unfinished run")
    evaluate.add_argument("--limit", type=positive, help="only the first N gold questions, for a quick look")
    evaluate.add_argument("--adapter", help="an adapter's id, or none (default: the newest)")
    evaluate.add_argument("--judge", metavar="URL", help="a second opinion: an OpenAI-compatible API, or hub")
    evaluate.add_argument("--judge-model", metavar="NAME", default="", help="the judge's model, not the one under test")
    evaluate.add_argument("--dry-run", action="store_true", help="print the time it takes and what it can show only")
    compare = add(commands, "compare", _compare, "the auto-RAG A/B on the gold set")
    compare.add_argument(
        "-k", "--k", type=passages, default=(), help="passages, one or several numbers: 1,3,5 (default: the project's)"
    )
    compare.add_argument(
        "--retriever", type=some_names, default=("bm25",), help="bm25, dense, hybrid, or several with commas"
    )
    compare.add_argument("--adapter", help="an adapter's id, or none (default: the newest)")
    add(commands, "reroute", _reroute, "clone into a retrieval-first sibling without an adapter")
    drill = add(commands, "drill", _drill, "change facts in the documents and see which arm notices")
    drill.add_argument("--edits", type=positive, default=10)


def _train(options: argparse.Namespace) -> Any:
    from ftrag import experiments

    wanted = given(options, "rank", "epochs", "learning_rate", "dropout", "target_modules", "batch_rows")
    wanted |= given(options, "max_tokens", "four_bit", "seed", "context_share", "rehearsal")
    work = experiments.plan_training if options.dry_run else experiments.train
    return as_job(options, lambda project, report: work(project, wanted, report))


def _evaluate(options: argparse.Namespace) -> Any:
    from ftrag import experiments

    arms = [arm.strip() for arm in options.arms.split(",")] if options.arms is not None else None
    if options.dry_run:
        return experiments.plan_evaluation(project_of(options), arms, options.limit, options.adapter)
    judge = _judge(options)
    return as_job(
        options,
        lambda project, report: experiments.evaluate(
            project,
            arms,
            report,
            resume=options.resume,
            limit=options.limit,
            adapter=options.adapter,
            judge=judge,
        ),
    )


def _judge(options: argparse.Namespace) -> tuple[str, str] | None:
    """(address, model) as given; InputError before a job is written down for what must not stand in its command."""
    from ftrag.evaluation import judge

    if options.judge is None:
        if options.judge_model:
            raise InputError("--judge-model needs the judge's address too: --judge URL, or --judge hub")
        return None
    judge.check_address(options.judge)
    if "://" in options.judge_model:
        judge.check_address(options.judge_model)
    return options.judge, options.judge_model


def _compare(options: argparse.Namespace) -> Any:
    from ftrag import comparison

    comparison.check(options.retriever, options.k)  # before a job is written down for what cannot run
    return as_job(
        options,
        lambda project, report: comparison.compare(project, report, options.k, options.retriever, options.adapter),
    )


def _reroute(options: argparse.Namespace) -> Any:
    from ftrag import outcomes

    return as_job(options, outcomes.reroute)


def _drill(options: argparse.Namespace) -> Any:
    from ftrag import freshness

    return as_job(options, lambda project, report: freshness.drill(project, report, edits=options.edits))
