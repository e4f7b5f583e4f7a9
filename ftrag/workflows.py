"""What a user can do is one function here; the command line and the page both call it and show what it returns.

Every function takes the project's folder; results are plain values in the shapes of the command table.
"""

from __future__ import annotations

import functools
import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftrag import project as projects
from ftrag.errors import FtragError, InputError, NotFound
from ftrag.types import Example, Gold, Retriever

if TYPE_CHECKING:
    from ftrag.llm import LocalModel
    from ftrag.retrieval.budget import ForPrompts

MAX_QUESTION = 4_000  # characters
LONGEST_ANSWER = 256  # tokens, the most that Chat offers
# of a project's settings
DEFAULTS: dict[str, Any] = {"k": 3, "max_new_tokens": 96, "context_share": 1.0, "rehearsal": 64}
RECORDED = "0-recorded"  # the id of an example's recorded run: older than every run of one's own
Progress = Callable[..., None]  # (fraction, message, **numbers)


def setting(project: Path, key: str) -> Any:
    """A setting of the project, else its default."""
    return projects.settings(project)["settings"].get(key, DEFAULTS[key])


# --- projects and what goes into them


def new(root: Path, name: str, example: str | None = None, recorded: bool = False) -> dict[str, Any]:
    """Make a project, with its index when it starts from an example; recorded: and its recorded adapters and run."""
    path = projects.create(name, root, example, lambda draft: _fill(draft, example, recorded))
    return {"project": name, "path": str(path)}


def _fill(project: Path, example: str | None, recorded: bool) -> None:
    """The settings that its model goes by; for an example also the index, and what was recorded."""
    from ftrag import models

    own = projects.settings(project)
    row = models.MODELS.get(own["model"])
    projects.update(project, settings=dict(row.reads if row else {}) | own["settings"])
    if example:
        from ftrag.retrieval import store

        store.refresh(project)
        if recorded:
            _take_recorded(projects.example_folder(example) / "recorded", project)


def _take_recorded(source: Path, project: Path) -> None:
    """Copy an example's recorded adapters into a project, then its run, which points at them."""
    if (source / "adapters").is_dir():
        shutil.copytree(source / "adapters", project / "adapters", dirs_exist_ok=True)
    if (source / "run.json").exists():
        value = projects.read_json(source / "run.json") | {"run": RECORDED, "recorded": True}
        value["reproduce"] = _reproduction(value["example"], source / "adapters" / str(value["adapter"]) / "card.json")
        projects.write_json(project / "runs" / RECORDED / "run.json", value)


def _reproduction(example: str, card: Path) -> str:
    """The commands that gave a recorded run; an option of training is named where its card has another than usual."""
    from ftrag.training.settings import TrainSettings

    held = projects.read_json(card)["settings"] if card.exists() else {}
    usual = TrainSettings(rehearsal=DEFAULTS["rehearsal"])
    other = {key: held[key] for key in ("rank", "epochs", "learning_rate", "rehearsal") if key in held}
    flags = [f" --{key.replace('_', '-')} {value}" for key, value in other.items() if value != getattr(usual, key)]
    return f"python -m ftrag new demo --example {example}, then train demo{''.join(flags)} and evaluate demo"


def ingest(project: Path, files: Sequence[Path], on_progress: Progress | None = None) -> dict[str, Any]:
    """Take documents in and bring the index up to date; refused files are named and the rest goes on."""
    from ftrag.retrieval import store

    return store.ingest(project, files, on_progress)


