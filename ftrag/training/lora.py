"""Train a LoRA: measured before it starts, watched while it runs, safe to kill, resumed by the same call."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ftrag import models
from ftrag.errors import TrainingError
from ftrag.models import Loaded
from ftrag.training import adapters, engine, estimate, forgetting, loop, preference, processes, rehearsal
from ftrag.training.encode import Pair, Row, encode, encode_pair, plan
from ftrag.training.forecast import forecast
from ftrag.training.known import Known
from ftrag.training.settings import TrainSettings, check
from ftrag.training.split import split
from ftrag.training.watch import Watch
from ftrag.types import Example

Progress = Callable[[dict[str, Any]], None]  # keys: fraction in [0, 1], message, and the numbers of watch.Watch.step
NO_EFFECT = 1e-3  # mean change of a learned token's log-probability, in nats, under which the LoRA did nothing


def train(
    loaded: Loaded,
    examples: Sequence[Example],
    out: Path,
    settings: TrainSettings | None = None,
    on_progress: Progress = lambda numbers: None,
    should_stop: Callable[[], bool] = lambda: False,
    reading: Sequence[Mapping[str, Any]] = (),
    answers: Path | None = None,
    afterwards: float = 0.0,
) -> dict[str, Any]:
    """Train on the examples, plain rows or preference pairs, and commit the adapter as out/ID in the folder `out`.

    Gives {adapter, train_loss, eval_loss, seconds, tokens_per_second, warnings, …}; losses are nats per learned token,
    tokens_per_second counts real tokens, not padding. A training with the same data, settings and weights that was
    killed or stopped goes on from its newest whole checkpoint. When stopped, `adapter` is None and `stopped` true.
    reading: questions of forgetting.reading_rows, asked at the end with and without the adapter.
    answers: a folder where base's answers to such questions are kept for the next training.
    afterwards: seconds that the caller needs when this has ended, for the estimate.
    The loaded model is given back as it was. Raises InputError for settings, TrainingError when it cannot go on.
    """
    began = time.monotonic()
    settings = settings or TrainSettings()
    check(settings)
    data = _data(loaded, examples, settings)
    identity = _identity(loaded, examples, settings)
    work = out / f".unfinished-{identity[:16]}"
    work.mkdir(parents=True, exist_ok=True)
    with _memory_said(), engine.lora(loaded, settings) as model:
        run = _run(loaded, model, settings, data, work / "checkpoints", on_progress, should_stop, reading, answers)
        more = _fitted(run, preference.is_pairs(examples), afterwards, began)
        if more is None or not processes.is_first():
            return _result(run, None, began)
        card = _card(run, identity, data_hash(examples), began) | more
        id_ = adapters.save(adapters.contents(model, card, engine.state(model)), out, work)
    shutil.rmtree(work, ignore_errors=True)
    return _result(run, id_, began) | more


def _fitted(run: engine.Run, pairs: bool, afterwards: float, began: float) -> dict[str, Any] | None:
    """Say how long it takes, train and measure what it has cost: more for the card; None where it was stopped."""
    resume = run.resume()
    _announce(run, afterwards, began)
    more: dict[str, Any] = {}
    if pairs:
        more = preference.optimise(run, resume)
    else:
        loop.fit(run, resume)
    if run.watch.stopped:
        return None
    engine.restore_best(run)
    if not processes.is_first():
        return more
    if run.change() < NO_EFFECT:
        run.watch.warn("the LoRA had no effect: answers with and without it are the same; raise the learning rate")
    try:
        return more | _forgotten(run)
    except _Stopped:
        run.watch.stopped = True
        return None


class _Stopped(Exception):
    """The user asked to stop while questions were asked; the last checkpoint is whole, so the same call goes on."""


def _forgotten(run: engine.Run) -> dict[str, Any]:
    """The measurement of forgetting, with a warning for each gate that failed; {} where the settings leave it out."""
    if not run.settings.forgetting:
        return {}
    began = time.perf_counter()

    def told(share: float) -> None:
        if run.should_stop():
            raise _Stopped
        left = (time.perf_counter() - began) * (1 - share) / share if share else 0.0
        run.watch.say(
            {
                "fraction": 1.0,
                "message": f"trained; asking general and safety questions, {share:.0%}",
                "phase": "forgetting",
                "seconds_left": round(left, 1),
                "memory_mib": round(estimate.memory_mib()),
            }
        )

    told(0.0)
    with engine.precision(run):
        found = forgetting.measure(run.model, run.loaded.tokenizer, reading=run.reading, known=run.known, told=told)
    for name, row in found.items():
        if row.get("state") == "failed":
            run.watch.warn(
                f"{name} questions suffer: {row['base']:.2f} right before, {row['adapter']:.2f} after; "
                "train fewer epochs, with a lower learning rate or more varied rows"
            )
    return {"forgetting": found}


@contextlib.contextmanager
def _memory_said() -> Iterator[None]:
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, MemoryError) or "memory" in str(error):
            raise TrainingError("memory ran out; lower the batch rows or the longest row and train again") from error
        raise


def _run(
    loaded: Loaded,
    model: Any,
    settings: TrainSettings,
    data: _Data,
    folder: Path,
    on_progress: Progress,
    should_stop: Callable[[], bool],
    reading: Sequence[Mapping[str, Any]],
    answers: Path | None,
) -> engine.Run:
    watch = Watch(settings, data.rows, data.steps, on_progress)
    watch.warnings += data.warnings
    known = Known(answers, loaded)
    return engine.Run(loaded, model, settings, data.batches, data.held_out, folder, watch, should_stop, reading, known)


class _Data:
    """Token rows in the order of training. Rows that are too long are left out and said."""

    def __init__(self, train: list[Row | Pair], held_out: list[Row | Pair], settings: TrainSettings) -> None:
        several = processes.count()  # each takes as many micro-batches of a step as the others
        micro = several * -(-min(settings.micro_batches, settings.batch_rows, len(train)) // several)
        order = plan([len(row) for row in train], settings.batch_rows, micro, settings.epochs, settings.seed)
        self.rows = len(train)
        self.batches = [[train[index] for index in batch] for batch in order]
        self.steps = len(order) // micro
        by_length = sorted(held_out, key=len)
        size = max(1, settings.batch_rows // settings.micro_batches)
        self.held_out = [by_length[start : start + size] for start in range(0, len(by_length), size)]
        self.warnings: list[str] = []


def _data(loaded: Loaded, examples: Sequence[Example], settings: TrainSettings) -> _Data:
    train, held_out = split(examples, settings.seed, settings.eval_share)
    pairs = preference.is_pairs(examples)
    coded: Callable[[Any, Example], Row | Pair] = encode_pair if pairs else encode
    if not pairs:
        train = train + rehearsal.rows(settings.rehearsal, settings.seed)
    window = min(settings.max_tokens, getattr(loaded.model.config, "max_position_embeddings", settings.max_tokens))
    rows = [
        [row for example in part if len(row := coded(loaded.tokenizer, example)) <= window]
        for part in (train, held_out)
    ]
    if not rows[0]:
        raise TrainingError(f"no training row fits into {window} tokens; add rows or raise max_tokens")
    data = _Data(rows[0], rows[1], settings)
    if left_out := len(train) + len(held_out) - len(rows[0]) - len(rows[1]):
        data.warnings.append(f"{left_out} rows were left out: longer than {window} tokens")
    if not rows[1]:
        data.warnings.append("no rows are held out, so over-fitting cannot be seen; add rows or raise eval_share")
    return data


def _identity(loaded: Loaded, examples: Sequence[Example], settings: TrainSettings) -> str:
    """What must be the same for a checkpoint to be continued."""
    general = data_hash(rehearsal.rows(settings.rehearsal, settings.seed))
    parts = [asdict(settings), loaded.fingerprint, loaded.dtype, data_hash(examples), general]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def data_hash(examples: Sequence[Example]) -> str:
    """SHA-256 over the training rows in order."""
    rows = json.dumps([asdict(example) for example in examples], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(rows.encode()).hexdigest()


def _announce(run: engine.Run, afterwards: float, began: float) -> dict[str, Any]:
    """Measure a few steps and say what the training will take, from `began` on, which is before this measuring."""
    watch = run.watch
    left = forecast(run, afterwards)
    watch.estimate_seconds = time.monotonic() - began + left
    said = {
        "fraction": len(watch.losses) / watch.steps,
        "message": f"about {watch.estimate_seconds:.0f} s for {watch.steps} steps on {watch.rows} rows",
        "phase": "estimate",
        "estimate_seconds": round(watch.estimate_seconds, 1),
        "memory_mib": round(estimate.memory_mib()),
        "trainable_parameters": run.trainable,
        "steps": watch.steps,
    }
    watch.say(said)
    return said


def plan_training(
    loaded: Loaded,
    examples: Sequence[Example],
    settings: TrainSettings | None = None,
    reading: Sequence[Mapping[str, Any]] = (),
    answers: Path | None = None,
    afterwards: float = 0.0,
) -> dict[str, Any]:
    """What `train` would say before its start: seconds, memory, steps and trainable parameters; nothing is trained."""
    settings = settings or TrainSettings()
    check(settings)
    began = time.monotonic()
    data = _data(loaded, examples, settings)
    with _memory_said(), engine.lora(loaded, settings) as model:
        run = _run(loaded, model, settings, data, Path(), lambda numbers: None, lambda: False, reading, answers)
        held_out = sum(map(len, data.held_out))
        return _announce(run, afterwards, began) | {"rows": data.rows, "held_out": held_out, "warnings": data.warnings}


def _result(run: engine.Run, adapter: str | None, began: float) -> dict[str, Any]:
    watch = run.watch
    return {
        "adapter": adapter,
        "stopped": watch.stopped,
        **watch.summary(),
        "seconds": round(time.monotonic() - began, 2),
        "trainable_parameters": run.trainable,
        "held_out": sum(map(len, run.held_out)),
        "dtype": run.loaded.dtype,
    }


def _card(run: engine.Run, identity: str, sha256: str, began: float) -> dict[str, Any]:
    source = models.MODELS.get(run.loaded.name)
    name = run.loaded.name if source else Path(run.loaded.name).name
    return _result(run, None, began) | {
        "adapter": "lora",
        "identity": identity,
        "created": time.time(),
        "base": {
            "name": name,
            "repo": source.repo if source else name,
            "fingerprint": run.loaded.fingerprint,
            "dtype": run.loaded.dtype,
        },
        "data": {"rows": run.watch.rows, "sha256": sha256},
        "settings": asdict(run.settings) | {"alpha": run.settings.lora_alpha},
        "software": adapters.software(),
    }
