"""What the Evaluate tab shows of a run: verdict first, arms by cost, groups that filter rows, gates that are edited."""

import base64
import csv
import io
import json
import re

import pytest

from ftrag import conclusions, workflows
from ftrag import project as projects
from ftrag.errors import InputError
from ftrag.project import EXAMPLES
from ftrag.ui import evaluate_release, evaluate_rows, evaluate_tables, evaluate_view, view

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def run():
    return json.loads((EXAMPLES / "support" / "recorded" / "run.json").read_text()) | {"stale": []}


def test_the_verdict_says_route_interval_and_what_is_stale(run):
    card = evaluate_view.verdict_card(run)
    assert run["decision"]["sentence"] in card
    assert card.index("ft-route") < card.index("ft-2x2") < card.index("Gates:")
    assert "stale" not in card
    assert "data, index changed" in evaluate_view.verdict_card(run | {"stale": ["data", "index"]})


def test_what_a_comparison_before_the_last_said_unfolds(run):
    run["reasons"] = ["a does not beat b: +0.", "c beats b: +9.", "Retrieval repairs 3."]
    card = evaluate_view.verdict_card(run)
    assert card.index("c beats b") < card.index("<summary>All comparisons (1 more)") < card.index("a does not beat b")


def test_the_example_that_measures_otherwise_says_so(run):
    said = evaluate_view.verdict_card(run | {"expected_route": "prompt"})
    assert "built to lead to prompt" in said and "the measurement stands" in said


def test_default_gates_tell_what_they_would_change(run):
    run["decision"] |= {"gated": {"route": "rag", "held": "base+rag", "failed": ["lora", "lora+rag"]}}
    run["gates"] |= {"state": "fail"}
    assert "the route would be rag" in evaluate_view.verdict_card(run)


def test_arms_stand_in_the_order_of_their_cost(run):
    bars = evaluate_view.bars(run)
    labels = re.findall(r'<div class="l"[^>]*>([^<]+)</div>', bars)
    assert labels == [arm for arm in evaluate_tables.ORDER if arm in run["arms"]]
    assert labels[0] == "base" and labels[-1] == "lora+oracle"
    assert bars.count('class="b content"') == bars.count('class="b behaviour"') == len(labels)


def test_a_click_on_a_group_gives_its_rows_and_every_point_has_a_group(run):
    svg = evaluate_rows.scatter(run)
    clicked = [int(number) for number in re.findall(r'<path class="[^"]+" d="[^"]+" data-group="(\d+)"', svg)]
    assert len(clicked) == sum(len(one["points"]) for one in run["clusters"])
    for number, group in enumerate(run["clusters"]):
        rows = evaluate_rows.chosen_rows(run, f"group|{number}")
        assert {row["id"] for row in rows} == set(group["ids"])
        assert f'<button type="button" data-group="{number}"' in svg
    values = [value for _, value in evaluate_rows.filters(run)]
    assert values[0] == "all" and len(values) == len(set(values))
    assert all(evaluate_rows.row_values(run, value) for value in values)


def test_the_first_row_that_opens_is_a_failure_which_the_verdict_repairs(run):
    row = evaluate_rows.telling(run["rows"], run["decision"]["held"])
    assert row["cause"]["content"] != "solved"
    assert row["answers"][run["decision"]["held"]]["content"] is True


def test_a_question_shows_all_that_belongs_to_it_and_nothing_as_markup(run):
    row = run["rows"][0] | {"question": HOSTILE, "evidence": ["16.80"]}
    row["answers"]["lora"]["text"] = HOSTILE
    card = evaluate_rows.row_card(run, row, [("fees.md", f"It costs 16.80. {HOSTILE}")])
    assert "<img" not in card and "<mark>16.80</mark>" in card
    assert all(f"<b>{arm}</b>" in card for arm in row["answers"])


@pytest.mark.parametrize(
    ("base", "text", "shown"),
    [
        ("It costs 5 euros today", "It costs 9 euros today", "It costs <ins>9</ins> euros today"),
        ("wholly different words", "nothing at all alike here", "nothing at all alike here"),
        ("It costs 5 euros", "It costs €16.80 & more", "It costs <ins><mark>€16.80</mark> &amp; more</ins>"),
    ],
)
def test_what_base_does_not_say_is_underlined_and_what_was_expected_is_marked(base, text, shown):
    assert evaluate_rows.difference(base, text, ["€16.80"]) == shown


