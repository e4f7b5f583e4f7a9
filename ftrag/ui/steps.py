"""On every tab: where one is, one obvious next step, one's own data, and the same by command."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from ftrag import project as projects
from ftrag.ui import session, texts
from ftrag.ui.texts import commands as words
from ftrag.ui.view import Safe

COUNTED = ("documents", "adapters", "runs")


def facts(project: Path) -> dict[str, Any]:
    """What there is in a project: counts, its title, and the example it came from or None."""
    own = projects.settings(project)
    return {
        "documents": sum(1 for path in (project / "documents").glob("*") if path.is_file()),
        "adapters": len(list(project.glob("adapters/*/card.json"))),
        "runs": len(list(project.glob("runs/*/run.json"))),
        "gold": (project / "gold.jsonl").exists(),
        "examples": (project / "examples.jsonl").exists(),
        "example": own.get("example"),
        "title": str(own.get("title") or project.name),
    }


def step(tab: str) -> dict[str, Any]:
    """The strip at the top of a tab: where one is, the next step, and one's own data."""
    title, target = texts.NEXT[tab]
    with gr.Row(elem_classes="ft-step", equal_height=False):
        said_html = gr.HTML(_first(tab), scale=5, min_width=240, padding=False)
        next_btn = gr.Button(title, variant="primary", size="sm", scale=0, min_width=150, elem_id=f"next_{tab}")
        own_btn = gr.Button(texts.USE_OWN, size="sm", scale=0, min_width=140, elem_id=f"own_{tab}")
    return {"said": said_html, "next": next_btn, "own": own_btn, "target": target}


def _first(tab: str) -> Safe:
    """What a first visitor reads before the project is known: that of the example which opens."""
    own = projects.read_json(projects.example_folder(projects.first_example()) / "project.json")
    return Safe(texts.STEPS[tab]["recorded"].format(title=escape(str(own["title"]))))


def wire_step(parts: Mapping[str, Any], tabs: Any) -> None:
    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    target = parts["target"]
    parts["next"].click(lambda: gr.update(selected=target), None, [tabs], **quiet)


def steps(visitor: str, name: str | None) -> list[str]:
    """What each tab's strip says about this project."""
    state, title = "none", ""
    if name:
        found = facts(session.project(visitor, name))
        state, title = next(key for key, holds in _states(found) if holds), escape(found["title"])
    said = [texts.STEPS[tab].get(state, texts.STEPS[tab]["none"]) for tab in texts.NEXT]
    return [Safe(text.format(title=title)) for text in said]


def _states(found: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """The first that holds names the state of a project."""
    return [
        ("recorded", found["example"] and found["runs"]),
        ("measured", found["runs"]),
        ("trained", found["adapters"]),
        ("ready", found["documents"] and found["gold"]),
        ("filled", found["documents"]),
        ("none", True),
    ]


def commands(tab: str) -> Any:
    """A closed panel with the commands that do what the tab does."""
    with gr.Accordion(texts.SAME_BY_COMMAND, open=False, elem_classes="ft-commands"):
        return gr.Textbox(
            command_lines(tab),
            label=texts.COMMANDS_LABEL,
            info=texts.COMMANDS_INFO,
            lines=len(words.COMMANDS[tab]) + len(words.EVERYWHERE),
            interactive=False,
            buttons=["copy"],
            elem_classes="ft-mono",
        )


def command_lines(tab: str, project: Path | None = None) -> str:
    """A command for each button of the tab, with the project's newest run and adapter where there are some."""
    runs, adapters = (_newest(project, manifest) for manifest in ("runs/*/run.json", "adapters/[!.]*/card.json"))
    known = {
        "project": project.name if project else words.A_PROJECT,
        "run": runs or words.A_RUN,
        "adapter": adapters or words.AN_ADAPTER,
    }
    rows = [(command.format(**known), button) for button, command in (*words.COMMANDS[tab], *words.EVERYWHERE)]
    return "\n".join(words.COMMAND_LINE.format(command=command, button=button) for command, button in rows)


def _newest(project: Path | None, manifest: str) -> str:
    return max((path.parent.name for path in project.glob(manifest)), default="") if project else ""
