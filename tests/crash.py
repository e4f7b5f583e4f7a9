"""Trainings that are killed with SIGKILL at random moments and started again, and what is left of them."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OUTPUT = ROOT / "tests" / "output"
SAVE_STEPS = 4
# One process imports the libraries, which take longer than a tiny training, and every training is a fork of it.
NURSERY = f"""
import json, os, sys, traceback
from dataclasses import replace
from pathlib import Path
import datasets, peft, safetensors.torch, torch
from accelerate import Accelerator
from transformers import Trainer, TrainerCallback, TrainingArguments
from tiny import rows, tiny
from ftrag import models
from ftrag.training import lora
from ftrag.training.settings import TrainSettings

def train(out, real, pairs):
    loaded = models.load(dtype="float32") if real else tiny()
    settings = TrainSettings(
        forgetting=False, rank=4, learning_rate=0.001 if real else 0.01, epochs=3 if real else 12,
        save_steps={SAVE_STEPS}, patience=100, eval_share=0.2, batch_rows=2 if real else 8,
    )
    examples = rows(12 if real else 40)
    if pairs:
        settings = replace(settings, epochs=8)
        examples = [replace(row, rejected=f"no idea {{n}}") for n, row in enumerate(examples)]
    def say(row):
        if row["phase"] == "estimate":
            print(f"start {{round(row['fraction'] * row['steps'])}}", flush=True)
        elif row["phase"] == "train":
            print(f"step {{row['step']}}", flush=True)
    print("done " + json.dumps(lora.train(loaded, examples, Path(out), settings, say)), flush=True)

for line in sys.stdin:
    out, log, real, pairs = json.loads(line)
    if pairs:
        import trl.trainer.dpo_trainer
    pid = os.fork()
    if not pid:
        file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, 1)
        os.dup2(file, 2)
        code = 1
        try:
            train(out, real, pairs)
            code = 0
        except BaseException:
            traceback.print_exc()
        sys.stdout.flush()
        os._exit(code)
    print(pid, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""


def report(line: str) -> None:
    """A line of the log that is kept beside the tests' other output."""
    OUTPUT.mkdir(parents=True, exist_ok=True)
    with (OUTPUT / "crash-safety.txt").open("a") as file:
        file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {line}\n")
    print(line, flush=True)


class Nursery:
    """Starts one training at a time, each a process of its own."""

    def __init__(self, real: bool = False) -> None:
        self.real, self.pairs = real, False
        environment = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}
        environment |= {} if real else {"OMP_NUM_THREADS": "1"}
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            [sys.executable, "-c", NURSERY], stdin=pipe, stdout=pipe, text=True, env=environment
        )

    def __enter__(self) -> "Nursery":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.stdin.close()
        self.process.wait(timeout=60)

    def run(self, out: Path, log: Path, patience: tuple[int, float] | None) -> int:
        """One training's exit code; with patience (words, seconds) it is killed so long after it said so much."""
        log.unlink(missing_ok=True)
        self.process.stdin.write(json.dumps([str(out), str(log), self.real, self.pairs]) + "\n")
        self.process.stdin.flush()
        pid = int(self.process.stdout.readline())
        if patience is not None:
            wait_for_words(pid, log, patience[0])
            time.sleep(patience[1])
            with contextlib.suppress(ProcessLookupError):  # it ended just now
                os.kill(pid, signal.SIGKILL)
        return int(self.process.stdout.readline())


def wait_for_words(pid: int, log: Path, count: int) -> None:
    deadline = time.monotonic() + 300
    while len(steps(log)) < count and Path(f"/proc/{pid}/status").exists() and "zombie" not in state(pid):
        assert time.monotonic() < deadline, "the training never began"
        time.sleep(0.005)


def state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return ""


def steps(log: Path) -> list[tuple[str, str]]:
    """What a training has said: (start | step | done, the rest of the line)."""
    lines = log.read_text().splitlines() if log.exists() else []
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1]) for line in lines if line.split(" ")[0] in WORDS]


WORDS = {"start", "step", "done"}


def until_done(nursery: Nursery, folder: Path, rng: random.Random, most: int) -> tuple[int, int]:
    """(kills, most steps lost by one kill) of one training that is killed up to `most` times and then left alone."""
    folder.mkdir(parents=True)
    reached, kills, most_lost = 0, 0, 0
    for attempt in range(most + 50):
        log = folder / f"{attempt}.log"
        # after any step, and then at once, within its work, or while the next checkpoint is written
        patience = (rng.randint(1, 12), rng.choice([0.0, rng.uniform(0, 0.05 if not nursery.real else 2.0)]))
        code = nursery.run(folder / "out", log, patience if kills < most else None)
        said = steps(log)
        kills += code == -signal.SIGKILL
        started = [int(number) for word, number in said if word == "start"]
        if started:
            most_lost = max(most_lost, reached - started[0])
        reached = max([reached, *(int(number) for word, number in said if word == "step")])
        if said and said[-1][0] == "done":
            return kills, most_lost
        assert code == -signal.SIGKILL, log.read_text()
    raise AssertionError("the training never ended")


def weights(out: Path) -> dict:
    from safetensors.numpy import load_file

    found = list(out.glob("[!.]*/adapter_model.safetensors"))
    assert len(found) == 1
    return load_file(found[0])


def suite(
    folder: Path, kills: int, real: bool = False, seed: int = 0, pairs: bool = False, nursery: Nursery | None = None
) -> dict:
    """Kill until `kills` are reached; every training must end as the uninterrupted one. Reports the counts.

    nursery: one that goes on afterwards.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(seed)
    done, rounds, most_lost, largest = 0, 0, 0, 0.0
    with contextlib.nullcontext(nursery) if nursery else Nursery(real) as nursery:
        nursery.pairs = pairs
        assert nursery.run(folder / "whole", folder / "whole.log", None) == 0, (folder / "whole.log").read_text()
        expected = weights(folder / "whole")
        while done < kills:
            rounds += 1
            killed, lost = until_done(nursery, folder / f"round{rounds}", rng, min(12, kills - done))
            done, most_lost = done + killed, max(most_lost, lost)
            found = weights(folder / f"round{rounds}" / "out")
            assert found.keys() == expected.keys()
            largest = max([largest, *(float(abs(found[name] - expected[name]).max()) for name in expected)])
    assert largest <= 1e-6 and most_lost <= SAVE_STEPS
    kind = ("the built-in model" if real else "a tiny model") + (", preference pairs" if pairs else "")
    report(
        f"kill -9 on {kind}: {done} kills in {rounds} trainings, 0 corrupt resumes, weights differ by at most "
        f"{largest:.1e}, at most {most_lost} steps lost (save interval {SAVE_STEPS})"
    )
    return {"kills": done, "trainings": rounds, "most_lost": most_lost, "difference": largest}
