"""Whatever takes over a second says how long it still takes: by what is done, or by what it took the last time."""

import threading
import time

import pytest

from ftrag import hub, jobs, pace, reporting
from ftrag.errors import InputError
from ftrag.pace import Pace
from ftrag.ui import working


def test_the_time_left_follows_the_pace():
    clock = Pace()
    assert clock.left(0.1, now=0.0) is None  # one look says nothing
    assert clock.left(0.3, now=4.0) == pytest.approx(14.0)  # 0.2 in 4 s: 0.7 in 14 s
    assert clock.left(0.3, now=8.0) == pytest.approx(28.0)  # it stands still: 0.2 in 8 s
    assert clock.left(0.1, now=9.0) is None  # another try has begun


def test_a_slow_start_is_forgotten():
    clock = Pace()
    clock.left(0.0, now=0.0)
    assert clock.left(0.01, now=25.0) is None  # the model has been loaded, which says nothing of the answers
    for moment in range(100, 200):  # 100 s for nothing, then 0.005 a second
        left = clock.left((moment - 100) * 0.005, now=float(moment))
    assert left == pytest.approx((1 - 99 * 0.005) / 0.005)


def test_a_step_that_says_nothing_moves_with_the_clock_and_what_it_took_is_remembered():
    told = []
    for _ in range(2):
        with pace.learned(lambda fraction, message: told.append((fraction, message)), "cutting", "test", 10):
            time.sleep(0.8)
    assert {message for _, message in told} == {"cutting"} and all(0 <= fraction < 1 for fraction, _ in told)
    first, second = told[: len(told) // 2], told[len(told) // 2 :]
    assert first[-1][0] == pytest.approx(0.6 / pace.FIRST_GUESS, abs=0.1)  # two ticks of 0.3 s in a guess of 2 s
    assert second[-1][0] == pytest.approx(0.6 / 0.8, abs=0.2)


def test_what_takes_longer_than_expected_is_never_said_to_be_over():
    assert pace.expected_share(1.0, 4.0) == 0.25
    assert pace.expected_share(40.0, 4.0) == pytest.approx(0.8)  # 40 of 50 s
    clock = Pace()
    for second in range(41):
        left = clock.left(pace.expected_share(float(second), 4.0), now=float(second))
    assert left is None or left > 4


def test_work_shows_a_bar_with_the_time_left_and_then_its_result():
    def work(report):
        for step in range(5):
            report(step / 5, f"step {step}")
            time.sleep(0.35)
        return "done"

    *bars, last = list(working.working(work))
    assert last == ("", "done") and len(bars) >= 3
    assert all("progressbar" in shown and value is None for shown, value in bars)
    assert "working out the time" in bars[0][0] and "about 1 s left" in "".join(shown for shown, _ in bars[2:])


def test_quick_work_shows_no_bar_and_an_error_is_raised_where_it_was_asked():
    assert list(working.working(lambda report: 7)) == [("", 7)]

    def fail(report):
        raise InputError("no")

    with pytest.raises(InputError, match="no"):
        list(working.working(fail))


def test_a_handler_with_a_bar_gives_it_in_its_place_and_reads_the_same_arguments():
    def handler(name, number):
        time.sleep(0.7)
        return [name, number, "end"]

    *bars, last = list(working.barred("thinking", lambda name, number: number, outputs=3, place=2)(handler)("a", 3))
    assert last == ["a", 3, "end"] and "thinking" in bars[0][2] and isinstance(bars[0][0], dict)  # gr.skip()


def test_a_job_that_says_nothing_of_time_is_timed(tmp_path, monkeypatch):
    folder = jobs.create(tmp_path, ["compare", "demo"], "", "demo")
    report = reporting.Report(folder)
    report(0.1, "a")
    time.sleep(0.9)
    report(0.4, "b")
    (job,) = jobs.listing(tmp_path)
    assert job["seconds_left"] == pytest.approx(1.8, abs=0.3)  # 0.3 in 0.9 s: 0.6 in 1.8 s
    report(0.5, "c", seconds_left=77.0)
    report(0.6, "d")
    time.sleep(0.25)
    report(0.6, "d")
    assert jobs.listing(tmp_path)[0]["seconds_left"] == 77.0  # what the work says itself stands


def test_a_file_that_is_sent_tells_how_far_it_is(tmp_path):
    path = tmp_path / "weights.bin"
    path.write_bytes(b"x" * 1000)
    seen = []
    with hub.Sending(open(path, "rb", buffering=0)) as file:
        file.read()  # for its hash: nobody is told
        file.seek(0)
        file.told = lambda: seen.append(file.tell())
        file.read(400)
        file.read(600)
    assert seen == [400, 1000]


def test_what_arrives_is_looked_at_until_the_transfer_ends():
    looked, now = [], threading.active_count()
    with pace.every(0.05, lambda: looked.append(1)):
        time.sleep(0.3)
    assert len(looked) >= 3 and threading.active_count() == now
