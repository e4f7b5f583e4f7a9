"""LoRA training against trl on the same rows, seed and machine: python benchmarks/training.py [--rows 64]

Prints seconds and tokens per second of ftrag, of trl's SFTTrainer at its defaults, and of each trl setting that was
tried, the ratios, ftrag's share of this machine's measured matrix-product peak, and, in float32 on identical batches in
identical order, the largest difference of the first 20 losses from plain Trainer's. Run it on a quiet machine: it takes
about four minutes on 2 cores, and the processor's seconds stand beside the clock's to show when it was not quiet.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from ftrag import models
from ftrag.models import Loaded
from ftrag.training import engine, lora
from ftrag.training.encode import encode, texts
from ftrag.training.examples import read_examples
from ftrag.training.settings import LINEAR, TrainSettings
from ftrag.types import Example

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = TrainSettings(epochs=1, eval_share=0.0, forgetting=False, save_steps=1000, save_seconds=1e9)
TRL: dict[str, dict[str, Any]] = {
    "trl, defaults": {},
    "trl, no checkpointing": {"gradient_checkpointing": False},
    "trl, no checkpointing, by length, bf16 weights": {
        "gradient_checkpointing": False,
        "train_sampling_strategy": "group_by_length",
        "model_init_kwargs": {"dtype": "bfloat16"},
    },
    "trl, as above, 2 x 4 rows, eager attention": {
        "gradient_checkpointing": False,
        "train_sampling_strategy": "group_by_length",
        "model_init_kwargs": {"dtype": "bfloat16", "attn_implementation": "eager"},
        "per_device_train_batch_size": 4,
        "gradient_accumulation_steps": 2,
    },
}


def rows(count: int) -> list[Example]:
    """Rows of the support example; every other one reads its evidence among four other rows' evidence."""
    examples, _, _ = read_examples(ROOT / "examples" / "support" / "examples.jsonl")
    rng = random.Random(0)
    picked = rng.sample(examples, min(count, len(examples)))
    others = [row.evidence[0] for row in examples if row.evidence]
    return [
        replace(row, context=tuple(rng.sample([*row.evidence, *rng.sample(others, 4)], 5))) if n % 2 else row
        for n, row in enumerate(picked)
        if row.evidence
    ]


def ours(loaded: Loaded, examples: list[Example]) -> float:
    """Seconds from the first step to the last, without the estimate before it."""
    began = 0.0

    def watch(row: dict[str, Any]) -> None:
        nonlocal began
        if row["phase"] == "estimate":
            began = time.perf_counter()

    with tempfile.TemporaryDirectory() as folder:
        steps: list[float] = []
        lora.train(
            loaded, examples, Path(folder), SETTINGS, lambda row: (watch(row), steps.append(time.perf_counter()))
        )
        return steps[-1] - began


def trl(folder: Path, tokenizer: Any, examples: list[Example], changes: dict[str, Any]) -> float:
    """Seconds of SFTTrainer's train() over the same rows once, with the same LoRA, loss on completions."""
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import PrinterCallback
    from trl import SFTConfig, SFTTrainer

    pairs = [texts(tokenizer, example) for example in examples]
    data = Dataset.from_list([{"prompt": prompt, "completion": answer} for prompt, answer in pairs])
    adapter = LoraConfig(r=16, lora_alpha=32, target_modules=list(LINEAR), task_type="CAUSAL_LM")
    with tempfile.TemporaryDirectory() as out:
        quiet: dict[str, Any] = {
            "report_to": [],
            "save_strategy": "no",
            "disable_tqdm": True,
            "logging_strategy": "no",
            "seed": 0,
        }
        quiet["use_cpu"] = True  # without it the default bf16=True is refused on a machine without a GPU
        arguments = SFTConfig(out, num_train_epochs=1, **quiet, **changes)
        trainer = SFTTrainer(str(folder), args=arguments, train_dataset=data, peft_config=adapter)
        trainer.remove_callback(PrinterCallback)
        start = time.perf_counter()
        trainer.train()
        return time.perf_counter() - start


def peak(dtype: str) -> float:
    """Best of several large matrix products in this type, floating-point operations per second."""
    import torch

    a, b = (torch.randn(shape, dtype=getattr(torch, dtype)) for shape in ((2048, 4096), (1536, 4096)))
    best = 0.0
    for _ in range(8):
        start = time.perf_counter()
        torch.nn.functional.linear(a, b)
        best = max(best, 2 * 2048 * 4096 * 1536 / (time.perf_counter() - start))
    return best


def work(loaded: Loaded, examples: list[Example]) -> float:
    """Floating-point operations of one epoch: forward and input gradients of the base, all three of the LoRA."""
    coded = [encode(loaded.tokenizer, example) for example in examples]
    sizes = {
        name: tuple(module.weight.shape) for name, module in loaded.model.named_modules() if name.endswith("_proj")
    }
    base = sum(rows * columns for rows, columns in sizes.values())
    small = sum(SETTINGS.rank * (rows + columns) for rows, columns in sizes.values())
    head = loaded.model.get_output_embeddings().weight.numel()
    learned = sum(len(row.answer) for row in coded)
    return sum(map(len, coded)) * (4 * base + 6 * small) + learned * 4 * head


