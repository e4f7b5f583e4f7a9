"""The card of an adapter or a merged model: base model, data, settings, and the measured results."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ftrag import project as projects
from ftrag.training import adapters


def measured(project: Path, adapter: str) -> dict[str, Any] | None:
    """The newest finished run that measured this adapter."""
    for path in sorted(project.glob("runs/*/run.json"), reverse=True):
        run: dict[str, Any] = projects.read_json(path)
        if run["adapter"] == adapter:
            return run
    return None


def model_card(project: Path, adapter: str, merged: bool = False) -> str:
    """README.md for the Hub: base model, data, settings, and the measured results as its model-index."""
    from huggingface_hub import ModelCardData

    card = projects.read_json(project / "adapters" / adapter / adapters.CARD)
    run, title = measured(project, adapter), projects.settings(project)["title"]
    data = ModelCardData(
        base_model=card["base"]["repo"] or None,
        library_name="transformers" if merged else "peft",
        pipeline_tag="text-generation",
        tags=["ftrag", "lora", *(["merged"] if merged else [])],
        model_name=f"{title}: {'merged model' if merged else 'LoRA'}",
        eval_results=list(_results(run)) if run else None,
    )
    return f"---\n{data.to_yaml()}\n---\n\n" + "\n\n".join(_sections(card, run, str(title))) + "\n"


def _results(run: Mapping[str, Any]) -> Iterator[Any]:
    """One row per arm with the adapter and axis that was scored."""
    from huggingface_hub import EvalResult

    for arm, numbers in run["arms"].items():
        for axis in ("content", "behaviour", "both"):
            if arm.startswith("lora") and numbers[axis] is not None:
                yield EvalResult(
                    task_type="text-generation",
                    dataset_type="private",
                    dataset_name=f"{run['title']}: {run['n']} held-out questions",
                    metric_type="accuracy",
                    metric_name=f"{axis} ({arm})",
                    metric_value=round(float(numbers[axis]), 4),
                )


def _sections(card: Mapping[str, Any], run: Mapping[str, Any] | None, title: str) -> list[str]:
    base, data, settings = card["base"], card["data"], card["settings"]
    held_out = "not measured" if card.get("eval_loss") is None else f"{card['eval_loss']:.3f}"
    numbers = {key: value for key, value in settings.items() if isinstance(value, int | float | str)}
    parts = [
        f"# {_plain(title)}",
        f"A LoRA for `{base['name']}` ([{base['repo']}](https://huggingface.co/{base['repo']})), trained with ftrag.",
        f"## Data\n\n{data['rows']} training rows (SHA-256 `{data['sha256']}`), not part of this repository. "
        f"{card.get('held_out', 0)} of them were held out; held-out loss {held_out}.",
        "## Settings\n\n| setting | value |\n|---|---|\n" + "\n".join(f"| {k} | {v} |" for k, v in numbers.items()),
    ]
    fits = f"It fits only weights with the fingerprint `{base['fingerprint']}`."
    return [*parts, _evaluation(run), fits, "Take it into a project: `python -m ftrag pull PROJECT NAME/REPOSITORY`."]


def _evaluation(run: Mapping[str, Any] | None) -> str:
    if run is None:
        return "## Evaluation\n\nNot measured yet."
    shares = [[numbers[axis] for axis in ("content", "behaviour", "both")] for numbers in run["arms"].values()]
    rows = [
        f"| {arm} | " + " | ".join("–" if share is None else f"{share:.2f}" for share in row) + " |"
        for arm, row in zip(run["arms"], shares, strict=True)
    ]
    table = "\n".join(["| arm | content | behaviour | both |", "|---|---|---|---|", *rows])
    said = f"{run['n']} held-out questions, {run['machine']}, {run['created'][:10]}. {run['decision']['sentence']}"
    return f"## Evaluation\n\n{_plain(said)}\n\n{table}"


def _plain(text: str) -> str:
    """A user's words in Markdown: no markup, no link, no HTML."""
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", " ".join(text.split()))
