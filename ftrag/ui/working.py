"""Work that may take more than a second: a bar with the time that is left, where its result will stand."""

from __future__ import annotations

import contextvars
import functools
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import gradio as gr

from ftrag.errors import FtragError
from ftrag.pace import Pace, Progress, learned
from ftrag.ui import texts
from ftrag.ui.view import bar, seconds

LOOK_SECONDS = 0.3  # between two bars; what is over by then shows none
Sized = Callable[..., float]  # of a handler's arguments: how much there is to do, in any unit


def working(work: Callable[[Progress], Any]) -> Iterator[tuple[str, Any]]:
    """Run work(report) in a thread: (a bar, None) while it goes on, at last ("", its result). Raises what it raises."""
    latest: dict[str, Any] = {"fraction": 0.0, "message": texts.WORKING}
    ended: dict[str, Any] = {}

    def run() -> None:
        try:
            ended["value"] = work(lambda fraction, message: latest.update(fraction=fraction, message=message))
        except Exception as error:  # handed over to the thread that asked, which tells the visitor
            ended["error"] = error

    pace = Pace()
    thread = threading.Thread(target=contextvars.copy_context().run, args=(run,), daemon=True)
    thread.start()
    thread.join(LOOK_SECONDS)
    while thread.is_alive():
        yield timed_bar(latest["fraction"], latest["message"], pace), None
        thread.join(LOOK_SECONDS)
    if "error" in ended:
        raise ended["error"]
    yield "", ended["value"]


def timed_bar(fraction: float, message: str, pace: Pace) -> str:
    left = pace.left(fraction)
    return bar(fraction, message, texts.NO_TIME_YET if left is None else texts.ABOUT_LEFT.format(time=seconds(left)))


def barred(message: str, size: Sized, outputs: int = 1, place: int = 0) -> Callable[..., Any]:
    """Make a handler show a bar in its output number `place` while it works.

    It says nothing itself, so the bar goes by what a unit of `size(*arguments)` took the last times.
    """

    def wrap(handler: Callable[..., Any]) -> Callable[..., Iterator[Any]]:
        @functools.wraps(handler)
        def stream(*args: Any) -> Iterator[Any]:
            def work(report: Progress) -> Any:
                with learned(report, message, handler.__name__, _size(size, args)):
                    return handler(*args)

            for shown, value in working(work):
                yield value if not shown else shown if outputs == 1 else _in_place(shown, outputs, place)

        return stream

    return wrap


def _size(size: Sized, args: Sequence[Any]) -> float:
    """0 for arguments that have none: the handler itself says what is wrong with them."""
    try:
        return size(*args)
    except (FtragError, TypeError, ValueError, OSError):
        return 0.0


def _in_place(shown: str, outputs: int, place: int) -> list[Any]:
    return [shown if number == place else gr.skip() for number in range(outputs)]
