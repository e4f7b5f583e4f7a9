"""The command line: a thin shell over workflows and experiments. `--json` prints one JSON value and nothing else."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ftrag import project as projects
from ftrag.errors import FtragError, InputError

Handler = Callable[[argparse.Namespace], Any]


class Parser(argparse.ArgumentParser):
    """Bad flags are one line like all other bad input."""

    def error(self, message: str) -> Any:
        raise InputError(f"{message}; see: {self.prog} --help")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0, or 2 with one line on standard error for bad input, 130 when stopped."""
    from ftrag.jobs import Cancelled

    try:
        given = list(sys.argv[1:] if arguments is None else arguments)
        options = parser().parse_args(given)
        options.given = [argument for argument in given if argument != "--json"]
        value = options.handler(options)
    except FtragError as error:
        print(f"ftrag: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except (KeyboardInterrupt, Cancelled):
        print("ftrag: stopped; what was finished is kept", file=sys.stderr)
        return 130
    _print(value, options)
    refused_all = isinstance(value, dict) and "taken" in value and not value["taken"]
    return 2 if refused_all else 0


def _print(value: Any, options: argparse.Namespace) -> None:
    """JSON for programs; for people the same value, short enough to read."""
    if isinstance(value, dict) and "taken" in value:
        for row in value["refused"]:
            where = f"{row['file']}, row {row['row']}" if row.get("row") is not None else row["file"]
            print(f"ftrag: refused {where}: {row['reason']}", file=sys.stderr)
    try:
        if isinstance(value, str) and not options.json:
            print(value)
        elif options.json:
            print(json.dumps(value, ensure_ascii=False, allow_nan=False))
        else:
            print("\n".join(_lines(value)))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _lines(value: Any, indent: str = "") -> list[str]:
    """Nested values as indented text."""
    if isinstance(value, dict):
        items = [(f"{key}: ", item) for key, item in value.items()]
    elif isinstance(value, list):
        items = [("- ", item) for item in value]
    else:
        return [f"{indent}{_short(value)}"]
    lines = []
    for label, item in items:
        if isinstance(item, (dict, list)) and item:
            lines += [f"{indent}{label}".rstrip(), *_lines(item, indent + "  ")]
        else:
            lines.append(f"{indent}{label}{_short(item)}")
    return lines


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if value is None or value == [] or value == {}:
        return "-"
    return str(value)


def parser() -> Parser:
    """All commands. Nothing heavy is imported here, so that --help answers at once."""
    top = Parser(prog="python -m ftrag", description="Retrieve, fine-tune, both or neither: measured on your own rows.")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=Parser)
    _decide_commands(commands)
    _project_commands(commands)
    _experiment_commands(commands)
    _result_commands(commands)
    return top


def _add(commands: Any, name: str, handler: Handler, text: str, *arguments: str, project: bool = True) -> Any:
    command = commands.add_parser(name, help=text, description=text)
    command.add_argument("--json", action="store_true", help="print one JSON value and nothing else")
    if project:
        command.add_argument("project", metavar="PROJECT", help="a project's name, or a path to its folder")
    for argument in arguments:
        command.add_argument(argument, metavar=argument.upper())
    command.set_defaults(handler=handler)
    return command


def _project(options: argparse.Namespace) -> Path:
    return projects.find(options.project, projects.home())


def _file(name: str) -> Path:
    path = Path(name)
    if path.is_dir():
        raise InputError(f"{name} is a folder; name a file in it")
    if not path.is_file():
        raise InputError(f"there is no file {name}; check the path")
    return path


def _text_lines(name: str) -> list[str]:
    try:
        return _file(name).read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise InputError(f"{name} is not UTF-8 text; save it as a text file with one capability per line") from None


def _columns(pairs: Sequence[str]) -> dict[str, str]:
    """`--map response=Antwort` names the file's column for ours."""
    if bad := [pair for pair in pairs if "=" not in pair]:
        raise InputError(f"--map takes OURS=THEIRS, not {bad[0]!r}")
    return dict(pair.split("=", 1) for pair in pairs)


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(text)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number")
    return value


# --- deciding: no project, no model


