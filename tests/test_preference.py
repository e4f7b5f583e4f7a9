"""Preference pairs by trl's DPOTrainer on the processor: the better answers gain, and no step is lost."""

from dataclasses import replace

import pytest
from tiny import rows, tiny

from ftrag.errors import InputError
from ftrag.training import adapters, engine, lora, preference
from ftrag.training.encode import encode_pair
from ftrag.training.settings import TrainSettings
from ftrag.types import Example
from tests.crash import suite

pytest.importorskip("trl", reason="pip install 'trl>=1.16,<2'")
SETTINGS = TrainSettings(rank=4, learning_rate=0.1, epochs=6, forgetting=False, eval_share=0.2)
PAIRS = [Example(f"number {n}?", f"It is {n}.", str(n), rejected=f"no idea {n * 7}") for n in range(20)]


def test_a_pair_is_the_inference_prompt_and_both_answers_with_their_end():
    words = tiny().tokenizer
    pair = encode_pair(words, PAIRS[0])
    assert pair.chosen.prompt == pair.rejected.prompt
    assert words.decode(pair.chosen.prompt).endswith("<|im_start|>assistant\n")
    ends = words.decode(pair.chosen.answer), words.decode(pair.rejected.answer)
    assert ends == ("It is 0.<|im_end|>", "no idea 0<|im_end|>")


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_pairs_train_an_adapter_that_ranks_held_out_pairs_right(tmp_path, dtype, capsys):
    loaded = tiny(dtype)
    said = []
    value = lora.train(loaded, PAIRS, tmp_path, SETTINGS, said.append)
    assert value["losses"][0] == pytest.approx(0.6931, abs=1e-3)  # ln 2: the LoRA starts without effect
    assert value["losses"][-1] < value["losses"][0]
    assert value["pairs_right"] == 1
    adapters.check(tmp_path / value["adapter"], loaded)
    assert [row["step"] for row in said if row["phase"] == "train"] == list(range(1, value["steps"] + 1))
    held_out = [row["eval_loss"] for row in said if row["phase"] == "evaluate"]
    assert len(held_out) == 6 and held_out[-1] < held_out[0] < 0.6931  # shown after every epoch
    said = capsys.readouterr()
    assert said.out == ""  # standard output belongs to the JSON value
    assert "Tokenizing" not in said.err
    assert "forward" not in vars(loaded.model)  # the model is given back as it was


def test_our_loss_of_held_out_pairs_is_trls_at_any_weights(tmp_path):
    """trl's own forward scores every position; ours the answers alone: loss and gradient must be the same."""
    import torch

    loaded = tiny()
    pairs = [encode_pair(loaded.tokenizer, row) for row in PAIRS[:5]]
    pairs.append(encode_pair(loaded.tokenizer, Example("a" * 40, "yes", rejected="b" * 30)))  # padded on both sides
    found = {}
    with engine.lora(loaded, SETTINGS) as model:
        torch.manual_seed(3)
        for weight in model.parameters():
            if weight.requires_grad:
                weight.data.normal_(std=0.2)
        watch = lora.Watch(SETTINGS, 6, 1, lambda row: None)
        run = engine.Run(loaded, model, SETTINGS, [pairs], [pairs], tmp_path / "x" / "y", watch, bool)
        assert preference._refer(run)
        trainer = preference._trainer(run)
        inputs = trainer.data_collator([trainer.train_dataset[0]])
        for name, forward in (("ours", model.get_base_model().forward), ("trl's", None)):
            if forward is None:
                from trl.trainer.utils import add_fused_lm_head

                vars(model.get_base_model()).pop("forward")
                add_fused_lm_head(model.get_base_model(), outputs=("log_probs", "entropy", "mean_logits", "is_top1"))
            loss = trainer.compute_loss(model, inputs)
            loss.backward()
            gradients = [weight.grad.clone() for weight in model.parameters() if weight.requires_grad]
            model.zero_grad(set_to_none=True)
            found[name] = float(loss), gradients
        assert run.evaluate() == pytest.approx(found["trl's"][0], abs=1e-5)
    assert found["ours"][0] == pytest.approx(found["trl's"][0], abs=1e-5)
    assert found["ours"][0] != pytest.approx(0.6931, abs=1e-2)
    for a, b in zip(found["ours"][1], found["trl's"][1], strict=True):
        assert torch.allclose(a, b, atol=1e-5)


def test_a_stopped_training_of_pairs_keeps_its_checkpoint_and_goes_on(tmp_path):
    whole = lora.train(tiny(), PAIRS, tmp_path / "a", SETTINGS)
    said = []
    stopped = lora.train(tiny(), PAIRS, tmp_path / "b", SETTINGS, said.append, lambda: trained(said) > 4)
    assert (stopped["stopped"], stopped["adapter"]) == (True, None)
    assert 0 < stopped["steps"] < whole["steps"]
    again = []
    resumed = lora.train(tiny(), PAIRS, tmp_path / "b", SETTINGS, again.append)
    assert trained(again) == whole["steps"] - stopped["steps"]
    assert resumed["losses"] == whole["losses"]
    files = [
        tmp_path / x / value["adapter"] / "adapter_model.safetensors" for x, value in (("a", whole), ("b", resumed))
    ]
    assert files[0].read_bytes() == files[1].read_bytes()


def trained(said: list[dict]) -> int:
    return sum(row["phase"] == "train" for row in said)


def test_stopping_before_the_first_step_ends_there(tmp_path):
    said = []
    value = lora.train(
        tiny(), PAIRS, tmp_path, SETTINGS, said.append, lambda: any(row["phase"] == "reference" for row in said)
    )
    assert (value["stopped"], value["adapter"], value["steps"]) == (True, None, 0)


def test_pairs_that_only_get_worse_end_early_with_the_best_adapter(tmp_path):
    """What is held out contradicts what is trained: each evaluation is worse than the one before."""
    rows = [Example(f"number {n}?", "yes", str(n), rejected="no") for n in range(16)]
    settings = replace(SETTINGS, epochs=30, patience=2)
    probe = lora.split(rows, settings.seed, settings.eval_share)[1]
    rows = [replace(row, response="no", rejected="yes") if row in probe else row for row in rows]
    value = lora.train(tiny(), rows, tmp_path, settings)
    losses = [loss for _, loss in value["eval_losses"]]
    assert len(losses) == 1 + losses.index(min(losses)) + 2 < 30  # two more than the best
    assert value["best_step"] < value["steps"]
    assert value["eval_loss"] == pytest.approx(min(losses), abs=1e-4)


def test_pairs_and_plain_rows_are_not_mixed(tmp_path):
    with pytest.raises(InputError, match="20 of 24 rows have a rejected answer"):
        lora.train(tiny(), [*PAIRS, *rows(4)], tmp_path, SETTINGS)


@pytest.mark.slow
def test_pairs_killed_at_random_moments_end_as_if_uninterrupted(tmp_path, nursery):
    assert suite(tmp_path, 10, pairs=True, nursery=nursery)["kills"] >= 10
