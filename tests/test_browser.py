"""The page as a visitor uses it: every tab, wrong input, the whole line on a shortened example, two visitors."""

import json

import pytest

from tests.browser import ARGUMENTS, CHROMIUM, Visit, require_chromium, served, wait_until
from tests.conftest import ROOT

pytestmark = pytest.mark.browser
TABS = ("Decide", "Train", "Evaluate", "Chat")
SCREENS = ROOT / "tests" / "output" / "screens"


@pytest.fixture(scope="module")
def chromium():
    require_chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with served(tmp_path_factory.mktemp("home")) as (address, seconds):
        assert seconds < 20  # 10 s is the promise on a free machine; a busy one gets twice that
        yield address


@pytest.fixture
def visit(chromium, server):
    context = chromium.new_context(viewport={"width": 1440, "height": 1000})
    visit = Visit(context, server)
    wait_until(lambda: visit.page.locator("#project input").input_value() == "support", 60)
    yield visit
    assert not visit.errors
    assert not visit.foreign
    context.close()


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (1440, "dark"), (390, "light"), (390, "dark")])
def test_every_tab_opens_without_overflow_and_has_its_screenshot(chromium, server, width, scheme):
    context = chromium.new_context(viewport={"width": width, "height": 900})
    visit = Visit(context, f"{server}/?__theme={scheme}")
    SCREENS.mkdir(parents=True, exist_ok=True)
    wait_until(lambda: "documents" in visit.page.content(), 60)
    for name in TABS:
        visit.tab(name)
        visit.page.wait_for_timeout(800)
        visit.page.screenshot(path=SCREENS / f"{name.lower()}-{width}-{scheme}.png", full_page=True)
        assert visit.overflow() <= 0, name
    assert not visit.errors and not visit.foreign
    context.close()


def test_an_empty_question_is_one_sentence(visit):
    visit.tab("Chat")
    visit.page.locator("#chat_ask").click()
    visit.page.get_by_text("the question is empty; type one").wait_for(timeout=20_000)


def test_a_bad_file_is_refused_by_name_and_nothing_is_lost(visit, tmp_path):
    visit.tab("Train")
    bad, good = tmp_path / "broken.jsonl", tmp_path / "notes.md"
    bad.write_text('{"prompt": "only half"}\n')
    good.write_text("# Notes\n\nThe lighthouse opens at 9:40.\n")
    wait_until(lambda: "26 documents" in visit.text("#data_report"), 60)
    before = visit.text("#data_report")
    visit.page.locator("#up_examples input[type=file]").set_input_files(bad)
    wait_until(lambda: "broken.jsonl" in visit.text("#taken"), 30)
    assert "refused" in visit.text("#taken")
    assert visit.text("#data_report") == before
    visit.page.locator("#up_documents input[type=file]").set_input_files(good)
    wait_until(lambda: "notes.md" in visit.text("#taken"), 30)
    assert "27 documents" in visit.text("#data_report")


def test_two_visitors_do_not_see_each_other(chromium, server, visit):
    visit.page.locator("#open_new").click()
    visit.page.locator("#new_name input, #new_name textarea").fill("only-mine")
    visit.page.locator("#new_make").click()
    wait_until(lambda: visit.page.locator("#project input").input_value() == "only-mine", 30)
    stranger = chromium.new_context()
    other = Visit(stranger, server)
    wait_until(lambda: other.page.locator("#project input").input_value() == "support", 60)
    other.page.locator("#project input").click()
    assert "only-mine" not in other.page.content()
    stranger.close()


@pytest.mark.slow
def test_train_reload_evaluate_and_chat(visit):
    """The line through the product by clicking, on the real model, shortened."""
    wait_until(lambda: "CPU" in visit.text("#status") or "GPU" in visit.text("#status"), 180)
    visit.tab("Train")
    visit.page.get_by_text("Training settings").click()
    visit.page.get_by_label("number input for Epochs").fill("0.1")
    visit.page.get_by_label("number input for Epochs").press("Enter")
    visit.page.locator("#train_start").click()
    wait_until(lambda: "train support --epochs 0.1" in visit.text("#train_job"), 30)
    visit.page.reload()
    visit.page.wait_for_selector("#tabs", timeout=60_000)
    visit.tab("Train")
    wait_until(lambda: "train support --epochs 0.1" in visit.text("#train_job"), 60)
    wait_until(lambda: "evaluate it on the gold questions" in visit.text("#train_job"), 300)
    visit.tab("Evaluate")
    visit.page.get_by_label("Only the first N questions").fill("4")
    visit.page.get_by_label("Only the first N questions").press("Tab")
    visit.page.locator("#evaluate_start").click()
    wait_until(lambda: "4 questions" in visit.text("#verdict"), 300)
    assert "base" in visit.text("#arm_table")
    visit.tab("Chat")
    chat_streams_and_stops(visit)


def chat_streams_and_stops(visit):
    question = visit.page.locator("#chat_question textarea, #chat_question input")
    question.fill("How long should I press the Bobber's button for pairing?")
    visit.page.locator("#chat_ask").click()
    texts = [lambda side=side: visit.text(f"#chat_{side}") for side in "ab"]
    start = [len(text()) for text in texts]
    wait_until(lambda: all(len(text()) > size + 60 for text, size in zip(texts, start, strict=True)), 60)
    visit.page.get_by_text("supports the answer").or_(visit.page.get_by_text("read, not used")).first.wait_for()
    question.fill("Tell me everything about boats, slowly and in many words.")
    visit.page.locator("#chat_ask").click()
    long = len(texts[0]())
    wait_until(lambda: len(texts[0]()) > long + 70, 60)
    visit.page.locator("#chat_stop").click()
    visit.page.wait_for_timeout(1000)
    stopped = texts[0]()
    visit.page.wait_for_timeout(1500)
    assert texts[0]() == stopped
    assert "stopped" in visit.text("#chat_note_a")


def test_a_taken_port_is_one_line(server, tmp_path):
    import os
    import subprocess
    import sys

    port = server.rsplit(":", 1)[1]
    environment = os.environ | {"FTRAG_HOME": str(tmp_path), "GRADIO_SERVER_PORT": port}
    command = [sys.executable, "app.py"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert f"port {port} is in use" in done.stderr and "Traceback" not in done.stderr


def test_the_private_endpoints_check_the_visitor(server):
    """Raw HTTP reaches private handlers, so they must refuse a visitor id that is not one."""
    import urllib.request

    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    config = json.load(opener.open(f"{server}/config", timeout=20))
    names = [row["api_name"] for row in config["dependencies"] if row.get("api_visibility") == "public"]
    assert sorted(names) == ["ask", "decide", "diagnose", "search"]
