"""The cost model: formulas recompute by hand, the source's own arithmetic, extremes, break-even."""

import argparse
import json
import math
import random
import re

import pytest

from ftrag import project
from ftrag.cli import main
from ftrag.costing import measured_inputs
from ftrag.decision.breakeven import rough
from ftrag.decision.charts import break_even_svg
from ftrag.decision.cost import (
    LINES,
    OPTIONS,
    add_cost_arguments,
    estimate,
    evaluate,
    input_rows,
    inputs_from,
)
from ftrag.decision.exports import usd
from ftrag.decision.presets import BY_NAME
from ftrag.decision.questionnaire import decide
from ftrag.errors import InputError
from ftrag.retrieval import store


def option(result, route):
    return next(row for row in result["options"] if row["route"] == route)


def line(result, route, item):
    return next(row for row in option(result, route)["lines"] if row["item"] == item)


def hand_computed(line):
    """A formula with its inputs put in, as a reader would type it into a calculator."""
    return eval(line["formula"], {"ceil": math.ceil, "max": max}, dict(line["inputs"]))


@pytest.mark.parametrize("inputs", [{}, {"tuned_on_gpu": 1}, {"base_on_gpu": 1, "tuned_on_gpu": 1}])
def test_every_line_and_total_recomputes_by_hand(inputs):
    for row in estimate(inputs)["options"]:
        for item in row["lines"]:
            assert item["usd"] == pytest.approx(hand_computed(item), abs=1e-6)
            assert item["basis"] in ("assumed", "measured") and item["inputs"]
        by_period = {p: sum(x["usd"] for x in row["lines"] if x["period"] == p) for p in ("one-time", "monthly")}
        assert row["one_time_usd"] == pytest.approx(by_period["one-time"])
        assert row["monthly_usd"] == pytest.approx(by_period["monthly"])
        assert row["two_year_usd"] == pytest.approx(row["one_time_usd"] + 24 * row["monthly_usd"])


# Neural Dojo's scenario: 1,000,000 questions of 1,000 tokens at one price for tokens in and out.
DOJO = {
    "monthly_queries": 1_000_000,
    "prompt_tokens": 900,
    "few_shot_tokens": 0,
    "context_tokens": 0,
    "output_tokens": 100,
    "query_tokens": 100,
    "llm_input_usd": 2.5,
    "llm_output_usd": 2.5,
    "tuned_input_usd": 12,
    "tuned_output_usd": 12,
    "index_usd_per_month": 70,
}


def test_the_legal_exercise_stays_under_its_limit():
    """Exercise 3: 100,000 questions a month for less than $5,000."""
    costs = decide(BY_NAME["legal-design"].answers)["cost"]
    assert option(costs, "both")["monthly_usd"] == pytest.approx(2658.40, abs=0.01)
    assert "about $2,660 a month" in BY_NAME["legal-design"].why


def model_usd(result, route):
    return sum(x["usd"] for x in option(result, route)["lines"] if x["item"].startswith("Model, tokens"))


def test_the_sources_arithmetic_where_it_is_right():
    result = estimate({**DOJO, "training_examples": 10_000, "example_tokens": 1000, "epochs": 1, "training_runs": 1})
    assert model_usd(result, "rag") == pytest.approx(2500)  # 1M x 1,000 x $2.50 / 1M
    assert line(result, "rag", "Embedding the questions")["usd"] == pytest.approx(2)  # 1M x 100 x $0.02 / 1M
    assert line(result, "rag", "Index storage")["usd"] == 70  # 2,500 + 2 + 70 = 2,572 as printed
    assert model_usd(result, "fine-tune") == pytest.approx(12_000)  # 1M x 1,000 x $12 / 1M
    assert line(result, "fine-tune", "Training, hosted")["usd"] == pytest.approx(250)  # 10M tokens x $25 / 1M


