"""What a training says while it runs: numbers for the live view, and in words when something is wrong."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

from ftrag.errors import TrainingError
from ftrag.training.estimate import memory_mib
from ftrag.training.settings import TrainSettings

FLAT = 0.02  # fall of the loss from first to last steps, as a fraction, under which it did not fall


class Watch:
    """The record of one training. Losses are nats per learned token."""

    def __init__(self, settings: TrainSettings, rows: int, steps: int, say: Callable[[dict[str, Any]], None]) -> None:
        self.settings, self.rows, self.steps, self.say = settings, rows, steps, say
        self.losses: list[float] = []  # by optimizer step, from 1
        self.held_out: list[tuple[int, float]] = []  # (step, loss)
        self.warnings: list[str] = []
        self.estimate_seconds = 0.0
        self.stopped = False
        self.best: tuple[int, float] | None = None
        self.seconds = 0.0  # of steps, without evaluations, in this process
        self.tokens = 0  # real ones, in this process
        self.positions_done = 0  # with padding, in this process
        self.positions_left = 0
        self.learning_rate = 0.0
        self._began = time.perf_counter()

    def start(self, positions: int) -> None:
        self.positions_left = positions
        self._began = time.perf_counter()

    def step(self, loss: float, tokens: int, positions: int, learning_rate: float) -> None:
        """One optimizer step is done: its mean loss, real tokens, positions with padding, and learning rate."""
        now = time.perf_counter()
        if not math.isfinite(loss):
            raise TrainingError(
                f"the loss became {loss} at step {len(self.losses) + 1}; "
                f"lower the learning rate (now {self.settings.learning_rate}) and look for damaged rows"
            )
        self.losses.append(loss)
        self.seconds += now - self._began
        self._began = now
        self.tokens += tokens
        self.positions_done += positions
        self.positions_left -= positions
        self.learning_rate = learning_rate
        self.report("train")

    def evaluated(self, loss: float) -> bool:
        """The held-out loss after this step. Gives whether it is the best so far; says it when over-fitting begins."""
        self._began = time.perf_counter()
        step = len(self.losses)
        earlier = self.held_out[-1] if self.held_out else None
        self.held_out.append((step, loss))
        if earlier and loss > earlier[1] and self._mean(earlier[0], step) < self._mean(0, earlier[0]):
            self.warn(
                f"over-fitting since step {step}: the training loss falls while the held-out loss rose "
                f"from {earlier[1]:.3f} to {loss:.3f}; the best adapter so far is kept"
            )
        best = self.best is None or loss < self.best[1]
        if best:
            self.best = (step, loss)
        self.report("evaluate")
        return best

    def reading(self, what: str, share: float) -> None:
        """Work before the first step: what is done, and how much of it, [0, 1]."""
        done = len(self.losses) / self.steps
        self.say({"fraction": done, "message": f"{what}, {share:.0%}", "phase": "reference"})

    def exhausted(self) -> bool:
        """Whether the held-out loss has not improved for `patience` evaluations."""
        if self.best is None:
            return False
        return sum(step > self.best[0] for step, _ in self.held_out) >= self.settings.patience

    def warn(self, text: str) -> None:
        kind = text.split(":")[0].split(" since")[0]
        if not any(warning.startswith(kind) for warning in self.warnings):
            self.warnings.append(text)

    def _mean(self, start: int, end: int) -> float:
        part = self.losses[start:end]
        return sum(part) / len(part) if part else math.inf

    def report(self, phase: str) -> None:
        step = len(self.losses)
        speed = self.tokens / self.seconds if self.seconds else 0.0
        left = self.positions_left * self.seconds / self.positions_done if self.positions_done else 0.0
        held_out = self.held_out[-1][1] if self.held_out else None
        shown = "" if held_out is None else f", held-out {held_out:.3f}"
        self.say(
            {
                "fraction": step / self.steps,
                "message": f"step {step} of {self.steps}, loss {self.losses[-1]:.3f}{shown}",
                "phase": phase,
                "step": step,
                "steps": self.steps,
                "loss": self.losses[-1],
                "eval_loss": held_out,
                "learning_rate": self.learning_rate,
                "tokens_per_second": round(speed, 1),
                "seconds_left": round(left, 1),
                "memory_mib": round(memory_mib()),
                "warnings": list(self.warnings),
            }
        )

    def summary(self) -> dict[str, Any]:
        """The numbers of a finished or stopped training. train_loss: the mean of the last epoch's steps."""
        self._judge_fall()
        last = max(1, round(self.steps / max(1.0, self.settings.epochs)))
        recent = self.losses[-last:]
        return {
            "train_loss": sum(recent) / len(recent) if recent else None,
            "eval_loss": self.best[1] if self.best else None,
            "best_step": self.best[0] if self.best else len(self.losses),
            "steps": len(self.losses),
            "rows": self.rows,
            "tokens_per_second": round(self.tokens / self.seconds, 1) if self.seconds else None,
            "estimate_seconds": round(self.estimate_seconds, 1),
            "memory_mib": round(memory_mib()),
            "losses": [round(loss, 5) for loss in self.losses],
            "eval_losses": [[step, round(loss, 5)] for step, loss in self.held_out],
            "warnings": list(self.warnings),
        }

    def _judge_fall(self) -> None:
        few = max(1, len(self.losses) // 10)
        first, last = self.losses[:few], self.losses[-few:]
        if len(self.losses) > 1 and sum(last) > (1 - FLAT) * sum(first):
            self.warn("the loss did not fall: check that the answers follow from the questions, or train longer")

    def record(self) -> dict[str, Any]:
        """What a checkpoint keeps, so that a resumed training goes on with its history."""
        return {"losses": self.losses, "held_out": self.held_out, "warnings": self.warnings, "best": self.best}

    def recall(self, record: dict[str, Any]) -> None:
        self.losses = list(record["losses"])
        self.held_out = [(step, loss) for step, loss in record["held_out"]]
        self.warnings = list(record["warnings"])
        self.best = tuple(record["best"]) if record["best"] else None
