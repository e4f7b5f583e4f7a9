"""The Evaluate tab of a first visit: the verdict is there, a click on a point filters, a click on a row opens."""

import pytest

from tests.browser import Visit, wait_until

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def visit(chromium, server):
    visit = Visit(chromium.new_context(viewport={"width": 1440, "height": 1000}), server)
    wait_until(lambda: visit.page.locator("#project input").input_value() == "support", 60)
    visit.tab("Evaluate")
    visit.page.wait_for_selector("#verdict .ft-route", timeout=60_000)
    yield visit
    assert not visit.errors and not visit.foreign


def test_the_verdict_and_one_failure_are_open_without_a_click(visit):
    wait_until(lambda: "Expected:" in visit.text("#row"), 30)
    wait_until(lambda: "points" in visit.text("#plan"), 60)
    assert "lora+rag" in visit.text("#arms_plot")
    assert visit.text("#verdict").index("without retrieval") > 0 and "`" not in visit.text("#verdict")


def test_a_click_on_a_group_filters_the_rows_and_a_click_on_a_row_opens_it(visit):
    page, chosen = visit.page, visit.page.locator("#row_filter input")
    assert chosen.input_value() == "all questions"
    page.locator("#scatter .ft-chips button").last.click()
    wait_until(lambda: chosen.input_value() != "all questions", 30)
    page.locator("#scatter path[data-group='0']").first.dispatch_event("click")
    wait_until(lambda: chosen.input_value().startswith(("rest 1 ", "group 1 ")), 30)
    opened = visit.text("#row")
    question = page.locator("#rows").get_by_text("?").last
    said = question.inner_text()
    question.click()
    wait_until(lambda: said in visit.text("#row") or visit.text("#row") != opened, 30)


def test_gates_bind_once_they_are_saved_and_a_recorded_run_is_not_promoted(visit):
    page = visit.page
    before = visit.text("#verdict .ft-route")
    page.get_by_text("Gates and promotion").first.click()
    page.locator("#gates_save").click()
    wait_until(lambda: "set by this project" in visit.text("#gate_table"), 60)
    page.locator("#gates_defaults").click()
    wait_until(lambda: "the defaults" in visit.text("#gate_table"), 60)
    assert visit.text("#verdict .ft-route") == before
    page.locator("#promote_who input, #promote_who textarea").fill("ana")
    page.locator("#promote_why input, #promote_why textarea").fill("read the rows")
    page.locator("#promote").click()
    page.get_by_text("a recorded run came with the example").wait_for(timeout=20_000)
    assert visit.overflow() <= 0
