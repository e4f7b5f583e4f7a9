"""General rows in a training: never a question of the gates, and part of what a checkpoint belongs to."""

import json
from dataclasses import replace

import pytest
from tiny import rows, tiny

from ftrag.errors import InputError
from ftrag.text import words
from ftrag.training import forgetting, lora, rehearsal
from ftrag.training.settings import TrainSettings

QUICK = TrainSettings(forgetting=False, rank=4, epochs=1)


def test_no_row_is_a_question_of_the_gates_nor_near_one():
    asked = [
        set(words(json.loads(line)["question"]))
        for name in ("general", "safety")
        for line in (forgetting.DATA / f"{name}.jsonl").read_text().splitlines()
    ]
    assert len(rehearsal.rows(rehearsal.MOST)) == rehearsal.MOST
    for row in rehearsal.rows(rehearsal.MOST):
        mine = set(words(row.prompt))
        assert max(len(mine & other) / len(mine | other) for other in asked) < 0.5, row.prompt


def test_they_are_trained_on_but_never_held_out(tmp_path):
    plain = lora.plan_training(tiny(), rows(40), QUICK)
    mixed = lora.plan_training(tiny(), rows(40), replace(QUICK, rehearsal=24))
    assert mixed["rows"] - plain["rows"] == 24
    assert mixed["held_out"] == plain["held_out"]


def test_more_than_there_are_is_refused():
    with pytest.raises(InputError, match="rehearsal is 65"):
        lora.plan_training(tiny(), rows(4), replace(QUICK, rehearsal=65))