def test_the_sources_arithmetic_where_it_is_wrong():
    sample = estimate({**DOJO, "monthly_queries": 100_000})
    assert model_usd(sample, "rag") == pytest.approx(250)  # the sample prints 2,500
    hybrid = model_usd(estimate(DOJO), "both")
    assert hybrid == pytest.approx(12_000)  # the source bills the hybrid at the untuned rate, 2,500


@pytest.mark.parametrize(
    "inputs",
    [
        {"monthly_queries": 0},
        {"monthly_queries": 1e9, "tuned_on_gpu": 1, "base_on_gpu": 1},
        {"gpu_usd_per_hour": 0, "tuned_on_gpu": 1, "base_on_gpu": 1},
        {"training_examples": 0, "retrains_per_year": 0, "epochs": 0},
        {row["key"]: 0 for row in input_rows() if not row["key"].startswith("gpu_")},
    ],
)
def test_extremes_give_finite_costs_of_at_least_zero(inputs):
    result = estimate(inputs)
    json.dumps(result, allow_nan=False)
    for row in result["options"]:
        assert all(0 <= x["usd"] < math.inf for x in row["lines"])
    assert all(point["two_year_usd"] >= 0 for point in result["curve"])
    assert all(row["monthly_queries"] is None or row["monthly_queries"] >= 1 for row in result["break_even"])


def test_random_inputs_stay_finite():
    rng = random.Random(1)
    for _ in range(50):
        inputs = {r["key"]: 10 ** rng.uniform(-3, 9) for r in input_rows() if not r["key"].endswith("on_gpu")}
        assert all(0 <= row["two_year_usd"] < math.inf for row in estimate(inputs)["options"])


def test_break_even_is_where_the_totals_meet():
    inputs = {"tuned_on_gpu": 1, "peak_factor": 1}
    for row in estimate(inputs)["break_even"]:
        if row["monthly_queries"]:
            at = estimate({**inputs, "monthly_queries": row["monthly_queries"]})
            a, b = (option(at, row[side])["two_year_usd"] for side in ("a", "b"))
            gpu = 24 * 730  # own GPUs are bought whole, so the totals may jump past each other by one of them
            assert abs(a - b) <= max(0.01 * max(a, b), gpu), row
    assert any(row["monthly_queries"] for row in estimate(inputs)["break_even"])


@pytest.mark.parametrize(
    ("queries", "mark"), [(0, None), (5, "← you"), (100, "you"), (1e5, "you"), (1e9, "you"), (1e12, "you →")]
)
def test_the_plot_marks_the_present_volume_where_it_lies(queries, mark):
    plot = break_even_svg(estimate({"monthly_queries": queries}))
    found = re.findall(r">([^<>]*you[^<>]*)</text>", plot)
    assert found == ([mark] if mark else []) and ">1B</text>" in plot and "nan" not in plot.lower()


@pytest.mark.parametrize(
    ("value", "said"),
    [(0, "$0"), (0.00003, "under $0.0001"), (0.005, "$0.0050"), (2.5, "$2.50"), (1234.5, "$1,234")],
)
def test_dollars_are_never_rounded_to_a_false_nothing(value, said):
    assert usd(value) == said


@pytest.mark.parametrize(("volume", "said"), [(7, 7), (99, 99), (1_234, 1_200), (170_456, 170_000), (10**9, 10**9)])
def test_a_crossing_is_said_with_two_digits(volume, said):
    assert rough(volume) == said


def test_basis_says_what_was_measured():
    measured = {"value": 900, "basis": "measured", "source": "this project's index", "date": "2026-11-21"}
    result = estimate({"context_tokens": measured})
    row = line(result, "rag", "Model, tokens in")
    assert row["inputs"]["context_tokens"] == 900 and row["measured"] == ["context_tokens"]
    assert row["basis"] == "assumed"  # its price still is
    assert next(r for r in result["inputs"] if r["key"] == "context_tokens")["source"] == "this project's index"
    both = estimate({"gpu_hours_per_month": 1, "reindex_fraction": 0, "index_usd_per_month": {**measured, "value": 0}})
    assert line(both, "rag", "Index storage")["basis"] == "measured"


