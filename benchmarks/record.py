"""Record an example for its first visitors: a real training, a real evaluation of every arm, both kept as they are.

    python benchmarks/record.py support handbook tickets
    python benchmarks/record.py --answer-again support handbook tickets
    python benchmarks/record.py --rebuild support handbook tickets

Writes examples/NAME/recorded/: run.json, answers.jsonl, alone.jsonl and, as a small safetensors file, the adapter that
the run measured. The adapter is stored in bfloat16 before it is evaluated, so that what ships is what was measured.
With --answer-again the recorded adapter is evaluated once more; with --rebuild the recorded answers stay too, are
scored by today's scorer, and run.json is concluded from them again, which asks no model.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
EXAMPLES = ROOT / "examples"
ANSWERS = ("answers.jsonl", "alone.jsonl")
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
    """Store an adapter's weights in bfloat16, and say so in its manifest."""
    import hashlib

    import torch
    from safetensors.torch import load_file, save_file

    file = adapter / "adapter_model.safetensors"
    tensors = {name: tensor.to(torch.bfloat16) for name, tensor in load_file(file).items()}
    save_file(tensors, file, metadata={"format": "pt"})
    hashes = json.loads((adapter / "manifest.json").read_text())
    hashes[file.name] = hashlib.sha256(file.read_bytes()).hexdigest()
    (adapter / "manifest.json").write_text(json.dumps(hashes, indent=1))


def record(name: str, home: Path) -> dict[str, Any]:
    """Train and evaluate a fresh copy of the example; what came out, for the table."""
    ftrag(home, "new", name, "--example", name)
    trained = ftrag(home, "train", name, "--rank", str(RANK))
    halve(home / "projects" / name / "adapters" / trained["adapter"])
    times = {"train_s": trained["seconds"], "estimate_s": trained["estimate_seconds"]}
    return times | evaluated(name, home, trained["adapter"])


def answer_again(name: str, home: Path) -> dict[str, Any]:
    """Evaluate the recorded adapter of an example once more."""
    (adapter,) = (EXAMPLES / name / "recorded" / "adapters").iterdir()
    ftrag(home, "new", name, "--example", name)
    shutil.copytree(adapter, home / "projects" / name / "adapters" / adapter.name)
    return evaluated(name, home, adapter.name)


def evaluated(name: str, home: Path, adapter: str) -> dict[str, Any]:
    """Every arm of a project with this adapter, kept as the example's recorded run."""
    began = time.monotonic()
    result = ftrag(home, "evaluate", name)
    seconds = round(time.monotonic() - began)
    project, target = home / "projects" / name, EXAMPLES / name / "recorded"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    for file in ("run.json", *ANSWERS):
        shutil.copyfile(project / "runs" / result["run"] / file, target / file)
    shutil.copytree(project / "adapters" / adapter, target / "adapters" / adapter)
    shares = {
        arm: [numbers[axis] for axis in ("content", "behaviour", "both")] for arm, numbers in result["arms"].items()
    }
    return {"example": name, "route": result["route"], "evaluate_s": seconds, "arms": shares}


def rebuild(name: str, home: Path) -> dict[str, Any]:
    """Score and conclude the recorded answers of an example again; when and where they were given is kept."""
    from ftrag import conclusions, records, workflows
    from ftrag import project as projects
    from ftrag.evaluation import alone

    workflows.new(home, name, name)
    project, source = home / "projects" / name, EXAMPLES / name / "recorded"
    old = projects.read_json(source / "run.json")
    if old["adapter"]:
        shutil.copytree(source / "adapters" / old["adapter"], project / "adapters" / old["adapter"])
    plan = {key: old[key] for key in ("arms", "adapter", "limit", "k", "hashes")}
    if old["adapter"]:
        folder = project / "adapters" / old["adapter"]
        plan["hashes"] = old["hashes"] | {"adapter": records.adapter_fingerprint(folder)}
    facts = {key: old[key] for key in ("created", "machine", "software")}
    gold = workflows.gold_rows(project)[: old["limit"]]
    projects.write_jsonl(source / "answers.jsonl", scored(project, plan, gold, source / "answers.jsonl"))
    rows = alone.joined(source, list(projects.read_jsonl(source / "answers.jsonl")))
    run = conclusions.conclude(project, old["run"], plan, gold, rows, facts)
    projects.write_json(source / "run.json", run)
    for file in ("run.json", "answers.jsonl"):
        (source / file).chmod(0o644)
    return {"example": name, "route": run["decision"]["route"], "gates": run["gates"]["state"]}


def scored(project: Path, plan: dict[str, Any], gold: list[Any], file: Path) -> list[dict[str, Any]]:
    """The answers of a file with today's verdicts and scores. SystemExit if their passages are found no more."""
    from ftrag import experiments
    from ftrag import project as projects
    from ftrag.evaluation.asking import Said

    asked = {(one.gold.id, one.arm): one for one in experiments.planned(project, plan, gold)}
    score, rows = experiments.scorer(project), []
    for row in projects.read_jsonl(file):
        one = asked[row["id"], row["arm"]]
        read = [(chunk.document, chunk.start, chunk.end) for chunk in one.passages]
        if read != [(source["document"], source["start"], source["end"]) for source in row["sources"]]:
            raise SystemExit(f"{file}: {row['id']} under {row['arm']} would read other passages now; answer it again")
        said = Said(row["answer"], row["tokens"], row["first_token_s"], row["seconds"], row["done"])
        rows.append(row | score(one, said))
    return rows


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("examples", nargs="+")
    options.add_argument("--answer-again", action="store_true", help="evaluate the recorded adapter once more")
    options.add_argument("--rebuild", action="store_true", help="score and conclude the recorded answers again")
    given = options.parse_args()
    work = rebuild if given.rebuild else answer_again if given.answer_again else record
    with tempfile.TemporaryDirectory() as scratch:
        for name in given.examples:
            print(json.dumps(work(name, Path(scratch))), flush=True)


if __name__ == "__main__":
    main()
