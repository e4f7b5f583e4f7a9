"""The Train tab's data by clicking: columns named by hand, bad rows by number, gold that blocks, a cleaned copy."""

import json

import pytest

from tests.browser import Visit, wait_until

pytestmark = pytest.mark.browser
ROWS = [(f"How do I reset device {n}?", f"Hold the button of model {n} for {n + 2} seconds.") for n in range(12)]


@pytest.fixture(scope="module")
def visit(chromium, parrot):
    """A visitor with a project of their own, on its Train tab."""
    visit = Visit(chromium.new_context(viewport={"width": 1280, "height": 1000}), parrot)
    wait_until(lambda: visit.page.locator("#project input").input_value() == "support", 60)
    visit.page.locator("#open_new").click()
    visit.page.locator("#new_name input, #new_name textarea").fill("own")
    visit.page.get_by_label("Start from").click()
    visit.page.get_by_role("option", name="Nothing: my own data").click()
    visit.page.locator("#new_make").click()
    wait_until(lambda: visit.page.locator("#project input").input_value() == "own", 30)
    visit.tab("Train")
    yield visit
    assert not visit.errors and not visit.foreign


def upload(visit, place, path, seen):
    """Give a file to one of the three uploads and wait for a word in what was taken."""
    visit.page.locator(f"#up_{place} input[type=file]").set_input_files(path)
    wait_until(lambda: seen in visit.text("#taken"), 30)


def may_train(visit):
    return visit.page.locator("#train_start").is_enabled()


def test_without_rows_train_cannot_be_pressed(visit):
    wait_until(lambda: "Train cannot be pressed yet" in visit.text("#train_why"), 30)
    assert not may_train(visit) and visit.page.locator("#train_estimate").is_disabled()


def test_columns_are_named_by_hand_where_no_shape_fits(visit, tmp_path):
    file = tmp_path / "rows.csv"
    file.write_text("ask,tell,team\n" + "".join(f"{asked},{told},desk\n" for asked, told in ROWS))
    upload(visit, "examples", file, "rows.csv has the columns ask, tell, team")
    visit.page.locator("#map_columns").click()
    wait_until(lambda: "12 training rows" in visit.text("#data_report"), 30)
    assert visit.page.locator("#mapping").is_hidden()
    wait_until(lambda: may_train(visit), 10)
    assert ROWS[0][0] in visit.text("#data_report") and ROWS[0][1] in visit.text("#data_report")


def test_gold_among_the_training_rows_blocks_and_other_gold_does_not(visit, tmp_path):
    gold = tmp_path / "gold.jsonl"
    gold.write_text(json.dumps({"id": "g1", "question": ROWS[3][0], "answers": ["5 seconds"]}) + "\n")
    upload(visit, "gold", gold, "gold.jsonl")
    wait_until(lambda: not may_train(visit), 30)
    assert "gold" in visit.text("#train_why")
    gold.write_text(json.dumps({"id": "g1", "question": "Who repairs a torn sail?", "answers": ["the loft"]}) + "\n")
    upload(visit, "gold", gold, "gold.jsonl")
    wait_until(lambda: may_train(visit), 30)


def test_bad_rows_are_named_by_number_and_left_out_of_a_cleaned_copy(visit, tmp_path):
    file = tmp_path / "bad.jsonl"
    good = {"prompt": "Which key opens the shed?", "response": "The green one."}
    lines = [
        *(json.dumps(dict(zip(("prompt", "response"), row, strict=True))) for row in ROWS),
        "not json",
        json.dumps(good | {"prompt": ""}),
        json.dumps({"prompt": "q only"}),
        "[1, 2]",
        json.dumps(good | {"prompt": 3}),
        json.dumps(good | {"response": None}),
        json.dumps(good),
        json.dumps(good),
        json.dumps(good | {"response": "The red one."}),
    ]
    file.write_text("\n".join(lines) + "\n")
    upload(visit, "examples", file, "row 18")
    assert all(f"row {number}: " in visit.text("#taken") for number in range(13, 19))
    wait_until(lambda: "15 training rows" in visit.text("#data_report"), 30)
    report = visit.text("#data_report")
    assert "Same question, different answers" in report and "19, 20, 21" in report and "19, 20\t" in report
    visit.page.get_by_text("Lengths of the training rows, and a cleaned copy").click()
    visit.page.locator("#clean").click()
    links = visit.page.locator("#clean_files a[href]")
    wait_until(lambda: links.count() >= 2, 30)
    texts = []
    for link in links.all()[:2]:
        with visit.page.expect_download() as download:
            link.click()
        texts.append(download.value.path().read_text("utf-8-sig"))
    kept = [json.loads(line)["prompt"] for line in texts[0].splitlines()]
    assert kept == [asked for asked, _ in ROWS]  # the contradicting rows are out with the bad ones
    assert sum(line.startswith("bad.jsonl") or line[:1].isdigit() for line in texts[1].splitlines()) >= 6
