"""The runner: equal conditions for all arms, resumed after kill -9, stopped at once, sums checked by hand."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from ftrag.errors import EvaluationBlocked, InputError
from ftrag.evaluation.arms import ARMS
from ftrag.evaluation.plan import pick_few_shot
from ftrag.evaluation.runner import percentile, run, summarise
from ftrag.evaluation.scorer import scorer
from ftrag.llm import ScriptedLLM
from ftrag.types import Chunk, Delta, Example, Generation, Gold, Hit, Prompt

ROOT = Path(__file__).resolve().parent.parent
GOLD = [
    Gold(f"q{i}", f"How many seats has boat {i}?", (f"{i + 10} seats",), (f"Boat {i} has {i + 10} seats.",))
    for i in range(20)
]
SHOTS = [Example("Is there a fee?", "Short: no fee.")]
CHECKS = [{"kind": "starts_with", "value": "Short:"}]


class Shelf:
    """A retriever that knows the evidence of every question and counts its searches."""

    def __init__(self) -> None:
        self.searches: Counter[str] = Counter()

    def search(self, query: str, k: int) -> list[Hit]:
        self.searches[query] += 1
        texts = [gold.evidence[0] for gold in GOLD if gold.question == query]
        return [Hit(Chunk("boats.md", 3, text, 100, 100 + len(text)), 1.0, 1) for text in texts]


def says(prompt: Prompt) -> str:
    """The base reads a passage; the LoRA and the shots bring the form."""
    asked = prompt.messages[-1]["content"]
    fact = asked.split("\n")[1] if asked.startswith("<context>") else "Nobody can know that."
    return f"Short: {fact}" if prompt.adapter or len(prompt.messages) > 2 else fact


def everything(folder: Path, llm: Any, **changes: Any) -> Iterator[dict[str, Any]]:
    options: dict[str, Any] = {
        "adapter": "a1",
        "oracle": lambda gold: list(gold.evidence),
        "few_shot": SHOTS,
        "score": scorer(CHECKS),
        "batch_size": 8,
    }
    arms = changes.pop("arms", list(ARMS))
    return run(folder, changes.pop("gold", GOLD), arms, llm, changes.pop("retriever", Shelf()), **(options | changes))


def test_all_arms_on_all_questions(tmp_path: Path) -> None:
    shelf = Shelf()
    rows = list(everything(tmp_path, ScriptedLLM(says), retriever=shelf))
    assert len({(row["id"], row["arm"]) for row in rows}) == 8 * 20 == len(rows)
    assert set(shelf.searches.values()) == {1}  # one search per question, shared by the arms
    summary = summarise(rows)
    shares = {arm: (summary[arm]["content"], summary[arm]["behaviour"], summary[arm]["both"]) for arm in ARMS}
    assert shares == {
        "base": (0, 0, 0),
        "prompt": (0, 1, 0),
        "base+rag": (1, 0, 0),
        "prompt+rag": (1, 1, 1),
        "base+oracle": (1, 0, 0),
        "lora": (0, 1, 0),
        "lora+rag": (1, 1, 1),
        "lora+oracle": (1, 1, 1),
    }
    assert [json.loads(line) for line in (tmp_path / "answers.jsonl").read_text().splitlines()] == rows
    one = next(row for row in rows if row["arm"] == "base+rag")
    assert one["sources"] == [
        {"document": "boats.md", "chunk": 3, "start": 100, "end": 100 + len("Boat 0 has 10 seats.")}
    ]
    assert one["retrieved"] is True
    assert one["scores"]["faithfulness"] == 1.0
    assert one["why"]["content"].startswith('says "')


def test_batches_hold_one_arm_and_prompts_of_similar_length(tmp_path: Path) -> None:
    seen: list[list[Prompt]] = []

    class Watching(ScriptedLLM):
        def stream(self, prompts: Sequence[Prompt], settings: Generation) -> Iterator[list[Delta]]:
            seen.append(list(prompts))
            return super().stream(prompts, settings)

    gold = [Gold(i, "word " * (1 + 97 * i % 60), ("x",)) for i in range(20)]
    list(everything(tmp_path, Watching(says), gold=gold, arms=["base", "lora"], batch_size=5))
    lengths = [[len(prompt.messages[-1]["content"]) for prompt in batch] for batch in seen]
    assert [len(batch) for batch in seen] == [5] * 8
    assert all(len({prompt.adapter for prompt in batch}) == 1 for batch in seen)
    assert lengths[0] + lengths[1] + lengths[2] + lengths[3] == sorted(sum(lengths[:4], []))


KILLED = """
import sys, time
from pathlib import Path
sys.path.insert(0, {root!r}); sys.path.insert(0, {tests!r})
from test_runner import everything, says
from ftrag.llm import ScriptedLLM
def slow(prompt):
    time.sleep(0.01)
    with open({log!r}, "a") as file:
        file.write("x")
    return says(prompt)
for row in everything(Path({folder!r}), ScriptedLLM(slow)):
    pass
