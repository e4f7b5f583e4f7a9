"""Jobs in the real page, with real trainings of a tiny model: reload, closed tab, link, restart, cancel, retry."""

import json
import os
import time

import pytest

from ftrag import jobs, project, workflows
from tests.browser import Visit, served, set_epochs, wait_until
from tests.tiny import rows, tiny

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A project on a tiny random model, so that a real training of hundreds of steps takes seconds."""
    home = tmp_path_factory.mktemp("home")
    model, rows_file = home / "tiny-model", home / "rows.jsonl"
    loaded = tiny(hidden=128)
    loaded.model.save_pretrained(model)
    loaded.tokenizer.save_pretrained(model)
    path = project.create("demo", home)
    project.update(path, model=str(model))
    rows_file.write_text("".join(json.dumps({"prompt": r.prompt, "response": r.response}) + "\n" for r in rows(400)))
    assert workflows.add_examples(path, rows_file)["taken"]
    return home


def served_home(home):
    return served(home, FTRAG_SHARED_HOME="1", OMP_NUM_THREADS="1")


def opened(chromium, address, path=""):
    context = chromium.new_context(viewport={"width": 1280, "height": 1000})
    visit = Visit(context, f"{address}/{path}")
    visit.close = context.close
    return visit


def choose(visit):
    wait_until(lambda: visit.page.locator("#project input").input_value() == "demo", 60)
    visit.tab("Train")
    wait_until(lambda: "400 training rows" in visit.text("#data_report"), 60)


def train(visit, epochs):
    set_epochs(visit, epochs)
    visit.page.locator("#train_start").click()
    wait_until(lambda: f"--epochs {epochs}" in visit.text("#train_job"), 30)


def state(home):
    return jobs.listing(home)[-1]


def stepping(home):
    """The running job, once it has taken some steps."""
    return wait_until(lambda: (job := state(home))["state"] == "running" and job.get("step", 0) > 3 and job, 90)


def open_bell(visit):
    if not visit.page.locator("#job_list").is_visible():
        visit.page.locator("#jobs > button").first.click()
    visit.page.locator("#job_list [data-act]").first.wait_for(timeout=20_000)


def press(visit, act):
    visit.page.locator(f"#job_list [data-act={act}]").first.dispatch_event("pointerdown")


def test_a_training_survives_reload_closed_tab_restart_and_is_seen_by_link(chromium, home):
    with served_home(home) as (address, _):
        visit = opened(chromium, address)
        choose(visit)
        train(visit, 10)
        job = stepping(home)

        visit.page.reload()  # the same browser finds its training again, further on
        choose(visit)
        wait_until(lambda: "step" in visit.text("#train_job"), 30)

        other = opened(chromium, address, f"?run={job['id']}")  # another visitor, by the link alone
        wait_until(lambda: "You watch this job by its link" in other.text("#watched"), 60)
        wait_until(lambda: "step" in other.text("#watched"), 30)
        for width in (390, 1280):  # the bar has the whole width, on a phone too
            other.page.set_viewport_size({"width": width, "height": 900})
            assert other.page.locator("#watched").bounding_box()["width"] > width - 120 and other.overflow() <= 0
        assert other.page.locator("#job_list [data-act]").count() == 0  # to read only: it is not in the visitor's list
        other.close()

        stored = visit.page.context.storage_state()
        visit.close()  # the tab is gone, the training is not
        before = state(home)["step"]
        wait_until(lambda: state(home)["step"] > before, 30)

    assert state(home)["state"] == "running"  # the app has ended, its child has not
    with served_home(home) as (address, _):
        context = chromium.new_context(storage_state=moved(stored, address))
        visit = Visit(context, address)
        choose(visit)
        wait_until(lambda: state(home)["id"] == job["id"] and "of" in visit.text("#train_job"), 120)
        open_bell(visit)
        started = time.monotonic()
        press(visit, "cancel")
        wait_until(lambda: state(home)["state"] == "cancelled", 10)
        assert time.monotonic() - started < 10  # with the way of the click; the promise is kept in test_jobs.py
        assert list((home / "projects" / "demo" / "adapters").glob(".unfinished-*/checkpoints/step-*"))
        done = state(home)["step"]

        wait_until(lambda: "cancelled" in visit.text("#job_list"), 20)
        press(visit, "retry")
        wait_until(lambda: state(home)["id"] != job["id"] and state(home).get("step", 0) > done, 180)
        first = jobs.metrics(home, state(home)["id"])[0]["step"]
        assert first == done + 1  # it goes on where the cancelled one ended
        os.killpg(pid(home), 9)
        wait_until(lambda: "its process ended without a word" in visit.text("#job_list"), 20)
        assert "lost" in visit.text("#job_list")
        press(visit, "log")
        visit.page.locator("#job_log textarea").wait_for(timeout=20_000)
        count = visit.page.locator("#job_list [data-act=dismiss]").count()
        press(visit, "dismiss")
        wait_until(lambda: visit.page.locator("#job_list [data-act=dismiss]").count() == count - 1, 20)
        assert not [error for error in visit.errors if "WebSocket" not in error and "ERR_CONNECTION" not in error]
        context.close()


def pid(home):
    folder = home / "jobs" / state(home)["id"]
    return project.read_json(folder / "status.json")["pid"]


def moved(stored, address):
    """A browser's storage under the port that the restarted app has got."""
    return stored | {"origins": [origin | {"origin": address} for origin in stored["origins"]]}


def test_the_estimate_comes_before_train_and_the_next_job_waits_its_turn(chromium, home):
    with served_home(home) as (address, _):
        visit = opened(chromium, address)
        choose(visit)
        visit.page.locator("#train_estimate").click()
        wait_until(lambda: "Nothing is trained yet" in visit.text("#train_job"), 90)
        assert "trainable parameters" in visit.text("#train_job")
        adapters = home / "projects" / "demo" / "adapters"
        assert not list(adapters.glob("[!.]*/card.json"))

        train(visit, 10)
        stepping(home)
        second = jobs.start(home, ["train", "demo", "--epochs", "1"], jobs.owned(home)[-1]["owner"], "demo")
        open_bell(visit)
        wait_until(lambda: "waiting for 1 earlier job" in visit.text("#job_list"), 60)
        assert "1 running · 1 queued" in visit.text("#jobs")
        for job in jobs.listing(home):
            if job["state"] == "running":
                jobs.cancel(home, job["id"])
        wait_until(lambda: jobs.watch(home, second)["state"] == "done", 120)
        wait_until(lambda: "with the adapter" in visit.text("#train_outcome"), 30)  # five prompts side by side
        shown = visit.text("#train_outcome")
        assert "General questions (350)" in shown and "Safe answers (240)" in shown
        visit.close()
