"""Example -> token ids as they are trained: the inference prompt, then the answer with its end, alone learned."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ftrag.prompts import chat, render, spoken
from ftrag.types import Example

COUNTED = 1000  # rows whose tokens are counted at once


@dataclass(frozen=True)
class Row:
    prompt: tuple[int, ...]  # token ids, exactly those of inference
    answer: tuple[int, ...]  # token ids with the end of turn; the loss is taken here alone

    def __len__(self) -> int:
        return len(self.prompt) + len(self.answer)


@dataclass(frozen=True)
class Pair:
    chosen: Row
    rejected: Row  # the same prompt, the worse answer

    def __len__(self) -> int:
        return max(len(self.chosen), len(self.rejected))


def sequences(batch: Sequence[Row | Pair]) -> list[Row]:
    """What is computed for a batch: its rows; of pairs, all the chosen answers and then all the rejected ones."""
    pairs = [one for one in batch if isinstance(one, Pair)]
    plain = [one for one in batch if isinstance(one, Row)]
    return plain + [one.chosen for one in pairs] + [one.rejected for one in pairs]


def texts(tokenizer: Any, example: Example) -> tuple[str, str]:
    """(prompt, learned part) as the model sees them; joined they are one turn of the chat template."""
    shown = [Example(user, answer) for user, answer in example.history]
    messages = chat(example.prompt, example.context, shown, example.system)
    prompt = render(tokenizer, messages)
    turns = spoken(tokenizer, (*messages, {"role": "assistant", "content": example.response}))
    whole = str(tokenizer.apply_chat_template(turns, tokenize=False))
    # Some templates render a past answer differently from a coming one (thinking blocks): the prompt decides then.
    if whole.startswith(prompt):
        return prompt, whole[len(prompt) :].rstrip("\n")
    return prompt, example.response + str(tokenizer.eos_token)


def encode(tokenizer: Any, example: Example) -> Row:
    """Prompt and answer are tokenised apart, as they are at inference, where the prompt ends before the answer."""
    prompt, answer = texts(tokenizer, example)
    ids = tokenizer([prompt, answer], add_special_tokens=False)["input_ids"]
    return Row(tuple(ids[0]), tuple(ids[1]))


def encode_pair(tokenizer: Any, example: Example) -> Pair:
    """A preference pair: the same prompt with the better and with the worse answer."""
    worse = replace(example, response=str(example.rejected))
    return Pair(encode(tokenizer, example), encode(tokenizer, worse))


def counter(tokenizer: Any) -> Callable[[Sequence[Example]], list[tuple[int, int]]]:
    """What inspection.inspect counts with: (all, learned) tokens of each row. Many texts at once use all cores."""

    def count(examples: Sequence[Example]) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = []
        for start in range(0, len(examples), COUNTED):
            pairs = [texts(tokenizer, example) for example in examples[start : start + COUNTED]]
            flat = [text for pair in pairs for text in pair]
            sizes = [len(ids) for ids in tokenizer(flat, add_special_tokens=False)["input_ids"]]
            found += [(asked + learned, learned) for asked, learned in zip(sizes[::2], sizes[1::2], strict=True)]
        return found

    return count


def plan(lengths: Sequence[int], batch_rows: int, micro: int, epochs: float, seed: int) -> list[list[int]]:
    """Micro-batches of row indices for a whole training, in order; each run of `micro` of them is one optimizer step.

    Rows of like length share a micro-batch, so that little is padded, while which rows meet changes from epoch to
    epoch: lengths are jittered by up to a tenth before they are sorted, and the batches are shuffled.
    """
    batches: list[list[int]] = []
    for epoch in range(int(-(-epochs // 1))):
        rng = random.Random(f"{seed}/{epoch}")
        order = sorted(range(len(lengths)), key=lambda i: lengths[i] * rng.uniform(0.9, 1.1))
        steps = _steps(order, batch_rows, micro)
        rng.shuffle(steps)
        wanted = max(1, round(min(1.0, epochs - epoch) * len(steps)))
        batches += [batch for step in steps[:wanted] for batch in step]
    return batches


def _steps(order: list[int], batch_rows: int, micro: int) -> list[list[list[int]]]:
    """Optimizer steps of about batch_rows rows, each cut into `micro` micro-batches without an empty one.

    Pieces are dealt out so that one step mixes short and long rows while each of its micro-batches is of one length.
    """
    count = max(1, round(len(order) / batch_rows))
    pieces = count * micro
    cuts = [round(n * len(order) / pieces) for n in range(pieces + 1)]
    batches = [order[a:b] or order[:1] for a, b in zip(cuts, cuts[1:], strict=False)]
    return [[batches[step + count * part] for part in range(micro)] for step in range(count)]


def collate(rows: Sequence[Row], pad: int) -> dict[str, Any]:
    """Right-padded ids (batch, longest), a boolean mask of the positions whose logits are needed, and their labels.

    logits_to_keep (batch, longest) is true one place before each learned token; labels (learned tokens,) holds those
    in the same order, so no logits are computed for prompts and padding. Causal attention over right padding needs
    no attention mask: no kept position can see a pad.
    """
    import torch

    longest = max(map(len, rows))
    ids = torch.full((len(rows), longest), pad)
    keep = torch.zeros(len(rows), longest, dtype=torch.bool)
    for index, row in enumerate(rows):
        ids[index, : len(row)] = torch.tensor(row.prompt + row.answer)
        keep[index, len(row.prompt) - 1 : len(row) - 1] = True
    labels = torch.tensor([token for row in rows for token in row.answer])
    return {"input_ids": ids, "logits_to_keep": keep, "labels": labels, "shift_labels": labels}