"""


def test_kill_9_repeats_at_most_a_batch(tmp_path: Path) -> None:
    folder, log = tmp_path / "run", tmp_path / "asked"
    code = KILLED.format(root=str(ROOT), tests=str(ROOT / "tests"), log=str(log), folder=str(folder))
    child = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
    answers = folder / "answers.jsonl"
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and not (answers.exists() and answers.read_bytes().count(b"\n") >= 24):
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    child.wait()
    asked_before = len(log.read_text())
    with answers.open("a") as file:
        file.write('{"id": "q0", "arm": "half a li')  # what a kill in the middle of a write leaves
    kept = answers.read_bytes().count(b"\n")
    assert asked_before - kept <= 8  # a batch
    again: list[Prompt] = []

    def counted(prompt: Prompt) -> str:
        again.append(prompt)
        return says(prompt)

    rows = list(everything(folder, ScriptedLLM(counted)))
    assert len(again) == 160 - kept
    assert len({(row["id"], row["arm"]) for row in rows}) == len(rows) == 160
    assert len(answers.read_text().splitlines()) == 160


def test_answers_of_another_setup_are_not_mixed_in(tmp_path: Path) -> None:
    list(everything(tmp_path, ScriptedLLM(says), arms=["base", "lora"]))
    for change in ({"adapter": "a2"}, {"settings": Generation(max_new_tokens=7)}, {"gold": GOLD[:5]}):
        with pytest.raises(EvaluationBlocked, match="start a new run"):
            list(everything(tmp_path, ScriptedLLM(says), arms=["base", "lora"], **change))


def test_stop_drops_the_batch_in_hand(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = []
    stopped = everything(tmp_path, ScriptedLLM(says), arms=["base"], should_stop=lambda: len(rows) >= 8)
    for row in stopped:
        rows.append(row)
    assert len(rows) == 8
    assert len(list(everything(tmp_path, ScriptedLLM(says), arms=["base"]))) == 20


def test_progress_says_how_long_it_will_take(tmp_path: Path) -> None:
    told: list[tuple[float, str]] = []
    list(everything(tmp_path, ScriptedLLM(says), arms=["base"], on_progress=lambda *step: told.append(step)))
    assert told[0] == (0.0, "searching passages for 20 questions")
    assert told[1][0] == 8 / 20
    assert "8 of 20 answers, about" in told[1][1]
    assert told[-1][0] == 1.0


class Cut(ScriptedLLM):
    """The time limit ends every answer."""

    def stream(self, prompts: Sequence[Prompt], settings: Generation) -> Iterator[list[Delta]]:
        yield [Delta(row, "Boat", 1, "time") for row in range(len(prompts))]


class Narrow(ScriptedLLM):
    """A window too small for one of the prompts."""

    def stream(self, prompts: Sequence[Prompt], settings: Generation) -> Iterator[list[Delta]]:
        if any("boat 7?" in prompt.messages[-1]["content"] for prompt in prompts):
            raise InputError("the prompt has 9000 tokens and the model reads 8192")
        yield from super().stream(prompts, settings)


def test_what_was_not_answered_is_excluded_and_counted(tmp_path: Path) -> None:
    cut = summarise(list(everything(tmp_path / "cut", Cut(says), arms=["base"])))["base"]
    assert (cut["content"], cut["n"], cut["content_n"]) == (None, 20, 0)
    rows = list(everything(tmp_path / "narrow", Narrow(says), arms=["base+rag"]))
    (left_out,) = [row for row in rows if row["content"] is None]
    assert left_out["id"] == "q7" and "9000 tokens" in left_out["why"]["content"]
    assert summarise(rows)["base+rag"]["content"] == 1.0
    with pytest.raises(InputError, match="9000 tokens"):  # all of them: that is a fault, not an exclusion
        list(
            everything(
                tmp_path / "all", Narrow(says), arms=["base"], gold=[GOLD[7], Gold("r", GOLD[7].question, ("x",))]
            )
        )


@pytest.mark.parametrize(
    ("changes", "says_"),
    [
        ({"arms": ["bsae"]}, "no arm 'bsae'"),
        ({"arms": []}, "at least one arm"),
        ({"arms": ["base", "base"]}, "each arm once"),
        ({"arms": ["lora"], "adapter": None}, "needs a LoRA"),
        ({"arms": ["base+rag"], "retriever": None}, "needs an index"),
        ({"arms": ["base+oracle"], "oracle": None}, "needs gold evidence"),
        ({"arms": ["prompt"], "few_shot": []}, "needs training examples"),
        ({"gold": []}, "no gold questions"),
    ],
)
def test_arms_that_cannot_run_say_what_they_lack(tmp_path: Path, changes: dict[str, Any], says_: str) -> None:
    with pytest.raises(InputError, match=says_):
        list(everything(tmp_path, ScriptedLLM(says), **changes))


def test_shots_do_not_depend_on_the_order_and_end_with_a_refusal() -> None:
    rows = [Example(f"Question {i}?", f"Answer {i}.", id=f"t{i:02}", slice="ab"[i % 2]) for i in range(10)]
    rows.append(Example("Wifi?", "That is not in our pages.", id="t99"))
    shots = pick_few_shot(rows, 3)
    assert shots == pick_few_shot(rows[::-1], 3)
    assert {row.slice for row in shots[:2]} == {"a", "b"}
    assert shots[-1].id == "t99"
    assert pick_few_shot([], 3) == []


def test_percentiles_by_nearest_rank() -> None:
    assert [percentile([4.0, 1.0, 3.0, 2.0], share) for share in (0.5, 0.75, 0.95, 1.0)] == [2.0, 3.0, 4.0, 4.0]
    assert percentile([7.0], 0.5) == 7.0


def test_a_summary_leaves_out_what_has_no_verdict() -> None:
    base = {"arm": "base", "seconds": 1.0, "first_token_s": 0.5, "tokens": 10, "prompt_chars": 100}
    rows = [
        {**base, "content": True, "behaviour": None},
        {**base, "content": False, "behaviour": True},
        {**base, "content": None, "behaviour": True},
    ]
    summary = summarise(rows)["base"]
    assert (summary["content"], summary["content_n"]) == (0.5, 2)
    assert (summary["behaviour"], summary["behaviour_n"]) == (1.0, 2)
    assert (summary["both"], summary["both_n"]) == (0.0, 1)
    assert (summary["n"], summary["latency_p50_s"], summary["first_token_p50_s"]) == (3, 1.0, 0.5)
