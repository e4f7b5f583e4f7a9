"""The knowledge panel as it is used: the cuts that it shows follow the project, the keyboard and what is typed."""

from pathlib import Path

import pytest

from ftrag import project as projects
from ftrag import records, workflows
from ftrag.retrieval import store
from tests.browser import Visit, served, wait_until

pytestmark = pytest.mark.browser
TEXTS = {"first": "Herons nest by the old mill. ", "second": "Otters swim below the weir. "}


@pytest.fixture(scope="module")
def visit(chromium, tmp_path_factory):
    """Two projects whose only document has the same name, and the panel open."""
    home = tmp_path_factory.mktemp("home")
    for name, text in TEXTS.items():
        project = Path(workflows.new(home, name)["path"])
        (home / "a.md").write_text(text * 60)
        store.ingest(project, [home / "a.md"])
        (folder := project / "drills" / projects.new_id()).mkdir(parents=True)
        value = {"adapter": None, "retriever": "bm25", "k": 3, "edits": 1, "flipped": {"base": 0}, "rows": []}
        projects.write_json(folder / "drill.json", value | {"rests_on": records.rests_on(project)})
    with served(home, ("-m", "tests.scripted"), FTRAG_SHARED_HOME="1") as (address, _):
        visit = Visit(chromium.new_context(viewport={"width": 1280, "height": 1000}), address)
        wait_until(lambda: visit.page.locator("#project input").input_value() in TEXTS, 60)
        visit.tab("Train")
        visit.page.get_by_text("Knowledge: documents and retrieval").click()
        yield visit
        assert not visit.errors and not visit.foreign


def chunks(visit):
    return visit.text("#chunks") if visit.page.locator("#chunks").count() else ""


def choose(visit, name):
    visit.page.locator("#project input").click()
    visit.page.get_by_role("option", name=name, exact=True).click()
    wait_until(lambda: visit.page.locator("#project input").input_value() == name, 30)


def test_the_cuts_follow_the_project_where_the_document_has_the_same_name(visit):
    for name in ("second", "first", "second"):
        choose(visit, name)
        wait_until(lambda name=name: TEXTS[name].strip() in chunks(visit), 15)
        other = next(text for key, text in TEXTS.items() if key != name)
        assert other.strip() not in chunks(visit)


def test_the_cuts_follow_the_keyboard_on_the_slider(visit):
    wait_until(lambda: "chunks" in chunks(visit), 15)
    before = chunks(visit)
    visit.page.locator("#cut_size input[type=range]").focus()
    for _ in range(12):
        visit.page.keyboard.press("ArrowLeft")
    visit.page.keyboard.press("Tab")
    wait_until(lambda: chunks(visit) not in ("", before), 10)
    assert "chunks" in chunks(visit)


def test_the_cuts_follow_a_typed_number_without_a_message_for_its_first_digits(visit):
    box = visit.page.get_by_label("number input for Tokens at most")
    asked = []
    visit.page.on("request", lambda request: asked.append(request.url) if "queue/join" in request.url else None)
    box.click()
    box.press("Control+a")
    box.type("40", delay=400)  # 4 alone is below the least size
    box.press("Enter")

    def largest():  # "14 chunks, 30 to 40 tokens, 38 in the middle."
        said = chunks(visit)
        return int(said.split(" to ")[1].split(" ")[0]) if "in the middle" in said else 0

    wait_until(lambda: 20 < largest() <= 40, 10)
    assert not visit.page.get_by_text("less than minimum").count()
    visit.page.wait_for_timeout(1500)
    before = len(asked)
    visit.page.wait_for_timeout(3000)
    assert len(asked) - before <= 4  # the clock alone


def test_a_result_says_at_once_that_a_fact_has_been_edited_since(visit):
    visit.page.get_by_role("tab", name="Freshness").click()
    wait_until(lambda: "Made 20" in visit.text("#drilled"), 15)
    assert "run it again" not in visit.text("#drilled") and "bm25, k 3" in visit.text("#drilled")
    text = visit.page.locator("#edit_text textarea")
    wait_until(lambda: text.input_value(), 15)
    text.fill("A berth costs 19 crowns.")
    visit.page.locator("#edit_keep").click()
    wait_until(lambda: "run it again" in visit.text("#drilled"), 15)
