"""One whole visit with the keyboard alone: switch the project, open a failure, turn the tab, ask in chat."""

import pytest

from tests.browser import Visit, wait_until

pytestmark = pytest.mark.browser
ACTIVE = """() => { const e = document.activeElement;
  return {kind: e.className, text: (e.innerText || e.value || e.getAttribute('aria-label') || '').trim(),
          seen: getComputedStyle(e).outlineStyle !== 'none', inside: [...document.querySelectorAll('[id]')]
            .filter(one => one.contains(e)).map(one => one.id)}; }"""


def tab_to(page, found, most=90):
    """Press Tab until the focus stands where `found` says; every stop on the way shows where it is."""
    for _ in range(most):
        page.keyboard.press("Tab")
        here = page.evaluate(ACTIVE)
        if found(here):
            assert here["seen"], here
            return here
    raise AssertionError("the keyboard does not get there")


def test_a_visit_with_the_keyboard_alone(chromium, parrot):
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    visit = Visit(context, parrot)
    page = visit.page
    wait_until(lambda: "questions" in visit.text("#verdict"), 90)
    tab_to(page, lambda here: "project" in here["inside"])
    for key in ("ArrowDown", "ArrowDown", "Enter"):  # the list opens; the next one is chosen
        page.keyboard.press(key)
    wait_until(lambda: page.locator("#project input").input_value() != "support", 60)
    verdict = visit.text("#verdict")
    wait_until(lambda: visit.text("#verdict") != verdict, 60)  # that of the example which is chosen now
    wait_until(lambda: page.locator("#rows .body-cell").count() > 6, 60)
    before = visit.text("#row")
    tab_to(page, lambda here: "rows" in here["inside"] and "body-cell" in here["kind"])
    for key in ("ArrowDown", "Enter"):  # the question below is opened
        page.keyboard.press(key)
    wait_until(lambda: visit.text("#row") != before, 20)
    page.evaluate("document.querySelector('#scheme').focus()")  # back to the top, as Ctrl+Home would
    tab_to(page, lambda here: here["text"] == "4 · Chat")
    page.keyboard.press("Enter")
    wait_until(lambda: "Bobber" not in visit.text("#chat_questions"), 60)  # that is the former project's
    tab_to(page, lambda here: "chat_question" in here["inside"])
    page.keyboard.type("Where is the button?")
    page.keyboard.press("Enter")
    wait_until(lambda: "tokens/s" in visit.text("#chat_note_a"), 60)
    assert "Where is the button?" in visit.text("#chat_a")
    assert not visit.errors and not visit.foreign
    context.close()


def test_switching_the_project_asks_once_and_shows_its_own_verdict(chromium, parrot):
    """Both examples' runs have the same name; and listeners that wait for each other would ask without end."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    visit = Visit(context, parrot)
    page, asked = visit.page, []
    wait_until(lambda: "Do both" in visit.text("#verdict"), 90)
    page.on("request", lambda request: asked.append(request.url) if "queue/join" in request.url else None)
    page.locator("#project input").click()
    page.get_by_role("option", name="Example: tickets").click()
    wait_until(lambda: "Fine-tune" in visit.text("#verdict"), 60)
    page.wait_for_timeout(3000)
    before = len(asked)
    page.wait_for_timeout(6000)
    assert len(asked) - before <= 6  # the clock alone, at most every 1.5 s
    assert not visit.errors
    context.close()
