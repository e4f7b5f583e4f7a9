"""LoRA training on a tiny random model: what is learned, what is measured, what is said, what is left behind."""

import json
import math
import time

import pytest
from tiny import fewer_questions, rows, tiny, tokenizer

from ftrag.errors import InputError, TrainingError
from ftrag.training import engine, estimate, lora
from ftrag.training.encode import Pair, Row, collate, counter, encode, plan, texts
from ftrag.training.settings import TrainSettings
from ftrag.types import Example

QUICK = TrainSettings(forgetting=False, rank=4, learning_rate=0.03, epochs=3)


def test_a_row_is_the_inference_prompt_and_a_learned_answer_with_its_end():
    words = tokenizer()
    example = Example("Q?", "A.", context=("one", "two"), history=(("U", "V"),), system="S")
    prompt, learned = texts(words, example)
    assert learned == "A.<|im_end|>"
    assert prompt.startswith("<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nU<|im_end|>\n<|im_start|>assistant\nV")
    assert prompt.endswith("<context>\none\n\ntwo\n</context>\n\nQ?<|im_end|>\n<|im_start|>assistant\n")
    row = encode(words, example)
    assert words.decode(row.prompt) == prompt
    assert row.answer[-1] == words.eos_token_id
    assert counter(words)([example]) == [(len(row), 3)]  # "A", ".", end of turn


def test_logits_are_kept_one_place_before_each_learned_token():
    words = tokenizer()
    batch = [encode(words, Example("Q?", "A.")), encode(words, Example("Longer question?", "B"))]
    inputs = collate(batch, 0)
    kept = inputs["logits_to_keep"]
    assert kept.sum() == 3 + 2
    shifted = kept.roll(1, dims=1)
    assert inputs["input_ids"][shifted].tolist() == inputs["labels"].tolist() == [*batch[0].answer, *batch[1].answer]


def test_the_loss_equals_transformers_own_on_labels_over_the_whole_row():
    import torch

    loaded = tiny()
    batch = [encode(loaded.tokenizer, row) for row in rows(5)] + [encode(loaded.tokenizer, Example("a" * 50, "b" * 9))]
    with engine.lora(loaded, QUICK) as model:
        run = engine.Run(loaded, model, QUICK, [batch], [], None, None, bool)
        ours = float(run.loss(batch))
        longest = max(map(len, batch))
        ids = torch.tensor([[*row.prompt, *row.answer] + [1] * (longest - len(row)) for row in batch])
        mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in batch])
        labels = torch.tensor([[-100] * len(r.prompt) + list(r.answer) + [-100] * (longest - len(r)) for r in batch])
        theirs = float(model(input_ids=ids, attention_mask=mask, labels=labels).loss)
    assert ours == pytest.approx(theirs, abs=1e-6)