@pytest.mark.parametrize(
    "inputs",
    [
        {"monthly_queries": "nan"},
        {"monthly_queries": -1},
        {"monthly_queries": float("inf")},
        {"monthly_queries": "many"},
        {"monthly_queries": 1e13},
        {"gpu_tokens_per_second": 0},
        {"tuned_on_gpu": 0.5},
        {"colour": 1},
        {"hourly_usd": {"basis": "measured"}},
    ],
)
def test_bad_inputs_are_refused_in_one_sentence(inputs):
    with pytest.raises(InputError) as error:
        estimate(inputs)
    assert "\n" not in str(error.value)


def test_every_input_is_used_and_has_unit_source_and_date():
    used = " ".join(row.formula + " " + row.when for row in LINES)
    for row in input_rows():
        assert row["key"] in used and row["unit"] and row["source"] and row["date"]
    assert {route for row in LINES for route in row.routes.split()} == set(OPTIONS)
    assert evaluate("2 * hourly_usd", {"hourly_usd": 50.0}) == 100


def test_a_terminal_shows_every_line_with_formula_inputs_and_basis(capsys):
    assert main(["cost", "--monthly-queries", "1000"]) == 0
    text = capsys.readouterr().out
    for row in estimate({"monthly_queries": 1000})["options"]:
        for item in row["lines"]:
            assert f"- {item['item']}: " in text and f" = {item['formula']}\n" in text
    assert "monthly_queries 1,000, query_tokens 30, embedding_usd 0.02 (assumed)" in text
    assert "- hourly_usd = 100 [USD/hour]: assumed (ftrag's assumption; Neural Dojo reckons with 200, 2026-11)" in text
    assert "e+0" not in text


def test_flags_and_prices_file(tmp_path):
    prices = tmp_path / "prices.json"
    prices.write_text('{"llm_input_usd": 1.0, "hourly_usd": 0}')
    parser = argparse.ArgumentParser()
    add_cost_arguments(parser)
    inputs = inputs_from(parser.parse_args(["--prices", str(prices), "--hourly-usd", "80"]))
    assert inputs == {"llm_input_usd": 1.0, "hourly_usd": "80"}  # a flag wins over the file
    assert next(r for r in estimate(inputs)["inputs"] if r["key"] == "hourly_usd")["value"] == 80
    prices.write_text("{broken")
    with pytest.raises(InputError):
        inputs_from(parser.parse_args(["--prices", str(prices)]))


def test_answers_feed_the_costs():
    inputs = {r["key"]: r for r in decide({"monthly-queries": "42", "hardware": "own"})["cost"]["inputs"]}
    assert inputs["monthly_queries"]["value"] == 42 and inputs["tuned_on_gpu"]["value"] == 1
    assert inputs["output_tokens"]["basis"] == "assumed"


def test_a_project_counts_its_own_tokens(tmp_path):
    folder = project.create("handbook", tmp_path)
    text = "Leave is thirty days a year.\n\nOvertime is paid at one and a half times the usual rate.\n"
    (tmp_path / "rules.txt").write_text(text)
    with pytest.raises(InputError):
        measured_inputs(folder)
    store.ingest(folder, [tmp_path / "rules.txt"])
    found = measured_inputs(folder)
    held = store.held_chunks(folder)
    assert found["context_tokens"]["basis"] == "measured" and "handbook" in found["context_tokens"]["source"]
    assert found["corpus_tokens"]["value"] >= found["context_tokens"]["value"] > 0 and len(held) >= 1
    row = line(estimate(found), "rag", "Model, tokens in")
    assert row["inputs"]["context_tokens"] == found["context_tokens"]["value"] and "context_tokens" in row["measured"]
