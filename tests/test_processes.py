"""Two processes under `accelerate launch`, over gloo on processors: the same training as one."""

import json
import os
import subprocess
import sys

import pytest
from tiny import rows, tiny

from ftrag.training import lora
from ftrag.training.settings import TrainSettings
from tests.conftest import ROOT

SETTINGS = TrainSettings(forgetting=False, rank=4, learning_rate=0.01, epochs=2, save_steps=4)
TRAIN = """
import json, sys
from pathlib import Path
import torch.distributed
from tests.test_processes import SETTINGS
from tiny import rows, tiny
from ftrag.training import lora
value = lora.train(tiny(), rows(), Path(sys.argv[1]), SETTINGS)
together = torch.distributed.is_initialized() and torch.distributed.get_world_size()
backend = together and torch.distributed.get_backend()
print("RESULT " + json.dumps({"together": together, "backend": backend} | value))
"""
LAUNCH = ["-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--num_machines", "1"]
QUIET = ["--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", "0"]


def launched(tmp_path, out):
    script = tmp_path / "training.py"
    script.write_text(TRAIN)
    environment = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, *LAUNCH, *QUIET, str(script), str(out)]
    done = subprocess.run(
        command, env=environment | {"ACCELERATE_USE_CPU": "true"}, capture_output=True, text=True, timeout=180
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line.removeprefix("RESULT ")) for line in done.stdout.splitlines() if line[:7] == "RESULT "]


@pytest.mark.slow
def test_two_processes_train_what_one_does(tmp_path):
    from safetensors.numpy import load_file

    alone = lora.train(tiny(), rows(), tmp_path / "one", SETTINGS)
    both = launched(tmp_path, tmp_path / "two")
    folders = [path.parent for name in ("one", "two") for path in (tmp_path / name).glob("[!.]*/card.json")]
    assert len(folders) == 2  # a single adapter each: the first of two processes writes it
    assert [(row["together"], row["backend"]) for row in both] == [(2, "gloo")] * 2
    assert both[0]["losses"] == pytest.approx(alone["losses"], abs=1e-4)
    assert [row["losses"] for row in both] == [both[0]["losses"]] * 2
    weights = [load_file(folder / "adapter_model.safetensors") for folder in folders]
    difference = max(float(abs(weights[0][name] - weights[1][name]).max()) for name in weights[0])
    print(f"two processes over gloo: weights differ by at most {difference:.1e}")
    assert difference < 1e-4
