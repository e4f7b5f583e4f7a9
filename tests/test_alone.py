"""Questions asked alone: which ones, resumed without repeating, and what their times become."""

from __future__ import annotations

import json

from ftrag.evaluation import alone, runner
from ftrag.evaluation.arms import ARMS
from ftrag.llm import ScriptedLLM
from ftrag.types import Generation, Gold
from tests.test_runner import GOLD, SHOTS, Shelf, says

FIRST_TRY = 3


def planned(arms=("base", "base+rag"), gold=GOLD):
    return runner.planned(gold, arms, Shelf(), adapter="a1", oracle=lambda row: list(row.evidence), few_shot=SHOTS)


class Counting(ScriptedLLM):
    """Remembers how many prompts each call had."""

    def __init__(self, script=says):
        super().__init__(script)
        self.sizes = []

    def stream(self, prompts, settings):
        self.sizes.append(len(prompts))
        yield from super().stream(prompts, settings)


def test_asked_are_the_answers_at_the_middle_and_the_95th_percentile():
    rows = [
        {"id": f"q{i}", "arm": "base", "tokens": i, "prompt_chars": 10, "done": "stop" if i else "refused: too long"}
        for i in range(21)
    ]
    # 20 answers of 1 to 20 tokens: by nearest rank the median is the 10th, the 95th percentile the 19th
    assert alone.chosen(rows[::-1]) == [("q10", "base", "p50"), ("q19", "base", "p95")]
    assert alone.chosen(rows[:2]) == [("q1", "base", "p50"), ("q1", "base", "p95")]
    assert alone.chosen(rows[:1]) == []


def test_each_is_asked_alone_and_once_even_when_the_run_was_stopped(tmp_path):
    asked, llm = planned(), Counting()
    rows = list(runner.answer_all(tmp_path, asked, llm))
    llm.sizes.clear()
    stopped = alone.ask(tmp_path, asked, rows, llm, Generation(), should_stop=lambda: len(llm.sizes) > FIRST_TRY)
    kept = [json.loads(line) for line in (tmp_path / "alone.jsonl").read_text().splitlines()]
    assert stopped is None and len(kept) == FIRST_TRY
    llm.sizes.clear()
    told = []
    timed = alone.ask(tmp_path, asked, rows, llm, Generation(), lambda *step: told.append(step))
    assert llm.sizes == [1] * (2 * 2 - FIRST_TRY)  # two arms, two questions of each
    assert told[0] == (3 / 4, "3 of 4 questions asked one at a time, for the latency")
    assert len(timed) == len(rows) and sum(len(row.get("alone", {})) for row in timed) == 4
    assert [row | {"alone": 0} for row in timed] == [row | {"alone": 0} for row in rows]


def waiting(share, first, seconds):
    batch = {"arm": "base", "seconds": 9.0, "first_token_s": 5.0}
    return batch | ({"alone": {share: {"first_token_s": first, "seconds": seconds}}} if share else {})


def test_times_are_of_the_questions_asked_alone_and_of_batches_only_where_none_was():
    rows = [waiting("", 0, 0)] * 10
    batched = alone.latency(rows)
    assert (batched["latency_p50_s"], batched["first_token_p95_s"], batched["alone"]) == (9.0, 5.0, 0)
    value = alone.latency([*rows, waiting("p50", 0.3, 1.1), waiting("p95", 0.2, 2.2)])
    assert (value["latency_p50_s"], value["latency_p95_s"]) == (1.1, 2.2)
    assert (value["first_token_p50_s"], value["first_token_p95_s"], value["alone"]) == (0.2, 0.3, 2)
    slower = [waiting("p50", 0.2, 2.5), waiting("p95", 0.3, 2.4)]  # answers of one length, and a slow moment
    assert alone.latency(slower)["latency_p95_s"] == 2.5


def test_the_search_is_part_of_the_wait(tmp_path):
    gold = [Gold("q0", GOLD[0].question, GOLD[0].answers, GOLD[0].evidence)]
    (asked,) = planned(("base+rag",), gold)
    slow = [type(asked)(**{**vars(asked), "search_seconds": 4.0})]
    rows = list(runner.answer_all(tmp_path, slow, ScriptedLLM(says)))
    (timed,) = alone.ask(tmp_path, slow, rows, ScriptedLLM(says), Generation())
    assert timed["alone"]["p50"]["first_token_s"] >= 4.0 and timed["alone"]["p95"]["seconds"] >= 4.0


def test_what_it_costs_is_told_before_the_run():
    asked = planned(tuple(ARMS))
    one = alone.cost(planned(("base",)), runner.cost)
    assert 0 < one < alone.cost(asked, runner.cost) < sum(runner.cost([row]) for row in asked)


def test_a_gate_of_latency_says_how_many_questions_it_rests_on():
    from ftrag.conclusions import measurements
    from ftrag.evaluation.runner import summarise

    whole = {"content": True, "behaviour": None, "tokens": 9, "prompt_chars": 9}
    rows = [waiting("", 0, 0) | whole] * 10
    arms = summarise([*rows, waiting("p50", 0.3, 1.1) | whole, waiting("p95", 0.2, 2.2) | whole])
    found = measurements({"arms": arms})["latency_p95_s", "base"]
    assert (found.value, found.n) == (2.2, 2)
    assert measurements({"arms": summarise(rows)})["latency_p95_s", "base"].n == 10
