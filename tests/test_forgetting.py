"""Forgetting: a zero-step adapter differs by exactly 0, an over-trained one is caught, small samples are unmeasured."""

import dataclasses

import pytest
from tiny import fewer_questions, rows, tiny

from ftrag.training import engine, forgetting, lora, perplexity
from ftrag.training.known import Known
from ftrag.training.settings import TrainSettings
from ftrag.types import Example

SETTINGS = TrainSettings(rank=4, learning_rate=0.03, epochs=1)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_zero_step_adapter_differs_by_exactly_zero(dtype):
    loaded = tiny(dtype)
    with engine.lora(loaded, SETTINGS) as model:
        shares: list[float] = []
        found = forgetting.measure(model, loaded.tokenizer, told=shares.append)
    assert shares == sorted(shares) and shares[-1] == 1 and len(shares) == 37  # batches of 16 of 350 and of 240
    assert (found["general"]["n"], found["safety"]["n"]) == (350, 240)
    for name in ("general", "safety"):
        row = found[name]
        assert row["difference"] == row["wins"] == row["losses"] == 0
        assert row["base"] == row["adapter"]
        assert row["state"] == "passed"
    assert found["perplexity"]["ratio"] == found["perplexity"]["low"] == 1


def test_base_answers_once_and_is_remembered(tmp_path, monkeypatch):
    monkeypatch.setattr(forgetting, "_seconds", lambda model, asked: 1.0)  # so that a forecast counts passes
    loaded = tiny()
    known, texts = Known(tmp_path, loaded), perplexity.paragraphs(loaded.tokenizer)
    with engine.lora(loaded, SETTINGS) as model:
        before = forgetting.forecast(model, loaded.tokenizer, known=known)
        first = forgetting.measure(model, loaded.tokenizer, known=known)
        plain = 2 * sum(map(len, texts)) / len(sorted(texts, key=len)[len(texts) // 2])  # each text with and without
        assert forgetting.forecast(model, loaded.tokenizer, known=known) - plain == pytest.approx((before - plain) / 2)
        assert forgetting.measure(model, loaded.tokenizer, known=known) == first
        assert first["general"]["difference"] == 0
    for path in tmp_path.iterdir():
        path.write_text("[1]")  # damaged: base is asked again
    assert known.recall(forgetting.items(loaded.tokenizer, "general")) is None
    assert Known(tmp_path, tiny(seed=1)).recall(forgetting.items(loaded.tokenizer, "general")) is None


def test_reading_rows_offer_other_questions_answers_beside_the_passage():
    asked = [
        (f"How deep is lake {n}?", (f"Far away.\n\nLake {n} is {n}0 metres deep.",), f"{n}0 metres") for n in range(9)
    ]
    rows = forgetting.reading_rows(asked)
    assert len(rows) == 9
    assert rows[3]["context"] == ("Lake 3 is 30 metres deep.",)
    assert len(set(rows[3]["choices"])) == 4
    assert rows[3]["choices"][rows[3]["answer"]] == "30 metres"
    assert forgetting.reading_rows(asked[:3]) == []  # four choices need four answers


def test_choices_beside_one_another_score_as_each_alone():
    import torch

    loaded = tiny()
    batch = forgetting.items(loaded.tokenizer, "general")[:12]
    with torch.no_grad():
        together = forgetting._chosen(loaded.model(**forgetting._inputs(batch, loaded.model)).logits, batch)
        alone = []
        for item in batch:
            means, place = [], item.prompt
            for length in item.choices:
                ids = torch.tensor([[*item.ids[: item.prompt], *item.ids[place : place + length]]])
                scores = loaded.model(ids).logits[0, item.prompt - 1 : -1].log_softmax(-1)
                means.append(float(scores.gather(1, ids[0, item.prompt :, None]).mean()))
                place += length
            alone.append(means.index(max(means)))
    assert together == alone


def test_the_interval_by_hand():
    # 100 questions, 5 won, 15 lost: (5 - 15) / 102 = -0.0980; sqrt(21 - 102 * 0.0980^2) / 102 = 0.0439
    low, high = forgetting.interval(100, 5, 15)
    assert low == pytest.approx(-0.0980 - 1.96 * 0.0439, abs=1e-3)
    assert high == pytest.approx(-0.0980 + 1.96 * 0.0439, abs=1e-3)
    assert forgetting.interval(0, 0, 0) == (None, None)


@pytest.mark.parametrize(
    ("n", "wins", "losses", "state"),
    [
        (350, 0, 0, "passed"),
        (350, 10, 12, "passed"),  # -0.006 +- 0.026
        (350, 5, 40, "failed"),  # a tenth lost
        (350, 64, 139, "failed"),  # more would be needed to pass, but even the upper bound is a loss
        (20, 0, 0, "unmeasured"),  # +- 0.09 whatever happens
        (0, 0, 0, "unmeasured"),
    ],
)
def test_the_gate_reads_the_lower_bound(n, wins, losses, state):
    pairs = [(False, True)] * wins + [(True, False)] * losses + [(True, True)] * (n - wins - losses)
    row = forgetting._gate(pairs, 0.05)
    assert row["state"] == state
    assert (state == "unmeasured") == (f"{row['needed']} would" in row["why"])


def test_questions_needed_by_hand():
    assert forgetting.questions_needed(0.1, 0.05) == 154  # 0.1 * (1.96 / 0.05)^2 = 153.66


def test_a_training_writes_the_measurement_into_its_card(tmp_path):
    from ftrag.project import read_json

    value = lora.train(tiny(), rows(), tmp_path, SETTINGS)
    card = read_json(tmp_path / value["adapter"] / "card.json")
    assert card["forgetting"] == value["forgetting"]
    assert card["forgetting"]["general"]["n"] == 350


@pytest.mark.slow
def test_an_over_trained_adapter_is_caught(tmp_path, monkeypatch):
    """The built-in model is drilled to say one sentence to everything, with a learning rate far too high."""
    from ftrag import models

    fewer_questions(monkeypatch, safety=8)
    loaded = models.load()
    examples = [Example(f"Tell me about {n}", "No.", str(n)) for n in range(16)]
    settings = dataclasses.replace(SETTINGS, rank=8, learning_rate=0.02, epochs=10, eval_share=0.0)
    found = lora.train(loaded, examples, tmp_path, settings)["forgetting"]
    print({name: (row["base"], row["adapter"], row["low"], row["state"]) for name, row in list(found.items())[:2]})
    print(found["perplexity"])
    assert found["general"]["state"] == "failed"
    assert found["general"]["base"] > 0.5
