"""A job is a process: its state survives whoever asks, and its owner alone may touch it."""

import os
import signal
import subprocess
import sys
import time

import pytest

from ftrag import jobs, reporting
from ftrag.errors import InputError, NotFound
from tests.browser import wait_until
from tests.conftest import ROOT

SLEEPER = """
import sys, time
from pathlib import Path
from ftrag import jobs
with jobs.running(Path(sys.argv[1]), ["sleep"], "demo") as report:
    for step in range(1000):
        report(step / 1000, f"step {step}", loss=1.0, step=step)
        time.sleep(0.02)
"""


def sleeper(home):
    """A process that works under a job of its own for 20 s."""
    command = [sys.executable, "-c", SLEEPER, str(home)]
    return subprocess.Popen(command, cwd=ROOT, start_new_session=True, stderr=subprocess.DEVNULL)


def states(home):
    return [job["state"] for job in jobs.listing(home)]


def test_progress_and_numbers_are_read_from_outside_and_cancel_stops_it(home):
    process = sleeper(home)
    wait_until(lambda: states(home) == ["running"], 20)
    (job,) = jobs.listing(home)
    wait_until(lambda: jobs.metrics(home, job["id"]), 10)
    start = time.monotonic()
    assert jobs.cancel(home, job["id"])["state"] == "cancelled"
    assert time.monotonic() - start < 2
    process.wait(5)
    assert states(home) == ["cancelled"]


def test_a_job_that_does_not_stop_is_ended_and_says_so(home, monkeypatch):
    """It asks should_stop once, so that a signal only sets the flag, and then works on."""
    stubborn = SLEEPER.replace("    for step", "    report.should_stop()\n    for step")
    process = subprocess.Popen(
        [sys.executable, "-c", stubborn, str(home)], cwd=ROOT, start_new_session=True, stderr=subprocess.DEVNULL
    )
    wait_until(lambda: states(home) == ["running"], 20)
    (job,) = jobs.listing(home)
    wait_until(lambda: jobs.metrics(home, job["id"]), 10)
    monkeypatch.setattr(jobs, "PATIENCE_SECONDS", 0.5)
    answer = jobs.cancel(home, job["id"])
    process.wait(5)
    assert (answer["state"], answer["message"]) == ("cancelled", jobs.BY_FORCE)
    (shown,) = jobs.listing(home)
    assert (shown["state"], shown["message"]) == ("cancelled", jobs.BY_FORCE)


def test_a_killed_process_is_lost_not_running(home):
    process = sleeper(home)
    wait_until(lambda: states(home) == ["running"], 20)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(5)
    assert states(home) == ["lost"]
    assert "retry" in jobs.listing(home)[0]["message"]


def test_a_job_whose_turn_has_come_does_not_say_that_it_waits(home):
    with jobs.running(home, ["sleep"], "demo"):
        (job,) = jobs.listing(home)
        assert (job["state"], job["message"]) == ("running", "starting")


def test_one_works_and_the_next_waits_for_it(home):
    first = sleeper(home)
    wait_until(lambda: states(home) == ["running"], 20)
    second = sleeper(home)
    wait_until(lambda: states(home) == ["running", "queued"], 20)
    wait_until(lambda: "1 earlier job" in jobs.listing(home)[1]["message"], 10)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait(5)
    wait_until(lambda: states(home) == ["lost", "running"], 10)
    os.killpg(second.pid, signal.SIGKILL)
    second.wait(5)


def test_a_stranger_gets_nothing_in_the_same_words_as_for_an_unknown_id(home):
    folder = jobs.create(home, ["train", "demo"], owner="me", project="demo")
    for call in (jobs.cancel, jobs.dismiss, jobs.retry, jobs.find):
        with pytest.raises(NotFound, match="there is no job"):
            call(home, folder.name, "stranger")
    assert jobs.listing(home, "stranger") == []
    with pytest.raises(NotFound, match="there is no job"):
        jobs.find(home, "../../etc", "me")


def test_an_ended_job_cannot_be_cancelled_but_dismissed(home):
    folder = jobs.create(home, ["train", "demo"], owner="me")
    reporting.Report(folder).write(jobs.DONE, fraction=1.0, message="done")
    with pytest.raises(InputError, match="ended already"):
        jobs.cancel(home, folder.name, "me")
    jobs.dismiss(home, folder.name, "me")
    assert jobs.listing(home) == []


def test_a_child_sees_no_token(home, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    job = jobs.start(home, ["jobs"], owner="me")
    log = home / "jobs" / job / "output.log"
    wait_until(lambda: log.exists() and b"command" in log.read_bytes(), 30)
    assert b"hf_secret" not in log.read_bytes()


def test_an_estimate_is_told_at_once_where_standard_error_is_a_file(capsys):
    report = reporting.Report(None)
    report(0.0, "reading")
    report(0.1, "about 200 s for 68 steps on 133 rows", phase="estimate")
    report(0.2, "step 1")
    assert capsys.readouterr().err == "ftrag: 10% about 200 s for 68 steps on 133 rows\n"


@pytest.mark.parametrize(
    ("given", "count"), [({}, "2000"), ({"OMP_WAIT_POLICY": "ACTIVE"}, "-"), ({"GOMP_SPINCOUNT": "9"}, "9")]
)
def test_threads_of_two_processes_do_not_spin_against_each_other_unless_the_user_says_so(given, count):
    code = "import ftrag, os; print(os.environ.get('GOMP_SPINCOUNT', '-'))"
    clean = {key: value for key, value in os.environ.items() if key not in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")}
    done = subprocess.run([sys.executable, "-c", code], env=clean | given, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == count
