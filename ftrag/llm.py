"""The token loop that every generation uses: a generator over a batch of rows, stopped by asking for no more.

PEFT's adapter switch is global state on the modules, so the adapter is chosen inside the step, under one lock:
several loops over one model, with and without adapters, can be asked for steps in turn and stay right.
"""

from __future__ import annotations

import contextlib
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ftrag.errors import InputError
from ftrag.models import Loaded
from ftrag.prompts import render
from ftrag.types import Delta, Generation, LanguageModel, Prompt

KEPT = 8  # adapters in memory: 20 MB each for the built-in model at rank 16 in float32


class LocalModel:
    """A language model in this process, with any number of LoRA adapters beside the base weights."""

    def __init__(self, loaded: Loaded) -> None:
        self.loaded = loaded
        self.model = loaded.model
        self.lock = threading.RLock()  # one model, one thread at a time; fast tokenizers are not thread-safe either
        self.active: str | None = None
        self.folders: dict[str, Path] = {}  # of every adapter that was added
        self.adapters: dict[str, None] = {}  # those in memory, the one used last at the end

    def add_adapter(self, name: str, folder: Path) -> None:
        """Make the LoRA in folder available as `name`. Raises ModelError for files that must not be loaded.

        KEPT adapters are in memory at most; one that was put out is read again when it is asked for.
        """
        with self.lock:
            self.folders[name] = folder
            if name not in self.adapters:
                self._switch(name)
                self._switch(None)

    def _switch(self, adapter: str | None) -> None:
        """Turn one adapter on, or all off, if that is not so already. Call it with the lock held."""
        if adapter == self.active:
            return
        if adapter is None:
            self.model.base_model.disable_adapter_layers()
        else:
            if adapter not in self.adapters:
                self._load(adapter)
            self.adapters[adapter] = self.adapters.pop(adapter)
            self.model.base_model.enable_adapter_layers()
            self.model.set_adapter(adapter)
            while len(self.adapters) > KEPT:
                oldest = next(iter(self.adapters))
                self.model.delete_adapter(oldest)
                del self.adapters[oldest]
        self.active = adapter

    def _load(self, name: str) -> None:
        import torch
        from peft import PeftModel

        from ftrag.training.adapters import check

        if name not in self.folders:
            raise InputError(f"adapter {name!r} is not loaded; train or choose one first")
        folder = self.folders[name]
        check(folder, self.loaded)
        with torch.inference_mode(False), warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # peft asks for an attribute that transformers renames
            if isinstance(self.model, PeftModel):
                self.model.load_adapter(str(folder), adapter_name=name, low_cpu_mem_usage=True)
            else:
                self.model = PeftModel.from_pretrained(
                    self.model, str(folder), adapter_name=name, low_cpu_mem_usage=True
                )
        self.model.eval()
        self.adapters[name] = None

    @contextlib.contextmanager
    def step(self, adapter: str | None) -> Iterator[Any]:
        """The model with this adapter on, alone with it, without gradients."""
        import torch

        with self.lock, torch.inference_mode():
            self._switch(adapter)
            yield self.model

    def stream(self, prompts: Sequence[Prompt], settings: Generation) -> Iterator[list[Delta]]:
        """Rows of one adapter share a batch; batches of different adapters take steps in turn."""
        groups: dict[str | None, list[int]] = {}
        for row, prompt in enumerate(prompts):
            groups.setdefault(prompt.adapter, []).append(row)
        loops = [self._loop(adapter, rows, prompts, settings) for adapter, rows in groups.items()]
        while loops:
            for loop in list(loops):
                if (deltas := next(loop, None)) is None:
                    loops.remove(loop)
                elif deltas:
                    yield deltas

    def _loop(
        self, adapter: str | None, rows: list[int], prompts: Sequence[Prompt], settings: Generation
    ) -> Iterator[list[Delta]]:
        """Prefill, then one token per row and step; finished rows leave the batch."""
        import torch

        deadline = time.monotonic() + settings.seconds
        with self.lock:
            batch = self._encode([prompts[row] for row in rows], settings)
            texts = [_Decoder(self.loaded.tokenizer) for _ in rows]
        choose = _chooser(settings, rows, self.model.device)
        ends = set(_list(self.model.generation_config.eos_token_id))
        feed, mask, cache = batch["input_ids"], batch["attention_mask"], None
        positions = (mask.cumsum(-1) - 1).clamp(min=0)
        active = list(range(len(rows)))
        while active:
            with self.step(adapter) as model:
                out = model(
                    input_ids=feed,
                    attention_mask=mask,
                    position_ids=positions,
                    past_key_values=cache,
                    use_cache=True,
                    logits_to_keep=1,
                )
                cache = out.past_key_values
                tokens = choose(out.logits[:, -1].float(), active)
                late = time.monotonic() > deadline
                deltas = [
                    texts[index].add(token, rows[index], token in ends, settings.max_new_tokens, late)
                    for index, token in zip(active, tokens.tolist(), strict=True)
                ]
                going = [place for place, delta in enumerate(deltas) if not delta.done]
                if going and len(going) < len(active):
                    keep = torch.tensor(going, device=mask.device)
                    cache.batch_select_indices(keep)
                    mask, tokens, positions = mask[keep], tokens[keep], positions[keep]
                active = [active[place] for place in going]
                if going:
                    feed = tokens[:, None]
                    mask = torch.cat([mask, mask.new_ones(len(active), 1)], dim=-1)
                    positions = positions[:, -1:] + 1
            yield deltas

    def _encode(self, prompts: Sequence[Prompt], settings: Generation) -> Any:
        """Left-padded input ids and attention mask of a batch. InputError where a prompt exceeds the model's window."""
        tokenizer = self.loaded.tokenizer
        texts = [render(tokenizer, prompt.messages) for prompt in prompts]
        batch = tokenizer(texts, padding=True, padding_side="left", add_special_tokens=False, return_tensors="pt")
        window = getattr(self.model.config, "max_position_embeddings", 0)
        longest = batch["input_ids"].shape[1]
        if window and longest + settings.max_new_tokens > window:
            raise InputError(
                f"the prompt has {longest} tokens and the model reads {window} including its answer; "
                "use fewer or shorter passages"
            )
        return batch.to(self.model.device)

    def count_tokens(self, text: str) -> int:
        """Tokens of a text in this model's vocabulary, without special tokens."""
        with self.lock:
            return len(self.loaded.tokenizer.encode(text, add_special_tokens=False))