def add_examples(project: Path, file: Path, columns: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Replace the project's training rows by those of a file."""
    from ftrag.training import uploads

    return uploads.take(project, file, columns)


def add_gold(project: Path, file: Path) -> dict[str, Any]:
    """Replace the project's gold questions by those of a file."""
    from ftrag.evaluation.gold import read_gold

    rows, refused = read_gold(file)
    taken = []
    if rows:
        values = [{key: _plain(getattr(gold, key)) for key in Gold.__dataclass_fields__} for gold in rows]
        projects.write_jsonl(project / "gold.jsonl", values)
        taken = [{"file": file.name, "rows": len(rows)}]
    return {"taken": taken, "refused": refused}


def _plain(value: Any) -> Any:
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def training_rows(project: Path) -> list[Example]:
    """The project's training rows, [] when there are none."""
    from ftrag.training.examples import read_examples

    path = project / "examples.jsonl"
    return read_examples(path)[0] if path.exists() else []


def gold_rows(project: Path) -> list[Gold]:
    """The project's gold questions. InputError when there are none."""
    from ftrag.evaluation.gold import read_gold

    path = project / "gold.jsonl"
    rows = read_gold(path)[0] if path.exists() else []
    if not rows:
        raise InputError(
            f"{project.name} has no gold questions; add them with: python -m ftrag gold {project.name} FILE"
        )
    return rows


def checks(project: Path) -> list[dict[str, Any]]:
    """The behaviour checks that hold for all of the project's questions. InputError names a bad one."""
    from ftrag.evaluation.checks import validated

    return [dict(row) for row in validated(projects.settings(project)["checks"])]


# --- models


_loading = threading.Lock()


@functools.lru_cache(maxsize=2)
def _model(name: str) -> LocalModel:
    from ftrag import models
    from ftrag.llm import LocalModel

    return LocalModel(models.load(name))


def model(name: str) -> LocalModel:
    """The language model of this name, loaded once per process."""
    with _loading:
        return _model(name)


def adapters(project: Path) -> list[dict[str, Any]]:
    """Cards of the project's adapters, oldest first."""
    return [
        projects.read_json(path) | {"id": path.parent.name} for path in sorted(project.glob("adapters/*/card.json"))
    ]


def choose_adapter(project: Path, wanted: str | None) -> str | None:
    """An adapter's id: the newest for None, no adapter for "none". NotFound for an id that is not there."""
    known = [card["id"] for card in adapters(project)]
    if wanted == "none":
        return None
    if wanted is None:
        return known[-1] if known else None
    if wanted not in known:
        raise NotFound(f"{project.name} has no adapter {wanted!r}; it has {', '.join(known) or 'none yet: train one'}")
    return wanted


def ready_model(project: Path, adapter: str | None = None) -> LocalModel:
    """The project's model with this adapter at hand. NotFound for an adapter that is not the project's own."""
    if adapter:
        choose_adapter(project, adapter)  # an id is never a path
    llm = model(projects.settings(project)["model"])
    if adapter:
        llm.add_adapter(adapter, project / "adapters" / adapter)
    return llm


def rewords(project: Path) -> bool:
    """Whether what the project's model says in other words than its passages may be cited to them."""
    from ftrag import models

    row = models.MODELS.get(projects.settings(project)["model"])
    return row is None or row.rewords


# --- knowledge


def retriever(
    project: Path, kind: str | None = "bm25", rerank: bool = False, settings: Mapping[str, Any] | None = None
) -> Retriever:
    """A retriever over an index that is up to date; kind None: the project's own, reranked if it says so.

    settings go over the project's.
    """
    from ftrag.retrieval import opening
    from ftrag.retrieval.settings import of_project

    own = of_project(project)
    return opening.open_retriever(project, kind or own.retriever, rerank or (kind is None and own.rerank), settings)


def reader(
    project: Path,
    kind: str | None = None,
    settings: Mapping[str, Any] | None = None,
    few_shot: Sequence[Example] = (),
) -> ForPrompts:
    """The project's own retriever, or one of this kind, as prompts are made with it: within their budget, in order."""
    from ftrag.retrieval.budget import for_prompts

    answer = max(setting(project, "max_new_tokens"), LONGEST_ANSWER)
    return for_prompts(project, retriever(project, kind, settings=settings), answer, few_shot)


def search(project: Path, query: str, k: int = 5, kind: str = "bm25", rerank: bool = False) -> list[dict[str, Any]]:
    """The k best chunks for a query."""
    hits = retriever(project, kind, rerank).search(checked_question(query), k)
    return [
        {
            "rank": hit.rank,
            "document": hit.chunk.document,
            "chunk": hit.chunk.index,
            "score": hit.score,
            "text": hit.chunk.text,
            "start": hit.chunk.start,
            "end": hit.chunk.end,
        }
        for hit in hits
    ]


def retrieval_quality(
    project: Path, kinds: Sequence[str] = ("bm25", "dense", "hybrid"), report: Progress = lambda fraction, message: None
) -> list[dict[str, Any]]:
    """Hit rate, MRR and nDCG of each retriever on the gold evidence."""
    from ftrag.retrieval.quality import quality

    rows: list[dict[str, Any]] = quality(project, gold_rows(project), kinds, report=report)
    return rows


def checked_question(question: str) -> str:
    """The question without surrounding space. InputError when it is empty or too long."""
    text = question.strip()
    if not text:
        raise InputError("the question is empty; type one")
    if len(text) > MAX_QUESTION:
        raise InputError(f"the question has {len(text)} characters; at most {MAX_QUESTION} are read")
    return text


# --- without a project


def classify(lines: Sequence[str]) -> list[dict[str, Any]]:
    """Which capabilities need retrieval, fine-tuning or both; by indicators alone where embeddings cannot be had."""
    from ftrag import models
    from ftrag.decision import classify as classifier

    if not lines:
        raise InputError("there is no capability to classify; give one sentence each, or --file")
    try:
        embed = models.embedder()
    except FtragError:
        embed = None
    return classifier.classify(lines, embed)


def diagnose(file: Path, gold_file: Path | None = None) -> dict[str, Any]:
    """Causes, regressions, differences and route from a file of verdicts, or of answers when gold rows are given."""
    from ftrag.evaluation import diagnose as diagnosis
    from ftrag.evaluation import verdicts

    if gold_file is None:
        return diagnosis.diagnose(verdicts.read(file))
    from ftrag.evaluation.gold import read_gold

    rows, refused = read_gold(gold_file)
    if refused:
        first = refused[0]
        where = f"{first['file']}, row {first['row']}: " if "row" in first else ""
        raise InputError(where + first["reason"])
    return diagnosis.diagnose(verdicts.read_answers(file, rows))
