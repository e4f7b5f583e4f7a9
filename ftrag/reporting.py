"""How a command that runs as a job tells its state: to its folder, and to whoever looks at the terminal."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

from ftrag.births import born
from ftrag.pace import Pace
from ftrag.project import append_jsonl, write_json

GOING = "running"  # the state of a job that works
TELL_SECONDS = 5.0  # between lines of progress where standard error is a file
WRITE_SECONDS = 0.2  # between two states in the folder


class Cancelled(BaseException):
    """Raised in the child when its user asked it to stop."""


class Report:
    """How a running command tells its state. Its own job folder is written every WRITE_SECONDS at most."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self.stopping = False
        self.polite = False  # the work asks should_stop itself, so a signal only sets the flag
        self._last: dict[str, Any] = {}
        self._written = 0.0
        self._pace, self._timed = Pace(), False  # timed: the work says itself how long it takes
        self._told = time.monotonic()  # nothing is told in the first moments, where bad input ends most commands

    def __call__(self, fraction: float, message: str, **more: Any) -> None:
        """fraction in [0, 1]; message for people; more: numbers that the live view shows.

        Work that does not give seconds_left, nor says in its message what is left, is timed by its pace.
        """
        self._timed = self._timed or "seconds_left" in more
        left = self._pace.left(fraction)
        if left is not None and not self._timed and not message.endswith(" left"):
            more["seconds_left"] = round(left, 1)
        self._last |= {"fraction": round(min(max(fraction, 0.0), 1.0), 4), "message": message, **more}
        if "loss" in more and self.folder is not None:
            append_jsonl(self.folder / "metrics.jsonl", [more])
        self._tell(fraction, message, urgent=more.get("phase") == "estimate")
        if time.monotonic() - self._written > WRITE_SECONDS:
            self.write(GOING)

    def _tell(self, fraction: float, message: str, urgent: bool) -> None:
        """Progress on standard error: one moving line on a terminal, elsewhere a line every few seconds."""
        terminal = sys.stderr.isatty()
        if not urgent and time.monotonic() - self._told < (0.2 if terminal else TELL_SECONDS):
            return
        self._told = time.monotonic()
        if not self._timed and (left := self._last.get("seconds_left")) and not message.endswith(" left"):
            message = f"{message}, about {left:.0f} s left"
        line = f"\r{fraction:4.0%} {message[:100]:100}" if terminal else f"ftrag: {fraction:.0%} {message}\n"
        print(line, end="", file=sys.stderr, flush=True)

    def write(self, state: str, **more: Any) -> None:
        self._written = time.monotonic()
        self._last |= more
        if self.folder is None or not self.folder.is_dir():
            return
        write_json(
            self.folder / "status.json",
            {"state": state, "pid": os.getpid(), "born": born(os.getpid()), "updated": time.time(), **self._last},
        )

    def should_stop(self) -> bool:
        self.polite = True
        return self.stopping

    def stop(self, *_: object) -> None:
        """The handler of SIGTERM and SIGINT."""
        if self.stopping or not self.polite:
            raise Cancelled
        self.stopping = True
