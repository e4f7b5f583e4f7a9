"""The Decide tab's handlers: links restore, prices can be edited, cases agree, nothing is public, files are written."""

import json
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import pandas as pd
import pytest

from ftrag.decision.classify import classify
from ftrag.decision.cost import input_rows
from ftrag.decision.presets import PRESETS
from ftrag.decision.questionnaire import verdict
from ftrag.decision.questions import QUESTIONS
from ftrag.ui.capabilities import classified, on_export_table, on_pick, on_type, on_typed, on_use
from ftrag.ui.decide import build_decide, known_cases
from ftrag.ui.decide_view import (
    KEYS,
    OUTPUTS,
    answers_of_link,
    link_of,
    on_answer,
    on_export,
    on_preset,
    on_price,
    restore,
    view,
)
from ftrag.ui.texts import decide as words


def request(query=""):
    """What the handlers read of a gr.Request."""
    return SimpleNamespace(headers={"referer": f"https://host.example/app/?{query}"}, query_params={"decide": query})


def named(values):
    """A handler's list as the answers and the outputs by name."""
    return dict(zip(KEYS, values, strict=False)), dict(zip(OUTPUTS, values[len(KEYS) :], strict=True))


def test_steps_hold_every_question_once():
    assert sorted(KEYS) == sorted(question.key for question in QUESTIONS)


def test_a_link_restores_its_answers():
    answers = {"knowledge-changes": "weekly", "training-data": "1,000 examples", "latency-requirement": "80ms"}
    link = view(answers, {}, base="https://host.example/app/")["link"]
    assert link == (
        "https://host.example/app/?decide=knowledge-changes:weekly,training-data:1000%20examples,latency-requirement:80ms"
    )
    again, shown = named(
        restore(request("knowledge-changes:weekly,training-data:1000 examples,latency-requirement:80ms"))
    )
    assert again["training-data"] == "1000 examples" and again["knowledge-changes"] == "weekly"
    assert shown["link"] == link


@pytest.mark.parametrize("query", ["", "colour:blue", "needs-citations:maybe,:::,,", "<script>:1", "x" * 9999])
def test_a_broken_link_opens_an_empty_page(query):
    answers, shown = named(restore(request(query)))
    assert not any(answers.values()) and "Not enough information" in shown["headline"]
    assert "<script>" not in "".join(str(value) for value in shown.values())


def test_link_text_round_trips():
    assert answers_of_link(link_of({"monthly-queries": "100,000"})) == {"monthly-queries": "100000"}


def test_an_unreadable_answer_is_named_and_the_others_count():
    values = ["" for _ in KEYS]
    values[KEYS.index("training-data")] = "<b>lots</b>"
    values[KEYS.index("needs-citations")] = "true"
    shown = dict(zip(OUTPUTS, on_answer(request(), {}, *values), strict=True))
    assert "Not counted" in shown["status"] and "<b>" not in shown["status"]
    assert "RAG" in shown["headline"]


def test_every_case_is_one_click_and_names_its_source():
    answers, shown = named(on_preset(request(), 0, {}))
    assert answers["training-data"] == "200 examples" and "Both" in shown["headline"]
    assert "Neural Dojo, deliverable says both" in shown["status"]
    assert not any("differs" in row[2] for row in known_cases().rows)


def test_an_edited_price_is_kept_and_a_bad_one_refused(recwarn):
    prices = view({}, {})["prices"]
    row = [r["key"] for r in input_rows()].index("hourly_usd")
    prices.loc[row, "Value"] = "0"
    overrides, *_ = on_price(request(), prices, {}, *["" for _ in KEYS])
    assert overrides == {"hourly_usd": 0.0}
    prices.loc[row, "Value"] = "-1"
    assert on_price(request(), prices, {}, *["" for _ in KEYS])[0] == {}


def test_classified_rows_can_be_corrected_used_and_exported():
    lines = "- Answers must cite the page\n- Always sound like our brand"
    rows, notice, table, *_ = classified(lines, lambda texts: classify(texts, None))
    assert "problem both" in notice and "words alone" in notice and "Overall: Both" in notice
    frame = pd.DataFrame(table["value"])
    frame.loc[1, "Type"] = "unclear"
    answers, _ = named(on_use(request(), frame, rows, {}, *["" for _ in KEYS]))
    assert answers["problem"] == "knowledge" and answers["needs-citations"] == "true"
    csv_file, json_file = on_export_table(frame, rows)["value"]
    assert "Set by hand." in Path(csv_file).read_text("utf-8")
    exported = json.loads(Path(json_file).read_text("utf-8"))
    assert exported["answers"]["problem"] == "knowledge" and exported["route"] == "rag"


def test_a_correction_changes_what_the_rows_say_together(recwarn):
    rows, _, table, *_ = classified(
        "Answers must cite the page\nAlways sound like our brand", lambda x: classify(x, None)
    )
    frame = pd.DataFrame(table["value"])
    row, choice = on_pick(frame, SimpleNamespace(index=[1, 0]))
    assert row == 1 and choice["value"] == "finetuning" and choice["label"] == "Type of: Always sound like our brand"
    frame, said = on_type("unclear", row, frame, rows)
    assert frame.loc[1, "Type"] == "unclear" and "Overall: RAG" in said and "1 retrieval, 1 unclear" in said
    frame.loc[1, "Type"] = "Both "  # typed into the cell
    assert "Overall: Both" in on_typed(frame, rows)
    frame.loc[1, "Type"] = "sometimes"
    assert not isinstance(on_typed(frame, rows), str) and "'sometimes' is no type" in str(recwarn.list[-1].message)