def test_the_numbers_of_a_plot_come_as_a_csv_that_runs_nothing(run):
    def held(html):
        (found,) = re.findall(r'download="\w+\.csv" href="data:text/csv;charset=utf-8;base64,([^"]+)"', html)
        return list(csv.DictReader(io.StringIO(base64.b64decode(found).decode("utf-8-sig"))))

    bars = held(evaluate_view.bars(run))
    assert len(bars) == 2 * len(run["arms"])
    assert {row["arm"]: float(row["right"]) for row in bars if row["axis"] == "content"} == {
        arm: numbers["content"] for arm, numbers in run["arms"].items()
    }
    points = held(evaluate_rows.scatter(run))
    assert len(points) == sum(len(group["points"]) for group in run["clusters"])
    (row,) = held(view.data_link("one", [{"a": "=1+1", "b": 2.5}]))
    assert row == {"a": "'=1+1", "b": "2.5"} and view.data_link("none", []) == ""


def test_a_stacked_cell_carries_its_header():
    html = view.table(["prompt", ""], [["<b>", 1]], stack=True)
    assert '<td data-label="prompt: ">&lt;b&gt;</td><td>1</td>' in html and "ft-table ft-stack" in html
    assert "data-label" not in view.table(["prompt"], [["a"]])


def test_words_in_backticks_are_code_and_the_rest_is_text():
    assert evaluate_view.marked("run `a <b>` **now**") == "run <code>a &lt;b&gt;</code> <b>now</b>"


def test_a_plan_of_base_alone_says_that_it_tries_nothing():
    plan = {
        "arms": ["base"],
        "n": 72,
        "seconds": 60.0,
        "basis": "b",
        "comparisons": 1,
        "smallest_effect": 0.2,
        "needed": [],
    }
    assert "With base alone nothing is tried" in evaluate_view.plan_card(plan)
    assert "nothing is tried" not in evaluate_view.plan_card(plan | {"arms": ["base", "lora"]})


def test_gates_are_edited_as_rows(home, run):
    workflows.new(home, "demo", "support")
    project = home / "projects" / "demo"
    projects.write_json(project / "runs" / "r" / "run.json", run | {"run": "r", "recorded": True, "reproduce": "train"})
    rows = evaluate_release.gate_rows(project)
    assert len(rows) == 5 and rows[0][1] == "general"
    rows = [["true", "behaviour", "held", "at least", "0.99", "ours"], [False, "", "", "", "", ""]]
    evaluate_release.save(project, "r", rows)
    again = projects.read_json(project / "runs" / "r" / "run.json")
    (kept,) = again["gates"]["rows"]
    assert (kept["metric"], kept["limit"], kept["on"]) == ("behaviour", 0.99, True)
    assert again["gates"]["set"] and again["decision"]["held"] == "base"  # the bound of 72 of 72 is 0.95
    assert "set by this project" in evaluate_release.gate_table(conclusions.gate_result(project, again))
    evaluate_release.save(project, "r", None)
    assert projects.read_json(project / "runs" / "r" / "run.json")["decision"]["route"] == run["decision"]["route"]
    with pytest.raises(InputError, match="gate 1: the limit must be a number"):
        evaluate_release.edited([[True, "general", "held", "at least", "much", "why"]])
    assert "Nothing has been promoted" in evaluate_release.release_table(project)


def test_what_the_page_asks_by_itself_is_never_refused_for_a_list_that_has_just_changed():
    """gradio puts an error on the page for a choice that has gone, before any handler is called."""
    import gradio as gr

    from ftrag.ui import page
    from ftrag.ui.choice import Choice

    listeners = page.build().fns.values()
    asked = [fn for fn in listeners if fn.name == "chosen" or any(event == "tick" for _, event in fn.targets)]
    lists = [part for fn in asked for part in fn.inputs if isinstance(part, gr.Dropdown)]
    assert len(lists) >= 3 and all(isinstance(part, Choice) for part in lists)
