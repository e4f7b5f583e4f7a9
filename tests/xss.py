"""Put payloads into the 6 places where the page shows what others wrote, and look at them in a real browser."""

import csv
import io
import json

from tests.browser import wait_until

PLACES = ("document", "file name", "column", "training row", "gold question", "model output")


def attack(visit, payloads, folder):
    """Show every payload in every place; {place: whether what was put there was seen on the page}."""
    page = visit.page
    page.on("dialog", lambda dialog: (page.evaluate("window.pwned = 1"), dialog.dismiss()))
    wait_until(lambda: page.locator("#project input").input_value() == "support", 120)
    visit.tab("Train")
    page.wait_for_timeout(500)
    seen = {}
    seen["file name"] = _file_names(visit, payloads, folder)
    seen["document"] = _documents(visit, payloads, folder)
    seen["column"] = _columns(visit, payloads, folder)
    seen["training row"] = _training_rows(visit, payloads, folder)
    seen["gold question"] = _gold(visit, payloads, folder)
    seen["model output"] = _chat(visit, payloads)
    return seen


def _upload(visit, where, paths, word):
    """Upload, and wait until the page tells of it."""
    visit.page.locator(f"{where} input[type=file]").set_input_files([str(path) for path in paths])
    wait_until(lambda: word in visit.text("#taken"), 150)
    visit.page.wait_for_timeout(300)
    return True


def _file_names(visit, payloads, folder):
    paths = []
    for number, payload in enumerate(payloads):
        path = folder / f"{number}{payload.replace('/', '∕')[:150]}.md"
        path.write_text(f"# Note {number}\n\nThe number {number} stands here.\n")
        paths.append(path)
    return _upload(visit, "#up_documents", paths, "taken")  # gradio drops signs of names


def _documents(visit, payloads, folder):
    path = folder / "attack-notes.md"
    path.write_text("# Zanzibar\n\n" + "\n\n".join(f"Zanzibar says {payload}" for payload in payloads))
    return _upload(visit, "#up_documents", [path], "attack-notes.md")


def _columns(visit, payloads, folder):
    out = io.StringIO()
    csv.writer(out).writerows([payloads, ["x"] * len(payloads)])
    path = folder / "columns.csv"
    path.write_text(out.getvalue())
    return _upload(visit, "#up_examples", [path], "columns.csv")


def _training_rows(visit, payloads, folder):
    path = folder / "rows.jsonl"
    rows = [{"prompt": f"Say {payload}", "response": payload} for payload in payloads]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return _upload(visit, "#up_examples", [path], "rows.jsonl")


def _gold(visit, payloads, folder):
    path = folder / "gold.jsonl"
    rows = [{"id": payload, "question": payload, "answers": [payload], "slice": payload} for payload in payloads]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return _upload(visit, "#up_gold", [path], "gold.jsonl")


def _ask(visit, question):
    """A press while the last answer is still being closed is dropped; the box is emptied when one counts."""
    box = visit.page.locator("#chat_question textarea, #chat_question input").first
    box.fill(question)

    def taken():
        visit.page.locator("#chat_ask").click()
        visit.page.wait_for_timeout(1_000)
        return not box.input_value()

    wait_until(taken, 60)


def _chat(visit, payloads):
    """The scripted model repeats the question, and the passages of the document with all payloads are its sources."""
    visit.tab("Chat")
    for number in range(0, len(payloads), 12):
        question = "Zanzibar " + " ".join(payloads[number : number + 12])
        _ask(visit, question[:3_900])
        asked = 1 + number // 12  # each turn says it in the question and in the answer
        wait_until(lambda asked=asked: visit.text("#chat_a").count("Zanzibar") == 2 * asked, 60)
        visit.page.wait_for_timeout(1_500)
    visit.tab("Train")
    visit.tab("Chat")
    visit.page.wait_for_timeout(500)
    return "Zanzibar" in visit.text("#chat_b")
