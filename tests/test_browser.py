"""The page as a visitor uses it: every tab, wrong input, the whole line on a shortened example, two visitors."""

import json

import pytest

from ftrag import project as projects
from tests.browser import Visit, free_port, set_epochs, wait_until
from tests.conftest import ROOT

pytestmark = pytest.mark.browser
TABS = ("Decide", "Train", "Evaluate", "Chat")
CUT_OFF = ("AbortError: signal is aborted", "Connection errored out")  # gradio's client, when its page goes away
SCREENS = ROOT / "tests" / "output" / "screens"


@pytest.fixture
def visit(chromium, server):
    context = chromium.new_context(viewport={"width": 1440, "height": 1000})
    visit = Visit(context, server)
    wait_until(lambda: visit.page.locator("#project input").input_value() == "support", 60)
    yield visit
    assert not visit.errors, visit.errors
    assert not visit.foreign
    context.close()


@pytest.mark.parametrize("width", [1440, 768, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_tab_opens_without_overflow_and_has_its_screenshot(chromium, server, width, scheme):
    """What a visitor's system prefers is followed; the pictures are for whoever changes the page."""
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    visit = Visit(context, server)
    SCREENS.mkdir(parents=True, exist_ok=True)
    wait_until(lambda: "questions" in visit.text("#verdict"), 60)
    assert visit.page.evaluate("document.body.classList.contains('dark')") == (scheme == "dark")
    for name in TABS:
        visit.tab(name)
        visit.page.wait_for_timeout(600)
        visit.page.screenshot(path=SCREENS / f"{name.lower()}-{width}-{scheme}.png", full_page=True)
        assert visit.overflow() <= 0, name
    assert not visit.errors and not visit.foreign
    context.close()


OPEN_EVERYTHING = """() => [...document.querySelectorAll('button.label-wrap:not(.open), details:not([open])')]
  .filter(found => found.offsetParent).map(found => found.tagName == 'DETAILS' ? found.open = true : found.click())
  .length"""
# gradio loads what draws an example's button when the first one is shown.
FILLED = "[...document.querySelectorAll('.gallery-item')].every(button => button.textContent.trim())"
STACKED = "[...document.querySelectorAll('.ft-stack td')].every(cell => getComputedStyle(cell).display === 'block')"
# Nothing is told of what is right, nor by which selector a fault is found: that takes longer than to find the faults.
AXE = "rules => axe.run(document, {runOnly: rules, resultTypes: ['violations'], selectors: false})"
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
# What gradio's own components violate, and where that is known. "Accessibility" is gradio's open issue for all of it.
GRADIO = "https://github.com/gradio-app/gradio/issues/1178"
KNOWN = {  # rule -> what its elements' HTML contains, all inside gr.Dataframe
    "aria-prohibited-attr": ('aria-label="Static column"',),
    "aria-command-name": ("select-all-checkbox", "bool-cell"),
    "nested-interactive": ("select-all-checkbox", "bool-cell"),
    "label": ('data-testid="checkbox"',),
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_tab_violates_wcag_with_everything_open(chromium, server, scheme):
    """axe-core, WCAG 2.1 A and AA, every panel of every tab opened, the header's panels too."""
    from importlib.resources import files

    context = chromium.new_context(viewport={"width": 1440, "height": 900}, color_scheme=scheme)
    visit = Visit(context, server)
    wait_until(lambda: "questions" in visit.text("#verdict"), 60)
    visit.page.evaluate((files("axe_playwright_python") / "axe.min.js").read_text())
    for name, panel in zip(TABS, ("new", "share", "delete", "new"), strict=True):
        visit.tab(name)
        visit.page.locator(f"#open_{panel}").click()
        visit.page.wait_for_timeout(500)
        for _ in range(4):  # a panel may hold further panels
            if not visit.page.evaluate(OPEN_EVERYTHING):
                break
            visit.page.wait_for_timeout(400)
        wait_until(lambda: visit.page.evaluate(FILLED), 30)
        found = visit.page.evaluate(AXE, WCAG)
        assert ours(found["violations"]) == [], name
        assert visit.overflow() <= 0, name
    context.close()


def test_on_a_phone_no_open_panel_widens_the_page(chromium, server):
    """Wide tables scroll inside their panel: prices, capabilities, every number of a run."""
    context = chromium.new_context(viewport={"width": 390, "height": 844})
    visit = Visit(context, server)
    wait_until(lambda: "questions" in visit.text("#verdict"), 60)
    for name in TABS:
        visit.tab(name)
        visit.page.wait_for_timeout(500)
        for _ in range(4):
            if not visit.page.evaluate(OPEN_EVERYTHING):
                break
            visit.page.wait_for_timeout(400)
        if name == "Decide":
            visit.page.get_by_label("Capabilities, one a line").fill("Answers must cite the page")
            visit.page.get_by_role("button", name="Classify", exact=True).click()
            visit.page.wait_for_selector("#capability_overall:has-text('Overall')", timeout=60_000)
            visit.page.wait_for_selector("#capability_table:has-text('Answers must cite')")
        if name == "Train":
            visit.page.wait_for_selector("#train_outcome .ft-stack")
            assert visit.page.evaluate(STACKED)  # a column of sentences is no strip of single words
        assert visit.overflow() <= 0, name
    context.close()


def ours(violations):
    """Violations that are not gradio's own: (rule, element, what is wrong)."""
    return [
        (violation["id"], node["html"][:200], (node["any"] or node["all"] or node["none"])[0]["message"])
        for violation in violations
        for node in violation["nodes"]
        if not any(mark in node["html"] for mark in KNOWN.get(violation["id"], ()))
    ]


def test_the_colour_scheme_is_kept_in_the_browser(chromium, server):
    context = chromium.new_context(color_scheme="light")
    is_dark = "document.body.classList.contains('dark')"
    visit = Visit(context, server)
    visit.page.locator("#scheme").click()
    wait_until(lambda: visit.page.evaluate(is_dark), 10)
    visit.page.reload()
    visit.page.wait_for_selector("#tabs", timeout=60_000)
    wait_until(lambda: visit.page.evaluate(is_dark), 20)
    context.close()


def test_the_header_makes_shares_and_deletes_projects(visit):
    page = visit.page
    page.locator("#open_share").click()
    link = page.locator("#share_link textarea, #share_link input")
    wait_until(lambda: link.input_value().endswith("/?project=support"), 20)
    page.locator("#own_evaluate").click()  # "use my own data" makes an empty project and turns to Train
    wait_until(lambda: page.locator("#project input").input_value() == "my-project", 30)
    page.locator("#up_documents").wait_for(state="visible")
    page.locator("#open_delete").click()
    wait_until(lambda: "Delete my-project with its 0 documents" in visit.text("#delete_note"), 20)
    page.locator("#delete_go").click()
    wait_until(lambda: page.locator("#project input").input_value() == "support", 30)


def test_the_next_step_leads_through_the_tabs_by_keyboard(visit):
    for tab, target in (("evaluate", "#chat_question"), ("chat", "#verdict")):
        visit.page.locator(f"#next_{tab}").focus()
        visit.page.keyboard.press("Enter")
        visit.page.locator(target).wait_for(state="visible", timeout=30_000)


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
def test_train_reload_evaluate_and_chat(visit, tmp_path):
    """The line through the product by clicking, on the real model, shortened; test_line.py has more arms."""
    wait_until(lambda: "CPU" in visit.text("#status") or "GPU" in visit.text("#status"), 180)
    visit.tab("Train")
    gold = (projects.EXAMPLES / "support" / "gold.jsonl").read_text().splitlines()
    (tmp_path / "eight.jsonl").write_text("\n".join(gold[:8]) + "\n")  # all are read with and without the LoRA
    visit.page.locator("#up_gold input[type=file]").set_input_files(tmp_path / "eight.jsonl")
    wait_until(lambda: "eight.jsonl" in visit.text("#taken") and "8 gold questions" in visit.text("#data_report"), 30)
    set_epochs(visit, 0.1)
    visit.page.locator("#train_start").click()
    wait_until(lambda: "train support --epochs 0.1" in visit.text("#train_job"), 30)
    reload(visit)
    visit.tab("Train")
    wait_until(lambda: "train support --epochs 0.1" in visit.text("#train_job"), 60)
    wait_until(lambda: "evaluate it on the gold questions" in visit.text("#train_job"), 300)
    visit.tab("Evaluate")
    visit.page.get_by_text("Arms, number of questions, other runs").click()
    visit.page.get_by_label("Only the first N questions").fill("4")
    visit.page.get_by_label("Only the first N questions").press("Tab")
    for arm in ("base+rag", "prompt", "prompt+rag", "base+oracle", "lora", "lora+oracle"):
        visit.page.locator("#arms").get_by_label(f"{arm} –").uncheck()
    wait_until(lambda: "2 arms x 4 questions" in visit.text("#plan").replace("×", "x"), 20)
    visit.page.locator("#evaluate_start").click()
    wait_until(lambda: "4 questions" in visit.text("#verdict"), 300)
    visit.page.get_by_text("Every number: arms, differences, costs").click()
    wait_until(lambda: "base" in visit.text("#arm_table"), 20)
    visit.tab("Chat")
    chat_streams_and_stops(visit)


def reload(visit):
    """Reload the page; requests of the old one that are cut off are no errors of the new one."""
    before = len(visit.errors)
    visit.page.reload()
    visit.page.wait_for_selector("#tabs", timeout=60_000)
    visit.errors[before:] = [error for error in visit.errors[before:] if not any(said in error for said in CUT_OFF)]


def chat_streams_and_stops(visit):
    question = visit.page.locator("#chat_question textarea, #chat_question input")
    question.fill("How long should I press the Bobber's button for pairing?")
    visit.page.locator("#chat_ask").click()
    texts = [lambda side=side: visit.text(f"#chat_{side}") for side in "ab"]
    start = [len(text()) for text in texts]
    wait_until(lambda: all(len(text()) > size + 60 for text, size in zip(texts, start, strict=True)), 60)
    visit.page.get_by_text("supports the answer").or_(
        visit.page.get_by_text("read; no sentence of it")
    ).first.wait_for()
    question.fill("Tell me everything about boats, slowly and in many words.")
    visit.page.locator("#chat_ask").click()
    long = len(texts[0]())
    wait_until(lambda: len(texts[0]()) > long + 70, 60)
    visit.page.locator("#chat_stop").click()
    visit.page.wait_for_timeout(1000)
    stopped = texts[0]()
    visit.page.wait_for_timeout(1500)
    assert texts[0]() == stopped


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


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("GRADIO_SERVER_PORT", "abc", "must be a whole number from 1 to 65535"),
        ("GRADIO_SERVER_PORT", "99999", "must be a whole number from 1 to 65535"),
        ("FTRAG_HOME", str(ROOT / "app.py"), "set FTRAG_HOME to a folder"),
    ],
)
def test_a_port_or_a_home_that_cannot_be_is_one_line(tmp_path, name, value, said):
    import os
    import subprocess
    import sys

    environment = os.environ | {"FTRAG_HOME": str(tmp_path), "GRADIO_SERVER_PORT": str(free_port()), name: value}
    command = [sys.executable, "app.py"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=90)
    assert done.returncode == 2 and said in done.stderr and done.stderr.count("\n") == 1


def test_only_the_four_endpoints_are_public(server):
    import urllib.request

    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    config = json.load(opener.open(f"{server}/config", timeout=20))
    names = {row["api_name"] for row in config["dependencies"] if row.get("api_visibility") == "public"}
    assert names == {"decide", "diagnose", "search", "ask"}
