"""Paired statistics against other people's code, published figures and hand arithmetic."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ftrag.evaluation import stats


@pytest.mark.parametrize(
    "wins, losses, p",
    [
        (0, 0, 1.0),
        (1, 0, 1.0),  # 2 * 1/2
        (3, 3, 1.0),  # 2 * 42/64, capped
        (5, 0, 0.0625),  # 2 / 32
        (6, 0, 0.03125),  # 2 / 64
        (8, 1, 20 / 512),  # 2 * (1 + 9) / 512
        (1, 8, 20 / 512),
    ],
)
def test_exact_mcnemar(wins, losses, p):
    assert stats.mcnemar(wins, losses) == pytest.approx(p)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 60), st.integers(0, 60))
def test_exact_mcnemar_is_scipys_binomial_test(wins, losses):
    from scipy.stats import binomtest

    if wins + losses:
        assert stats.mcnemar(wins, losses) == pytest.approx(binomtest(wins, wins + losses).pvalue)


def test_holm():
    # sorted .01 .02 .03 .04 times 4 3 2 1 is .04 .06 .06 .04; each at least the one before it: .04 .06 .06 .06
    assert stats.holm([0.03, 0.01, 0.04, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert stats.holm([0.5, 0.9]) == [1.0, 1.0]
    assert stats.holm([]) == []


def test_wilson_and_clopper_pearson():
    assert stats.wilson(0, 0) == stats.clopper_pearson(0, 0) == (0.0, 1.0)
    assert stats.wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)  # Newcombe 1998, table I
    assert stats.wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)  # the same
    assert stats.clopper_pearson(81, 263) == pytest.approx((0.2527, 0.3676), abs=1e-4)  # the same
    assert stats.clopper_pearson(20, 20)[0] == pytest.approx(0.025 ** (1 / 20))


def test_a_comparison_counts_pairs():
    pairs = [(False, True)] * 8 + [(True, False)] * 2 + [(True, True)] * 5 + [(False, False)] * 5
    row = stats.compare(pairs)
    assert (row["n"], row["wins"], row["losses"], row["ties"]) == (20, 8, 2, 10)
    assert row["difference"] == pytest.approx(0.3)  # (8 - 2) / 20
    assert row["p"] == pytest.approx(2 * (1 + 10 + 45) / 1024)
    assert row == stats.compare(pairs)  # seeded
    assert row["low"] < 0.3 < row["high"]


def test_no_pairs_have_no_difference():
    assert stats.compare([]) == {
        "n": 0, "difference": None, "low": None, "high": None, "wins": 0, "losses": 0, "ties": 0, "p": None
    }  # fmt: skip


@pytest.mark.parametrize("pair", [(True, True), (False, True), (True, False)])
def test_answers_that_all_agree_still_have_an_interval_with_a_width(pair):
    row = stats.compare([pair] * 12)
    assert row["high"] - row["low"] > 0.1
    assert -1 <= row["low"] <= row["difference"] <= row["high"] <= 1


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 40))
def test_the_interval_holds_the_difference_and_mirrors(wins, losses, ties):
    pairs = [(False, True)] * wins + [(True, False)] * losses + [(True, True)] * ties
    if pairs:
        row, mirror = stats.compare(pairs), stats.compare([(b, a) for a, b in pairs])
        assert -1 <= row["low"] <= row["difference"] <= row["high"] <= 1
        assert mirror["difference"] == -row["difference"]
        assert mirror["low"] == pytest.approx(-row["high"], abs=0.04)


def test_power_agrees_with_the_figures_in_the_plan():
    """Exact McNemar, 5 % regressions: +10 points 32 % at 60, 54 % at 100, 87 % at 200; +20 points 80 % at 60."""
    assert stats.power(60, 0.1) == pytest.approx(0.32, abs=0.02)
    assert stats.power(100, 0.1) == pytest.approx(0.54, abs=0.02)
    assert stats.power(200, 0.1) == pytest.approx(0.87, abs=0.02)
    assert stats.power(60, 0.2) == pytest.approx(0.80, abs=0.02)


@pytest.mark.parametrize("n, effect, alpha", [(12, 0.5, 0.05), (25, 0.2, 0.05), (40, 0.3, 0.01)])
def test_power_is_the_sum_over_all_tables(n, effect, alpha):
    from scipy.stats import multinomial

    shares = (effect + 0.05, 0.05, 0.9 - effect)
    total = sum(
        multinomial.pmf((wins, losses, n - wins - losses), n, shares)
        for wins in range(n + 1)
        for losses in range(min(wins, n - wins + 1))
        if stats.mcnemar(wins, losses) < alpha
    )
    assert stats.power(n, effect, alpha=alpha) == pytest.approx(total, abs=1e-9)


def test_the_planner_and_the_smallest_effect_are_each_others_inverse():
    for effect in (0.1, 0.2, 0.35):
        n = stats.questions_needed(effect)
        assert stats.power(n, effect) >= 0.8 > stats.power(n - 1, effect)
        assert stats.minimum_detectable_effect(n) <= effect + 1e-4
        assert stats.minimum_detectable_effect(n - 1) > effect - 1e-4
    assert stats.questions_needed(0.2, comparisons=5) > stats.questions_needed(0.2)
    assert stats.questions_needed(0) is None
    assert stats.questions_needed(0.95) is None  # 95 % repaired and 5 % broken leaves nothing of the 5 % to repair
    assert stats.minimum_detectable_effect(3) == 1.0  # three wins of three: p = 0.25


def test_the_smallest_effect_falls_with_the_number_of_questions():
    effects = [stats.minimum_detectable_effect(n) for n in (10, 20, 40, 80, 160, 1000, 100_000)]
    assert effects == sorted(effects, reverse=True)
    assert effects[-1] < 0.01


def test_interaction_says_whether_the_lora_helps_retrieval():
    only_both, either = (False, False, False, True), (False, True, False, True)
    helps = stats.interaction([only_both] * 30)  # right only with both: +1 each
    alike = stats.interaction([either] * 30)  # retrieval repairs it with or without the LoRA: 0 each
    assert helps["difference"] == 1.0 and helps["low"] > 0.5
    assert alike["difference"] == 0.0 and alike["low"] < 0 < alike["high"]
    hurts = stats.interaction([(False, True, True, False)] * 30)  # -1 - 1
    assert hurts["difference"] == -2.0 and hurts["high"] < 0
    assert stats.interaction([]) is None


def test_non_inferiority_reads_the_lower_bound():
    assert stats.non_inferior({"low": -0.04}, margin=0.05) is True
    assert stats.non_inferior({"low": -0.05}, margin=0.05) is False
    assert stats.non_inferior({"low": None}, margin=0.05) is None
