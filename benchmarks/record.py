"""Record an example for its first visitors: a real training, a real evaluation of every arm, both kept as they are.

    python benchmarks/record.py support handbook tickets

Writes examples/NAME/recorded/run.json and, as a small safetensors file, the adapter that the run measured. The
adapter is stored in bfloat16 before it is evaluated, so that what ships is what was measured.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).parent.parent / "examples"
RANK = 8  # half of the default: half the bytes to ship


def ftrag(home: Path, *arguments: str) -> Any:
    """A command's JSON value; its progress goes to this standard error."""
    command = [sys.executable, "-m", "ftrag", *arguments, "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, env=_environment(home))
    return json.loads(done.stdout)


def _environment(home: Path) -> dict[str, str]:
    import os

    return dict(os.environ) | {"FTRAG_HOME": str(home)}


def halve(adapter: Path) -> None:
    """Store an adapter's weights in bfloat16."""
    import torch
    from safetensors.torch import load_file, save_file

    file = adapter / "adapter_model.safetensors"
    tensors = {name: tensor.to(torch.bfloat16) for name, tensor in load_file(file).items()}
    save_file(tensors, file, metadata={"format": "pt"})


def record(name: str, home: Path) -> dict[str, Any]:
    """Train and evaluate a fresh copy of the example; what came out, for the table."""
    project = home / "projects" / name
    ftrag(home, "new", name, "--example", name)
    trained = ftrag(home, "train", name, "--rank", str(RANK))
    adapter = project / "adapters" / trained["adapter"]
    halve(adapter)
    result = ftrag(home, "evaluate", name)
    target = EXAMPLES / name / "recorded"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    shutil.copy2(project / "runs" / result["run"] / "run.json", target)
    shutil.copy2(project / "runs" / result["run"] / "answers.jsonl", target)
    shutil.copytree(adapter, target / "adapters" / trained["adapter"])
    shares = {
        arm: [numbers[axis] for axis in ("content", "behaviour", "both")] for arm, numbers in result["arms"].items()
    }
    return {
        "example": name,
        "route": result["route"],
        "train_s": trained["seconds"],
        "estimate_s": trained["estimate_seconds"],
        "arms": shares,
    }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("examples", nargs="+")
    with tempfile.TemporaryDirectory() as scratch:
        for name in options.parse_args().examples:
            print(json.dumps(record(name, Path(scratch))))


if __name__ == "__main__":
    main()