def test_a_table_that_gradios_menu_has_cut_is_refused_in_a_sentence(recwarn):
    """Every column's menu can delete the column or filter rows."""
    rows, *_, table = classified("Answers must cite\nSound like us", lambda x: classify(x, None))[:3]
    frame = pd.DataFrame(table["value"])
    for cut in (frame.drop(columns="Type"), frame.iloc[:1]):
        assert not isinstance(on_typed(cut, rows), str) and "is missing" in str(recwarn.list[-1].message)
    assert on_pick(frame.drop(columns="Type"), SimpleNamespace(index=[1, 0]))[1]["visible"] is False
    prices = view({}, {})["prices"]
    overrides, *shown = on_price(request(), prices.drop(columns="Value"), {"hourly_usd": 5.0}, *["" for _ in KEYS])
    assert overrides == {"hourly_usd": 5.0} and list(dict(zip(OUTPUTS, shown, strict=True))["prices"]) == list(prices)
    assert "they are back" in str(recwarn.list[-1].message)


def test_a_route_that_is_ruled_out_says_so_under_its_bar():
    bars = view({"training-data": "50", "style-requirements": "high", "needs-citations": "true"}, {})["scores"]
    assert bars["Route"].tolist() == ["prompt", "rag", "fine-tune (out)"]


def test_exports_are_three_files():
    values = ["weekly" if key == "knowledge-changes" else "" for key in KEYS]
    files = {Path(name).suffix: Path(name).read_text("utf-8") for name in on_export({}, *values)["value"]}
    assert files[".md"].startswith("# Recommendation: rag") and "| Item | Paid |" in files[".md"]
    assert files[".html"].count("<svg") == 1 and "src=" not in files[".html"] and "href=" not in files[".html"]
    assert json.loads(files[".json"])["route"] == "rag"


def test_the_tab_builds_and_exposes_no_endpoint():
    with gr.Blocks() as app:
        tab = build_decide(lambda lines: classify(lines, None))
    assert all(fn.api_visibility == "private" for fn in app.fns.values())
    assert len(tab["restore_outputs"]) == len(restore(request()))


@pytest.fixture(scope="module")
def address():
    with gr.Blocks() as app, gr.Tabs(), gr.Tab("Decide"):
        tab = build_decide(lambda lines: classify(lines, None))
        app.load(tab["restore"], None, tab["restore_outputs"], api_visibility="private")
    _, url, _ = app.launch(prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
    yield url
    app.close()


@pytest.mark.browser
def test_on_a_phone_it_fits_recomputes_live_and_restores_from_its_link(chromium, address):
    page = chromium.new_page(viewport={"width": 390, "height": 844})
    page.goto(f"{address}?decide=style-requirements:high,training-data:500")
    page.wait_for_selector(".dc-route:has-text('Fine-tune')")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_label("Weekly").check()
    page.wait_for_selector(".dc-route:has-text('Both')")
    page.get_by_role("button", name="Share and export").click()
    link = page.locator("#decide_link textarea").input_value()
    other = chromium.new_page()
    other.goto(link)
    other.wait_for_selector(".dc-route:has-text('Both')")
    assert other.get_by_label("Weekly").is_checked()


@pytest.mark.browser
def test_every_known_case_answers_by_one_click_as_its_source_does(chromium, address):
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    page.goto(address)
    page.get_by_role("button", name="Start from a known case").click()
    for preset in PRESETS:
        page.get_by_role("cell", name=preset.title, exact=True).or_(
            page.get_by_role("button", name=preset.title, exact=True)
        ).first.click()
        page.wait_for_selector(f".dc-status:has-text({json.dumps(preset.title)})")
        shown = page.locator(".dc-route").inner_text()
        assert shown == words.ROUTES[verdict(preset.answers)[0]]
        assert shown in [words.ROUTES[route] for route in preset.verdicts]


@pytest.mark.browser
def test_a_classified_capability_is_corrected_by_two_clicks(chromium, address):
    page = chromium.new_page(viewport={"width": 390, "height": 844})
    page.goto(address)
    page.get_by_role("button", name="Classify what your application must do").click()
    page.get_by_label("Capabilities, one a line").fill("Answers must cite the page\nAlways sound like our brand")
    page.get_by_role("button", name="Classify", exact=True).click()
    page.wait_for_selector("#capability_overall:has-text('Overall: Both')")
    kind = page.locator("#capability_table .body-cell").get_by_text("finetuning").bounding_box()
    assert kind["x"] + kind["width"] <= 390  # seen without scrolling
    page.locator("#capability_table").get_by_text("Always sound like our brand").last.click()
    page.get_by_role("radio", name="unclear").check()
    page.wait_for_selector("#capability_overall:has-text('Overall: RAG')")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_projects_own_answers_are_filled_in_and_a_visitors_are_not_overwritten(home):
    from ftrag.ui import header, prior, session

    visitor = session.new_visitor()
    for name in ("support", "handbook"):
        header.opened_example(visitor, name)
    request = SimpleNamespace(headers={})
    empty = [""] * len(KEYS)
    held, *shown = prior.offered(request, visitor, "support", {}, *empty)
    answers = dict(zip(KEYS, shown, strict=False))
    assert held["problem"] and answers["problem"].lower() == "both" and "148" in answers["training-data"]
    assert "kept with support" in "".join(str(part) for part in shown)
    other, *_ = prior.offered(request, visitor, "handbook", held, *(answers[key] for key in KEYS))
    assert other != held  # nothing of the visitor's own stood there: the next project's answers come
    typed = [answers[key] if key != "problem" else "Knowledge" for key in KEYS]
    assert all(
        isinstance(part, dict) for part in prior.offered(request, visitor, "handbook", held, *typed)
    )  # gr.skip()
