"""One training of a project: rows, settings, the model in the wanted precision, and what is shown afterwards."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftrag import answering, experiments, prompts, workflows
from ftrag import project as projects
from ftrag.errors import InputError
from ftrag.reporting import Report
from ftrag.types import Example, Prompt

if TYPE_CHECKING:
    from ftrag.llm import LocalModel
    from ftrag.training.settings import TrainSettings

SAMPLES = "samples.json"  # beside the adapter's card: {rows: [{prompt, base, adapter}]}
SAMPLED = 5  # prompts answered with and without the adapter at the end
SAMPLE_TOKENS = 48  # of each answer
PROBED = 4  # tokens after the first that are measured beforehand


def train(project: Path, wanted: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """The training itself; what lora.train gives."""
    from ftrag.training import lora

    rows, settings, llm = _prepared(project, wanted, report, check=True)
    with llm.lock:
        value = lora.train(
            llm.loaded,
            rows,
            project / "adapters",
            settings,
            lambda row: report(**row),
            report.should_stop,
            reading_questions(project),
            answers(),
            _sampling_seconds(project, llm, rows),
        )
    if value["adapter"]:
        began = time.monotonic()
        report(1.0, "answering five prompts with and without the adapter", adapter=value["adapter"])
        sample(project, llm, value["adapter"], rows)
        value["seconds"] = round(value["seconds"] + time.monotonic() - began, 2)
    return value


def plan(project: Path, wanted: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """What `train` would take with these settings; nothing is trained."""
    from ftrag.training import lora

    rows, settings, llm = _prepared(project, wanted, report, check=False)
    report(0.5, "measuring a few steps")
    with llm.lock:
        afterwards = _sampling_seconds(project, llm, rows)
        value = lora.plan_training(llm.loaded, rows, settings, reading_questions(project), answers(), afterwards)
    report(**value)
    return value


def _prepared(
    project: Path, wanted: Mapping[str, Any], report: Report, check: bool
) -> tuple[list[Example], TrainSettings, LocalModel]:
    """Rows, settings and the model. InputError where the data must not be trained on."""
    from ftrag.training.settings import TrainSettings, suited
    from ftrag.training.settings import check as check_ranges

    known = {field.name for field in fields(TrainSettings)}
    asked = {key: value for key, value in wanted.items() if key in known}
    check_ranges(TrainSettings(**asked))  # before anything slow happens
    share = wanted.get("context_share", workflows.setting(project, "context_share"))
    report(0.0, "reading the training rows")
    rows = experiments.training_data(project, share)
    if check and (blocked := experiments.inspect_data(project)["blocked"]):
        raise InputError(f"training is blocked: {'; '.join(blocked)}")
    report(0.01, "loading the model")
    llm = _model(project, bool(wanted.get("four_bit")))
    chosen = suited(len(rows), llm.loaded.model.num_parameters())
    chosen |= {"rehearsal": workflows.setting(project, "rehearsal")}
    settings = TrainSettings(**(chosen | asked))
    return rows, settings, llm


def _model(project: Path, four_bit: bool) -> LocalModel:
    """The project's model as it is, or its weights in 4 bits for QLoRA."""
    name = projects.settings(project)["model"]
    if not four_bit:
        return workflows.model(name)
    from ftrag.llm import LocalModel
    from ftrag.training import quantized

    return LocalModel(quantized.load(name))


def answers() -> Path:
    """Where base's answers to the questions asked after every training are kept, for all that share this machine."""
    from ftrag import models

    return models.cache() / "answers"


def reading_questions(project: Path) -> list[dict[str, Any]]:
    """Gold questions with their gold passage, the right answer among those of other questions: does it still read?"""
    from ftrag.training.forgetting import reading_rows

    if not (project / "gold.jsonl").exists():
        return []
    passages = experiments.oracle_passages(project)
    gold = [row for row in workflows.gold_rows(project) if row.answers and row.evidence]
    return reading_rows([(row.question, passages(row), row.answers[0]) for row in gold])


def sample(project: Path, llm: LocalModel, adapter: str, rows: Sequence[Example]) -> dict[str, Any]:
    """The same prompts from base and from the adapter, kept beside the adapter: gold questions, else training rows."""
    from ftrag.llm import complete

    picked = _picked(project, rows)
    llm.add_adapter(adapter, project / "adapters" / adapter)
    columns = [Prompt(prompts.chat(question), which) for which in (None, adapter) for question in picked]
    answers = [row[0] for row in complete(llm, columns, answering.generation(project, max_new_tokens=SAMPLE_TOKENS))]
    pairs = zip(picked, answers[: len(picked)], answers[len(picked) :], strict=True)
    value = {"rows": [{"prompt": asked, "base": base, "adapter": tuned} for asked, base, tuned in pairs]}
    projects.write_json(project / "adapters" / adapter / SAMPLES, value)
    return value


def _picked(project: Path, rows: Sequence[Example]) -> list[str]:
    """The prompts that are answered at the end, evenly from the gold questions, else from the training rows."""
    gold = workflows.gold_rows(project) if (project / "gold.jsonl").exists() else []
    asked = [row.question for row in gold] or [row.prompt for row in rows]
    return asked[:: max(1, len(asked) // SAMPLED)][:SAMPLED]


def _sampling_seconds(project: Path, llm: LocalModel, rows: Sequence[Example]) -> float:
    """What `sample` will take at most, from the first tokens of as many answers by the model alone."""
    from ftrag.llm import complete

    asked = [Prompt(prompts.chat(question)) for question in 2 * _picked(project, rows)]
    marks = []
    for tokens in (1, 1 + PROBED):
        began = time.monotonic()
        list(complete(llm, asked, answering.generation(project, max_new_tokens=tokens)))
        marks.append(time.monotonic() - began)
    return marks[0] + max(0.0, marks[1] - marks[0]) / PROBED * SAMPLE_TOKENS