class _Decoder:
    """Tokens of one row in, whole characters out: bytes of an unfinished character wait for the rest."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        self.ids: list[int] = []
        self.start = 0  # first token still needed to decode the next ones with their spacing
        self.shown = 0  # tokens whose text has been given out

    def add(self, token: int, row: int, end: bool, limit: int, late: bool) -> Delta:
        count = len(self.ids) + 1
        if not end:
            self.ids.append(token)
        done = "stop" if end else "length" if count >= limit else "time" if late else ""
        return Delta(row, self._text(final=bool(done)), count, done)

    def _text(self, final: bool) -> str:
        before = self.tokenizer.decode(self.ids[self.start : self.shown], skip_special_tokens=True)
        after = self.tokenizer.decode(self.ids[self.start :], skip_special_tokens=True)
        if after.endswith("\ufffd"):
            if not final:
                return ""
            after = after.rstrip("\ufffd")
        self.start, self.shown = self.shown, len(self.ids)
        return str(after[len(before) :])


def _list(value: int | list[int] | None) -> list[int]:
    return [] if value is None else value if isinstance(value, list) else [value]


def _chooser(settings: Generation, rows: Sequence[int], device: Any) -> Callable[[Any, list[int]], Any]:
    """Greedy at temperature 0, else nucleus sampling, with one seeded generator per row."""
    import torch

    if settings.temperature <= 0:
        return lambda logits, active: logits.argmax(-1)
    generators = [torch.Generator(device=device).manual_seed(settings.seed + row) for row in rows]

    def sample(logits: Any, active: list[int]) -> Any:
        probabilities, order = (logits / settings.temperature).softmax(-1).sort(descending=True)
        # a token stays while the probability before it is below top_p, so at least one stays
        probabilities[probabilities.cumsum(-1) - probabilities >= settings.top_p] = 0
        picks = [
            torch.multinomial(probabilities[place : place + 1], 1, generator=generators[index])[0]
            for place, index in enumerate(active)
        ]
        return order.gather(-1, torch.stack(picks))[:, 0]

    return sample


class ScriptedLLM:
    """A language model that follows a script: for tests, planted faults, and measuring everything but a model."""

    def __init__(self, script: Callable[[Prompt], str]) -> None:
        self.script = script

    def stream(self, prompts: Sequence[Prompt], settings: Generation) -> Iterator[list[Delta]]:
        words = [self.script(prompt).split(" ") for prompt in prompts]
        for step in range(max(map(len, words), default=0)):
            yield [
                Delta(row, (" " if step else "") + said[step], step + 1, "stop" if step + 1 == len(said) else "")
                for row, said in enumerate(words)
                if step < len(said)
            ]


def complete(
    llm: LanguageModel, prompts: Sequence[Prompt], settings: Generation
) -> list[tuple[str, int, float, float]]:
    """All answers of a batch: (text, tokens, seconds to first token, seconds in all), one per prompt in order."""
    start = time.perf_counter()
    texts, tokens = [""] * len(prompts), [0] * len(prompts)
    first, total = [0.0] * len(prompts), [0.0] * len(prompts)
    for deltas in llm.stream(prompts, settings):
        now = time.perf_counter() - start
        for delta in deltas:
            texts[delta.row] += delta.text
            tokens[delta.row] = delta.tokens
            first[delta.row] = first[delta.row] or now
            total[delta.row] = now
    return [(texts[row].strip(), tokens[row], first[row], total[row]) for row in range(len(prompts))]