def _decide_commands(commands: Any) -> None:
    from ftrag.decision import cost, questionnaire

    decide = _add(commands, "decide", _decide, "a first recommendation from a questionnaire", project=False)
    questionnaire.add_decide_arguments(decide)
    decide.add_argument("--keep", metavar="PROJECT", help="keep the answers with a project, for its verdicts")
    costs = _add(commands, "cost", _cost, "what each route costs, line by line", project=False)
    cost.add_cost_arguments(costs)
    costs.add_argument("--project", metavar="PROJECT", help="count the tokens in this project's index")
    classify = _add(commands, "classify", _classify, "does a capability need retrieval or fine-tuning?", project=False)
    classify.add_argument("capability", nargs="*", help="one sentence each; or use --file")
    classify.add_argument("--file", help="a text file with one capability per line")
    diagnose = _add(commands, "diagnose", _diagnose, "causes and verdict from any system's answers", project=False)
    diagnose.add_argument("verdicts", metavar="VERDICTS.jsonl")
    diagnose.add_argument("--gold", help="gold questions, to score rows {id, arm, answer}")


def _decide(options: argparse.Namespace) -> Any:
    from ftrag.decision import plain, questionnaire

    answers = questionnaire.answers_from(options)
    if options.keep:
        from ftrag import conclusions

        conclusions.set_answers(projects.find(options.keep, projects.home()), answers)
    result = questionnaire.decide(answers)
    return result if options.json else plain.decision_text(result)


def _cost(options: argparse.Namespace) -> Any:
    from ftrag.decision import cost, plain

    given = cost.inputs_from(options)
    if options.project:
        from ftrag import costing

        given = {**costing.measured_inputs(projects.find(options.project, projects.home())), **given}
    result = cost.estimate(given)
    return result if options.json else plain.cost_text(result)


def _classify(options: argparse.Namespace) -> Any:
    from ftrag import workflows

    lines = list(options.capability)
    if options.file:
        lines += [line.strip() for line in _text_lines(options.file)]
    return workflows.classify([line for line in lines if line.strip()])


def _diagnose(options: argparse.Namespace) -> Any:
    from ftrag import workflows

    return workflows.diagnose(_file(options.verdicts), _file(options.gold) if options.gold else None)


# --- projects


def _project_commands(commands: Any) -> None:
    new = _add(commands, "new", _new, "make a project", project=False)
    new.add_argument("name", metavar="NAME")
    new.add_argument("--example", help=f"start from {', '.join(projects.examples())}")
    ingest = _add(commands, "ingest", _ingest, "add documents")
    ingest.add_argument("files", nargs="+", metavar="FILE")
    for name, text in (("examples", "replace the training rows"), ("gold", "replace the gold questions")):
        command = _add(commands, name, _rows, text)
        command.add_argument("file", metavar="FILE")
        if name == "examples":
            command.add_argument("--map", action="append", default=[], metavar="OURS=THEIRS", help="name a column")
    search = _add(commands, "search", _search, "the passages a question finds", "query")
    search.add_argument("-k", type=_positive, default=5)
    search.add_argument("--retriever", choices=("bm25", "dense", "hybrid"), default="bm25")
    search.add_argument("--rerank", action="store_true")
    change = _add(commands, "settings", _settings, "how documents are cut and found: show the settings, or change some")
    change.add_argument("changes", nargs="*", metavar="NAME=VALUE", help="chunk_tokens=256 stem=false k=5 …")
    measured = _add(commands, "retrieval", _retrieval, "measure the retrievers on the gold evidence")
    measured.add_argument("--verify", action="store_true", help="instead, check the index against rank-bm25's scores")
    ask = _add(commands, "ask", _ask, "ask the model", "question")
    ask.add_argument("--context", choices=("none", "retrieved"), default="retrieved")
    ask.add_argument("--adapter", help="an adapter's id, or none (default: the newest)")
    ask.add_argument("-k", type=_positive, help="passages to retrieve")
    router = _add(commands, "router", _router, "retrieval or not for a question; without one, how often that is right")
    router.add_argument("question", nargs="?")
    router.add_argument("--run", help="the run to compare with (default: the newest)")


def _new(options: argparse.Namespace) -> Any:
    from ftrag import workflows

    return workflows.new(projects.home(), options.name, options.example)


def _ingest(options: argparse.Namespace) -> Any:
    from ftrag import workflows

    project, missing, files = _project(options), [], []
    for name in options.files:
        if Path(name).is_file():
            files.append(Path(name))
        else:
            folder = Path(name).is_dir()
            reason = "is a folder; name the files in it" if folder else "there is no such file; check the path"
            missing.append({"file": name, "reason": reason})
    value = workflows.ingest(project, files) if files else {"taken": [], "refused": []}
    return value | {"refused": value["refused"] + missing}


def _rows(options: argparse.Namespace) -> Any:
    from ftrag import workflows

    project, file = _project(options), _file(options.file)
    if options.command == "gold":
        return workflows.add_gold(project, file)
    return workflows.add_examples(project, file, _columns(options.map))