def first_losses(examples: list[Example], steps: int = 20) -> float:
    """Largest difference of our first losses from plain Trainer's, float32, identical batches in identical order."""
    import torch
    from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments

    settings = replace(SETTINGS, batch_rows=2, micro_batches=1)
    short = sorted(examples, key=lambda row: len(row.prompt))[: 2 * steps]
    loaded = models.load(dtype="float32")
    with tempfile.TemporaryDirectory() as folder:
        found = lora.train(loaded, short, Path(folder), settings)["losses"][:steps]
    batches = lora._data(loaded, short, settings).batches
    losses: list[float] = []

    def pad(items: list[Any]) -> dict[str, Any]:
        longest = max(map(len, items[0]))
        gaps = [longest - len(row) for row in items[0]]
        pairs = list(zip(items[0], gaps, strict=True))
        return {
            "input_ids": torch.tensor([[*row.prompt, *row.answer, *[0] * gap] for row, gap in pairs]),
            "attention_mask": torch.tensor([[1] * len(row) + [0] * gap for row, gap in pairs]),
            "labels": torch.tensor([[-100] * len(row.prompt) + [*row.answer] + [-100] * gap for row, gap in pairs]),
        }

    callback = TrainerCallback()
    callback.on_log = lambda args, state, control, logs, **_: losses.append(logs["loss"]) if "loss" in logs else None
    with engine.lora(loaded, settings) as model, tempfile.TemporaryDirectory() as out:
        arguments = TrainingArguments(
            out,
            max_steps=len(batches),
            per_device_train_batch_size=1,
            train_sampling_strategy="sequential",
            learning_rate=settings.learning_rate,
            lr_scheduler_type="cosine",
            warmup_steps=round(settings.warmup * len(batches)),
            weight_decay=0.0,
            logging_steps=1,
            remove_unused_columns=False,
            report_to=[],
            save_strategy="no",
            disable_tqdm=True,
            use_cpu=True,
            seed=settings.seed,
        )
        trainer = Trainer(model, arguments, data_collator=pad, train_dataset=batches, callbacks=[callback])
        trainer.remove_callback(PrinterCallback)
        trainer.train()
    # Trainer rounds nothing it logs with logging_steps=1.
    return max(abs(a - b) for a, b in zip(found, losses, strict=False))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=64, help="looked at; those with evidence are trained")
    parser.add_argument("--only", default="", help="part of a name: run only these")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    loaded = models.load()
    examples = rows(options.rows)
    tokens = sum(len(encode(loaded.tokenizer, example)) for example in examples)
    found: dict[str, Any] = {"rows": len(examples), "tokens": tokens, "dtype": loaded.dtype, "seconds": {}, "cpu": {}}
    runs = {
        "ftrag": lambda: ours(loaded, examples),
        "ftrag, float32": lambda: ours(models.load(dtype="float32"), examples),
    } | {
        name: (lambda changes=changes: trl(models.prepare(loaded.name), loaded.tokenizer, examples, changes))
        for name, changes in TRL.items()
    }
    for name, run in runs.items():
        if options.only in name:
            before = time.process_time()
            with contextlib.redirect_stdout(sys.stderr):
                seconds = found["seconds"][name] = run()
            cpu = found["cpu"][name] = time.process_time() - before
            print(f"{name:50} {seconds:7.1f} s {tokens / seconds:7.0f} tokens/s ({cpu:.0f} s of CPU)", flush=True)
    summarise(found, loaded, examples)
    if not options.only:
        with contextlib.redirect_stdout(sys.stderr):
            found["first_losses"] = first_losses(rows(148))
        print(f"first 20 losses in float32: at most {found['first_losses']:.1e} from plain Trainer's (1e-4 allowed)")
    if options.json:
        print(json.dumps(found))


def summarise(found: dict[str, Any], loaded: Loaded, examples: list[Example]) -> None:
    seconds = found["seconds"]
    tuned = {name: value for name, value in seconds.items() if name.startswith("trl") and name != "trl, defaults"}
    if "ftrag" not in seconds:
        return
    found["share_of_peak"] = work(loaded, examples) / seconds["ftrag"] / peak(loaded.dtype)
    print(f"share of the measured matrix-product peak: {found['share_of_peak']:.2f}")
    if "ftrag, float32" in seconds:
        print(f"float32 takes {seconds['ftrag, float32'] / seconds['ftrag']:.2f} times as long as {loaded.dtype}")
    if "trl, defaults" in seconds:
        found["ratio_defaults"] = seconds["trl, defaults"] / seconds["ftrag"]
        print(f"against trl at its defaults: {found['ratio_defaults']:.2f} times as fast (at least 2.0 wanted)")
    if tuned:
        best = min(tuned, key=tuned.__getitem__)
        found["ratio_tuned"] = tuned[best] / seconds["ftrag"]
        print(f"against the best trl setting ({best}): {found['ratio_tuned']:.2f} times (at least 1.3 wanted)")


if __name__ == "__main__":
    main()
