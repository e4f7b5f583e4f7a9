"""How long something still takes, judged by its pace so far."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator

LEAST_SECONDS = 0.7  # before that nothing is said: most things are over by then
LEAST_SHARE = 0.02  # of the whole that must be done since the first look: loading a model says little of the rest
WINDOW = 20.0  # seconds whose pace counts, so that a slow start is forgotten
TICK = 0.3  # seconds
LATE = 1.25  # what takes longer than expected is expected to take this many times what it has taken

Progress = Callable[[float, str], None]  # fraction in [0, 1], message


class Pace:
    """Told every fraction as it comes, it says how many seconds are left."""

    def __init__(self) -> None:
        self._first: float | None = None
        self._seen: deque[tuple[float, float]] = deque()  # (moment, fraction), the oldest one inside the window first

    def left(self, fraction: float, now: float | None = None) -> float | None:
        """Seconds left at this fraction in [0, 1]; None while nothing can be said yet, or nothing moves."""
        moment = time.monotonic() if now is None else now
        if self._seen and fraction < self._seen[-1][1]:
            self._seen.clear()  # a new try began
            self._first = None
        self._first = fraction if self._first is None else self._first
        self._seen.append((moment, fraction))
        while len(self._seen) > 2 and moment - self._seen[1][0] > WINDOW:
            self._seen.popleft()
        began, first = self._seen[0]
        if moment - began < LEAST_SECONDS or fraction <= first or fraction - self._first < LEAST_SHARE:
            return None
        return (moment - began) / (fraction - first) * (1.0 - fraction)


def expected_share(taken: float, seconds: float) -> float:
    """How much is done after `taken` seconds of a step that usually takes `seconds`; under 1 / LATE once it is late."""
    return taken / max(seconds, taken * LATE, TICK)


@contextlib.contextmanager
def expected(report: Progress, start: float, end: float, message: str, seconds: float) -> Iterator[None]:
    """Progress of a step that says nothing itself: from start towards end as the seconds pass that it usually takes."""
    began = time.monotonic()

    def tick() -> None:
        share = expected_share(time.monotonic() - began, seconds)
        report(start + share * (end - start), message)

    report(start, message)
    with every(TICK, tick):
        yield


@contextlib.contextmanager
def every(seconds: float, look: Callable[[], None]) -> Iterator[None]:
    """Look again and again while the body runs; a file that goes away in that moment is looked at the next time."""
    done = threading.Event()

    def run() -> None:
        while not done.wait(seconds):
            with contextlib.suppress(OSError):
                look()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


_took: dict[str, float] = {}  # what a unit of an action took last in this process, in seconds
FIRST_GUESS = 2.0  # seconds of an action that this process has not seen yet


@contextlib.contextmanager
def learned(report: Progress, message: str, what: str, size: float) -> Iterator[None]:
    """As `expected`, from 0 to 1, with the seconds that `what` took the last time for each unit of `size`."""
    begin = time.monotonic()
    with expected(report, 0.0, 1.0, message, _took[what] * size if what in _took else FIRST_GUESS):
        yield
    if size > 0:
        _took[what] = (time.monotonic() - begin) / size