@pytest.mark.parametrize("count", [1, 2, 3, 17, 100, 151])
def test_the_plan_visits_every_row_once_an_epoch_with_equal_micro_batches(count):
    lengths = [20 + 7 * n % 200 for n in range(count)]
    micro = min(2, count)
    order = plan(lengths, batch_rows=8, micro=micro, epochs=2, seed=1)
    assert len(order) % (2 * micro) == 0
    for half in (order[: len(order) // 2], order[len(order) // 2 :]):
        assert sorted(index for batch in half for index in batch) == list(range(count))
    assert order == plan(lengths, 8, micro, 2, 1)
    if count > 50:
        padded = sum(len(batch) * max(lengths[i] for i in batch) for batch in order)
        assert padded < 1.15 * 2 * sum(lengths)


def test_training_gives_an_adapter_and_the_numbers_of_the_contract(tmp_path):
    said = []
    loaded = tiny()
    value = lora.train(loaded, rows(), tmp_path, QUICK, said.append)
    assert {"adapter", "train_loss", "eval_loss", "seconds", "tokens_per_second", "warnings"} <= value.keys()
    assert value["trainable_parameters"] == 4096  # 2 layers x rank 4 x (2 x (32+32) + 2 x (32+16) + 3 x (32+64))
    assert value["losses"][-1] < value["losses"][0]
    assert [p.name for p in tmp_path.iterdir()] == [value["adapter"]]  # nothing unfinished is left
    card = json.loads((tmp_path / value["adapter"] / "card.json").read_text())
    assert card["base"] == {"name": "tiny", "repo": "tiny", "fingerprint": "0" * 32, "dtype": "float32"}
    assert said[0]["phase"] == "estimate"
    steps = [row for row in said if row["phase"] == "train"]
    assert [row["step"] for row in steps] == list(range(1, value["steps"] + 1))
    wanted = {"step", "steps", "loss", "eval_loss", "learning_rate", "tokens_per_second", "seconds_left", "memory_mib"}
    assert wanted <= steps[-1].keys()
    assert steps[-1]["fraction"] == 1
    assert len({id(module) for module in loaded.model.modules()}) == len(list(tiny().model.modules()))
    json.dumps(value)


def test_the_same_seed_gives_the_same_adapter_and_another_another(tmp_path):
    first, again, other = (
        (tmp_path / str(n) / lora.train(tiny(), rows(), tmp_path / str(n), settings)["adapter"])
        for n, settings in enumerate(
            [QUICK, QUICK, TrainSettings(forgetting=False, rank=4, learning_rate=0.03, epochs=3, seed=1)]
        )
    )
    weights = [(path / "adapter_model.safetensors").read_bytes() for path in (first, again, other)]
    assert weights[0] == weights[1] != weights[2]


def test_bfloat16_trains_float32_lora_weights(tmp_path):
    from safetensors.torch import load_file

    exact, rounded = (lora.train(tiny(dtype), rows(), tmp_path, QUICK) for dtype in ("float32", "bfloat16"))
    assert rounded["dtype"] == "bfloat16"
    assert rounded["train_loss"] == pytest.approx(exact["train_loss"], rel=0.02)
    weights = load_file(tmp_path / rounded["adapter"] / "adapter_model.safetensors")
    assert {str(tensor.dtype) for tensor in weights.values()} == {"torch.float32"}


def test_a_row_too_long_is_left_out_and_said(tmp_path):
    value = lora.train(tiny(), [*rows(), Example("a" * 600, "b", "long")], tmp_path, QUICK)
    assert any("1 rows were left out" in warning for warning in value["warnings"])
    with pytest.raises(TrainingError, match="no training row fits"):
        lora.train(tiny(), [Example("a" * 600, "b")], tmp_path, QUICK)


def test_overfitting_is_said_and_the_best_adapter_kept(tmp_path):
    examples = [Example(f"{n * 7919 % 1000}?", f"{n * 104729 % 9973}", str(n)) for n in range(40)]
    settings = TrainSettings(forgetting=False, rank=16, learning_rate=0.05, epochs=30, patience=3, eval_share=0.25)
    value = lora.train(tiny(), examples, tmp_path, settings)
    assert any(warning.startswith("over-fitting since step") for warning in value["warnings"])
    assert value["best_step"] < value["steps"] < 30 * 4  # ended early
    assert value["eval_loss"] == pytest.approx(min(loss for _, loss in value["eval_losses"]), abs=1e-4)


def test_a_lora_without_effect_and_a_loss_that_does_not_fall_are_said(tmp_path):
    value = lora.train(tiny(), rows(), tmp_path, TrainSettings(forgetting=False, rank=4, learning_rate=0.0, epochs=1))
    assert any("had no effect" in warning for warning in value["warnings"])
    assert any("did not fall" in warning for warning in value["warnings"])


def test_a_loss_that_becomes_nan_ends_in_words_that_help(tmp_path):
    loaded = tiny()
    loaded.model.model.layers[1].mlp.up_proj.weight.data[0, 0] = math.nan
    with pytest.raises(TrainingError, match="lower the learning rate"):
        lora.train(loaded, rows(), tmp_path, QUICK)


@pytest.mark.parametrize(
    ("change", "words"),
    [({"rank": 0}, "rank is 0"), ({"epochs": -1}, "epochs is -1"), ({"micro_batches": 9}, "micro batches is 9")],
)
def test_settings_out_of_range_are_named(tmp_path, change, words):
    with pytest.raises(InputError, match=words):
        lora.train(tiny(), rows(), tmp_path, TrainSettings(forgetting=False, **change))


def test_stopping_keeps_a_checkpoint_and_the_same_call_goes_on(tmp_path):
    whole = lora.train(tiny(), rows(), tmp_path / "a", QUICK)
    steps = []
    stopped = lora.train(tiny(), rows(), tmp_path / "b", QUICK, steps.append, lambda: len(steps) > 4)
    assert (stopped["stopped"], stopped["adapter"]) == (True, None)
    assert stopped["steps"] < whole["steps"]
    resumed = lora.train(tiny(), rows(), tmp_path / "b", QUICK)
    assert resumed["losses"] == whole["losses"]
    pair = [(tmp_path / x / v["adapter"] / "adapter_model.safetensors") for x, v in (("a", whole), ("b", resumed))]
    assert pair[0].read_bytes() == pair[1].read_bytes()


def test_stopping_while_questions_are_asked_ends_there_and_the_same_call_goes_on(tmp_path):
    settings = TrainSettings(rank=2, learning_rate=0.01, epochs=1)
    said = []
    stopped = lora.train(
        tiny(), rows(8), tmp_path, settings, said.append, lambda: any(row["phase"] == "forgetting" for row in said)
    )
    assert (stopped["stopped"], stopped["adapter"]) == (True, None)
    assert sum(row["phase"] == "forgetting" for row in said) == 1
    again = []
    value = lora.train(tiny(), rows(8), tmp_path, settings, again.append)
    assert value["adapter"] and value["losses"] == stopped["losses"]
    assert not any(row["phase"] == "train" for row in again)  # nothing is trained twice


def test_slow_steps_are_kept_one_by_one(tmp_path):
    """A cancelled job whose step takes long is ended by force: what the last checkpoint holds is all that stays."""
    from dataclasses import replace

    def fall(row):
        if row.get("step") == 4 and row["phase"] == "train":
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        lora.train(tiny(), rows(), tmp_path, replace(QUICK, save_steps=1000, save_seconds=0), fall)
    kept = sorted(path.name for path in tmp_path.glob(".unfinished-*/checkpoints/step-*"))
    assert kept == ["step-00000002", "step-00000003"]


def test_one_row_a_step_is_a_setting_like_another(tmp_path):
    value = lora.train(tiny(), rows(6), tmp_path, TrainSettings(forgetting=False, batch_rows=1, epochs=1, eval_share=0))
    assert value["steps"] == 6


def test_the_estimate_by_hand():
    row = Row((1, 2, 3), (4, 5))  # five positions; a pair of such is ten
    costs = estimate.Costs(batch=7.0, position=2.0, forward=0.5, step=3.0)
    found = estimate.seconds(costs, [[row, row], [row]], steps=2, read=[[row], [row, row]])
    assert found == 7 * 2 + 2 * (10 + 5) + 3 * 2 + 0.5 * (5 + 10)
    assert estimate.seconds(costs, [[Pair(row, Row((1, 2, 3), (4,)))]], steps=0) == 7 + 2 * 2 * 5


def test_short_batches_cost_more_a_position_and_the_estimate_knows():
    """Through the origin, 900 positions of short batches were said to take what 900 of a long one do."""
    assert estimate.line([100, 200, 800], [0.45, 0.65, 1.85]) == pytest.approx((0.25, 0.002))
    assert estimate.line([300, 300, 300], [1.0, 1.1, 0.9]) == pytest.approx((0.0, 3 / 900))
    assert estimate.line([100, 200], [0.1, 0.4]) == pytest.approx((0.0, 0.5 / 300))  # no batch takes less than nothing


def test_other_settings_do_not_continue_a_stopped_training(tmp_path):
    steps = []
    lora.train(tiny(), rows(), tmp_path, QUICK, steps.append, lambda: len(steps) > 4)
    value = lora.train(tiny(), rows(), tmp_path, TrainSettings(forgetting=False, rank=2, learning_rate=0.03, epochs=1))
    assert len(value["losses"]) == value["steps"]


def test_the_plan_is_measured_without_a_trace():
    import torch

    loaded = tiny()
    before = {name: tensor.clone() for name, tensor in loaded.model.state_dict().items()}
    torch.manual_seed(5)
    state = torch.get_rng_state()
    said = lora.plan_training(loaded, rows(), QUICK)
    assert torch.equal(state, torch.get_rng_state())
    assert said["estimate_seconds"] >= 0
    assert (said["rows"], said["held_out"]) == (22, 2)
    after = loaded.model.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_grouped_attention_is_attention():
    import torch

    from ftrag.training.attention import attend

    torch.manual_seed(0)
    query, key, value = torch.randn(2, 6, 9, 8), torch.randn(2, 3, 9, 8), torch.randn(2, 3, 9, 8)
    ours, _ = attend(None, query, key, value, None, scaling=8**-0.5)
    wide = [tensor.repeat_interleave(2, dim=1) for tensor in (key, value)]
    theirs = torch.nn.functional.scaled_dot_product_attention(query, *wide, is_causal=True)
    assert torch.allclose(ours.transpose(1, 2), theirs, atol=1e-6)


@pytest.mark.slow
def test_the_estimate_is_within_a_quarter_of_what_the_training_takes(tmp_path, monkeypatch):
    fewer_questions(monkeypatch, general=3, safety=3)
    loaded = tiny(hidden=256)
    examples = [Example(f"{'tell me more ' * (n % 20)}{n}?", "It is a number." * 3, str(n)) for n in range(120)]
    said = []
    start = time.monotonic()
    value = lora.train(loaded, examples, tmp_path, TrainSettings(forgetting=False, rank=8), said.append)
    taken = time.monotonic() - start
    print(f"estimate {value['estimate_seconds']:.1f} s, taken {taken:.1f} s")
    assert value["estimate_seconds"] == pytest.approx(taken, rel=0.5)  # 0.25 on a quiet machine; CI shares its cores


@pytest.mark.parametrize("modules", [("foo", "q_proj"), ()])
def test_a_target_module_that_the_model_has_not_is_named_before_anything_changes(tmp_path, modules):
    from dataclasses import replace

    with pytest.raises(InputError, match="choose from .*q_proj"):
        lora.train(tiny(), rows(12), tmp_path, replace(QUICK, target_modules=modules))
    with pytest.raises(InputError, match="target modules"):
        lora.plan_training(tiny(), rows(12), replace(QUICK, target_modules=modules))