def _search(options: argparse.Namespace) -> Any:
    from ftrag import workflows

    return workflows.search(_project(options), options.query, options.k, options.retriever, options.rerank)


def _settings(options: argparse.Namespace) -> Any:
    from dataclasses import asdict

    from ftrag import knowledge, workflows

    project, result = _project(options), {}
    if bad := [pair for pair in options.changes if "=" not in pair]:
        raise InputError(f"settings takes NAME=VALUE, not {bad[0]!r}")
    if options.changes:
        result = knowledge.change(project, {name: _value(text) for name, text in map(_halves, options.changes)})
    return {"settings": asdict(knowledge.settings(project)) | {"k": workflows.setting(project, "k")}} | result


def _halves(pair: str) -> tuple[str, str]:
    name, _, value = pair.partition("=")
    return name, value


def _value(text: str) -> Any:
    """A number, true or false where it is one, else the text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _retrieval(options: argparse.Namespace) -> Any:
    from ftrag import workflows

    if options.verify:
        from ftrag.retrieval.reference import verify

        project = _project(options)
        return verify(project, [row.question for row in workflows.gold_rows(project)])
    return workflows.retrieval_quality(_project(options))


def _ask(options: argparse.Namespace) -> Any:
    from ftrag import workflows

    return workflows.ask(_project(options), options.question, options.context, options.adapter, options.k)


def _router(options: argparse.Namespace) -> Any:
    from ftrag import routing

    project = _project(options)
    return routing.routed(project, options.question) if options.question else routing.report(project, options.run)


# --- long commands: each runs as a job


def _experiment_commands(commands: Any) -> None:
    train = _add(commands, "train", _train, "train a LoRA on the project's rows")
    train.add_argument("--rank", type=_positive, default=None)
    train.add_argument("--epochs", type=_number, default=None)
    train.add_argument("--learning-rate", type=_number, default=None)
    train.add_argument("--dropout", type=float, default=None, help="of the LoRA, 0 to 0.95")
    train.add_argument("--target-modules", type=_names, default=None, help="linear layers, comma-separated")
    train.add_argument("--batch-rows", type=_positive, default=None, help="rows of one optimizer step")
    train.add_argument("--max-tokens", type=_positive, default=None, help="longer rows are left out")
    train.add_argument("--four-bit", action="store_true", default=None, help="QLoRA; needs a GPU and bitsandbytes")
    train.add_argument("--seed", type=int, default=None)
    train.add_argument("--context-share", type=float, default=None, help="share of rows shown with passages, 0 to 1")
    train.add_argument("--rehearsal", type=int, default=None, help="general rows mixed in, 0 to 64 (default 64)")
    train.add_argument("--dry-run", action="store_true", help="measure a few steps and print the estimate only")
    evaluate = _add(commands, "evaluate", _evaluate, "the gold questions under every arm, causes and verdict")
    evaluate.add_argument("--arms", help="comma-separated; default: all that can run")
    evaluate.add_argument("--resume", action="store_true", help="go on with the newest unfinished run")
    evaluate.add_argument("--limit", type=_positive, help="only the first N gold questions, for a quick look")
    evaluate.add_argument("--adapter", help="an adapter's id, or none (default: the newest)")
    evaluate.add_argument("--judge", metavar="URL", help="a second opinion: an OpenAI-compatible API, or hub")
    evaluate.add_argument("--judge-model", metavar="NAME", default="", help="the judge's model, not the one under test")
    evaluate.add_argument("--dry-run", action="store_true", help="print the time it takes and what it can show only")
    compare = _add(commands, "compare", _compare, "the auto-RAG A/B on the gold set")
    compare.add_argument("-k", "--k", help="passages, one or several numbers: 1,3,5 (default: the project's)")
    compare.add_argument("--retriever", default="bm25", help="bm25, dense, hybrid, or several with commas")
    compare.add_argument("--adapter", help="an adapter's id, or none (default: the newest)")
    _add(commands, "reroute", _reroute, "clone into a retrieval-first sibling without an adapter")
    drill = _add(commands, "drill", _drill, "change facts in the documents and see which arm notices")
    drill.add_argument("--edits", type=_positive, default=10)


def _as_job(options: argparse.Namespace, work: Callable[[Path, Any], Any], queues: bool = True) -> Any:
    """Run work(project, report) as the job that this process is; see jobs.running."""
    from ftrag import jobs

    project = _project(options)
    with jobs.running(jobs.root(), options.given, project.name, queues) as report:
        return work(project, report)


def _given(options: argparse.Namespace, *names: str) -> dict[str, Any]:
    return {name: value for name in names if (value := getattr(options, name)) is not None}


def _train(options: argparse.Namespace) -> Any:
    from ftrag import experiments

    wanted = _given(options, "rank", "epochs", "learning_rate", "dropout", "target_modules", "batch_rows")
    wanted |= _given(options, "max_tokens", "four_bit", "seed", "context_share", "rehearsal")
    work = experiments.plan_training if options.dry_run else experiments.train
    return _as_job(options, lambda project, report: work(project, wanted, report))


def _evaluate(options: argparse.Namespace) -> Any:
    from ftrag import experiments

    arms = [arm.strip() for arm in options.arms.split(",")] if options.arms is not None else None
    if options.dry_run:
        return experiments.plan_evaluation(_project(options), arms, options.limit, options.adapter)
    return _as_job(
        options,
        lambda project, report: experiments.evaluate(
            project,
            arms,
            report,
            resume=options.resume,
            limit=options.limit,
            adapter=options.adapter,
            judge=(options.judge, options.judge_model) if options.judge else None,
        ),
    )


def _compare(options: argparse.Namespace) -> Any:
    from ftrag import comparison

    ks = [int(k) if k.isdigit() else 0 for k in _names(options.k or "")]
    retrievers = _names(options.retriever)
    return _as_job(
        options, lambda project, report: comparison.compare(project, report, ks, retrievers, options.adapter)
    )


def _reroute(options: argparse.Namespace) -> Any:
    from ftrag import outcomes

    return _as_job(options, outcomes.reroute)


def _drill(options: argparse.Namespace) -> Any:
    from ftrag import freshness

    return _as_job(options, lambda project, report: freshness.drill(project, report, edits=options.edits))


# --- what came out


def _result_commands(commands: Any) -> None:
    promote = _add(commands, "promote", _promote, "promote a fresh, passing run's adapter and index", "run")
    promote.add_argument("--why", default="", help="kept with the release")
    report = _add(commands, "report", _report, "one page about a run", "run")
    report.add_argument("--format", choices=("html", "md", "json"), default="md")
    export = _add(commands, "export", _export, "an adapter, or the whole project, as files that others can load")
    export.add_argument("adapter", metavar="ADAPTER", nargs="?", help="default: the newest")
    export.add_argument("--whole", action="store_true", help="the whole project as a zip")
    export.add_argument("--merge", action="store_true", help="the whole model with the adapter merged in")
    publish = _add(commands, "publish", _publish, "push an adapter, or a Space of the project, to the Hub", "adapter")
    publish.add_argument("--to", required=True, metavar="NAME/REPOSITORY")
    publish.add_argument("--merge", action="store_true", help="the whole model with the adapter merged in")
    publish.add_argument("--space", action="store_true", help="a Space: the app, the documents, the adapter, its run")
    publish.add_argument("--public", action="store_true", help="default: private")
    pull = _add(commands, "pull", _pull, "take an adapter from the Hub into the project", "repository")
    pull.add_argument("--revision", default="main")
    listed = _add(commands, "jobs", _jobs, "what is queued, running and ended", project=False)
    listed.add_argument("--cancel", metavar="ID")


def _promote(options: argparse.Namespace) -> Any:
    from ftrag import outcomes

    return outcomes.promote(_project(options), options.run, who="command line", why=options.why)


def _report(options: argparse.Namespace) -> Any:
    from ftrag import outcomes

    text = outcomes.report(_project(options), options.run, options.format)
    return json.loads(text) if options.json and options.format == "json" else text


def _export(options: argparse.Namespace) -> Any:
    from ftrag import outcomes

    def work(project: Path, report: Any) -> Any:
        report(0.0, "writing the files")
        return outcomes.export(project, options.adapter, options.merge, options.whole)

    return _as_job(options, work, queues=False)  # nobody waits for a training with a few files


def _token() -> str | None:
    """HF_TOKEN, or what `hf auth login` has stored; never a flag, which every user of the machine could read."""
    from huggingface_hub import get_token

    return get_token()


def _publish(options: argparse.Namespace) -> Any:
    from ftrag import publish

    what = "space" if options.space else "merged" if options.merge else "adapter"
    private = not options.public
    return publish.push(_project(options), options.adapter, options.to, _token(), what, private, _say)


def _pull(options: argparse.Namespace) -> Any:
    from ftrag import publish

    return publish.pull(_project(options), options.repository, _token(), options.revision, _say)


def _say(fraction: float, message: str) -> None:
    print(f"{fraction:4.0%} {message}", file=sys.stderr)


def _jobs(options: argparse.Namespace) -> Any:
    from ftrag import jobs

    if options.cancel:
        return [jobs.cancel(jobs.root(), options.cancel)]
    return jobs.listing(jobs.root())
