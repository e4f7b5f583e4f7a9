"""The freshness drill: a fact in the documents changes, the index follows in milliseconds, the weights do not."""

from __future__ import annotations

import random
import re
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ftrag import answering, records, workflows
from ftrag import project as projects
from ftrag.comparison import counted
from ftrag.errors import InputError, NotFound
from ftrag.experiments import BATCH_SECONDS, checked_model
from ftrag.reporting import Report
from ftrag.types import Gold

EDITABLE = (".md", ".markdown", ".txt", ".html", ".htm", ".csv", ".tsv", ".jsonl")
PAGES = (".html", ".htm")
NOT_COPIED = ("runs", "adapters", "comparisons", "drills", "exports")
MOST_CHARACTERS = 200_000  # of a document that is edited in the page


def editable(project: Path) -> list[str]:
    """Names of the documents whose file is text."""
    folder = project / "documents"
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    return [path.name for path in files if path.suffix.lower() in EDITABLE and not path.name.startswith(".")]


def read(project: Path, name: str) -> str:
    """The text of such a file. NotFound for another one."""
    if name not in editable(project):
        raise NotFound(f"there is no text document {name!r} in {project.name}; choose one of the list")
    return _text(project / "documents" / name)


def _text(path: Path) -> str:
    from ftrag.encodings import decode, markup

    return (markup if path.suffix.lower() in PAGES else decode)(path.read_bytes())


def _write(path: Path, text: str) -> None:
    """As UTF-8; a page with the mark that goes before another encoding that it may declare."""
    path.write_text(text, encoding="utf-8-sig" if path.suffix.lower() in PAGES else "utf-8")


def edit(project: Path, name: str, text: str) -> dict[str, Any]:
    """Put another text in a document's place and bring the index up to date: {document, status, chunks, milliseconds}.

    InputError for a text that cannot be a document: then the old one stays.
    """
    from ftrag.retrieval import store

    read(project, name)
    if len(text) > MOST_CHARACTERS:
        raise InputError(f"the text has {len(text):,} characters; over {MOST_CHARACTERS:,} upload it as a file")
    with tempfile.TemporaryDirectory(prefix="ftrag-") as folder:
        path = Path(folder) / name
        _write(path, text)
        begin = time.perf_counter()
        result = store.ingest(project, [path], edited=True)
        seconds = time.perf_counter() - begin
    if not result["taken"]:
        raise InputError(result["refused"][0]["reason"])
    row = result["taken"][0]
    return {"document": name, "status": row["status"], "chunks": row["chunks"], "milliseconds": 1000 * seconds}


def drill(project: Path, report: Report, edits: int = 10, seed: int = 0) -> dict[str, Any]:
    """Change one number in the documents behind each of `edits` gold answers, ask again: who notices?

    Works on a copy; {edits, flipped: {arm: n}, milliseconds, rows}. An arm has flipped when it gives the new value.
    milliseconds: what bringing the index up to date took. The result is kept in drills/.
    """
    from ftrag.retrieval import store
    from ftrag.retrieval.settings import of_project

    adapter = workflows.choose_adapter(project, None)
    made_with = {"adapter": adapter, "retriever": of_project(project).retriever, "k": workflows.setting(project, "k")}
    made_with["rests_on"] = records.rests_on(project)
    gold = workflows.gold_rows(project)
    with tempfile.TemporaryDirectory(prefix="ftrag-") as scratch:
        copy = Path(scratch) / project.name
        shutil.copytree(
            project, copy, ignore=shutil.ignore_patterns("runs", "adapters", "comparisons", "drills", "exports")
        )
        planted = plant_edits(copy, gold, edits, seed)
        if not planted:
            raise InputError("no gold answer with a number stands in a text document, so nothing can be edited")
        report(0.05, f"{len(planted)} facts are edited; indexing")
        milliseconds = 1000 * store.refresh(copy)["seconds"]
        report(0.06, f"indexed in {milliseconds:.0f} ms; loading the model")
        said = _asked_again(project, copy, planted, adapter, report)
    arms = dict.fromkeys(row["arm"] for row in said)
    flipped = {arm: sum(bool(row["content"]) for row in said if row["arm"] == arm) for arm in arms}
    new = {row.id: row.answers[0] for row in planted}
    listed = [{"id": row["id"], "arm": row["arm"], "new": new[row["id"]], "answer": row["answer"]} for row in said]
    value = {"edits": len(planted), "flipped": flipped, "milliseconds": milliseconds, **made_with, "rows": listed}
    projects.write_json(project / "drills" / projects.new_id() / "drill.json", value)
    return value


def _asked_again(
    project: Path, copy: Path, planted: Sequence[Gold], adapter: str | None, report: Report
) -> list[dict[str, Any]]:
    """The answers to the edited questions without and with retrieval from the edited copy."""
    from ftrag.evaluation import runner

    llm = checked_model(project, adapter)
    rows = runner.run(
        copy.parent / "run",
        planted,
        ("lora", "lora+rag") if adapter else ("base", "base+rag"),
        llm,
        workflows.reader(copy),
        adapter=adapter,
        k=workflows.setting(project, "k"),
        settings=answering.generation(project, seconds=BATCH_SECONDS),
        on_progress=lambda fraction, message: report(0.1 + 0.9 * fraction, counted(message)),
    )
    return list(rows)


def newest(project: Path) -> dict[str, Any] | None:
    """The newest finished drill of a project with when it was made, None where there is none."""
    return records.newest_result(project, "drills", "drill.json")


def plant_edits(project: Path, gold: Sequence[Gold], edits: int, seed: int = 0) -> list[Gold]:
    """Edit the text documents so that gold answers with a number become wrong; gives the gold rows with new answers.

    An answer's first number is raised by a seeded amount inside its evidence, in the one document that holds it.
    """
    rng = random.Random(seed)
    planted: list[Gold] = []
    for row in gold:
        answer = next((one for one in row.answers if re.search(r"\d", one)), None)
        place = _place(project, row, answer) if answer else None
        if len(planted) == edits or answer is None or place is None:
            continue
        path, passage = place
        new = _raised(answer, rng.randint(3, 40))
        changed = _standing(answer).sub(new.replace("\\", r"\\"), passage)
        _write(path, _text(path).replace(passage, changed, 1))
        planted.append(Gold(row.id, row.question, (new,), (changed,), (), row.slice))
    return planted


def _raised(answer: str, by: int) -> str:
    """The answer with its first number raised."""
    return re.sub(r"\d+", lambda match: str(int(match.group()) + by), answer, count=1)


def _standing(answer: str) -> re.Pattern[str]:
    """The answer as whole words: "4 crowns", not the end of "14 crowns" or "1.4 crowns"."""
    return re.compile(rf"(?<!\w)(?<!\d[.,]){re.escape(answer)}(?!\w|[.,]\d)")


def _place(project: Path, row: Gold, answer: str) -> tuple[Path, str] | None:
    """The text document and the passage in it that hold the answer: a passage of the evidence, word for word, or the
    line of a document that the evidence names, if it says the answer only once."""
    wanted = _standing(answer)
    for name in editable(project):
        path = project / "documents" / name
        text = _text(path)
        if name in row.evidence and len(wanted.findall(text)) == 1:
            return path, next(line for line in text.split("\n") if wanted.search(line))
        for passage in row.evidence:
            if passage in text and wanted.search(passage):
                return path, passage
    return None
