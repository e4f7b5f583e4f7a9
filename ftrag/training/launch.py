"""The same training on more machines: command lines for the current settings."""

from __future__ import annotations

import shlex
from collections.abc import Sequence


def lines(project: str, arguments: Sequence[str]) -> list[tuple[str, str]]:
    """(what it is for, command). arguments: the flags of `train` after the project."""
    train = f"-m ftrag {shlex.join(['train', project, *arguments])}"
    hub = shlex.join(["train", "./data", *arguments])
    return [
        (
            "Two processes on processors alone",
            f"ACCELERATE_USE_CPU=true accelerate launch --multi_gpu --num_processes 2 {train}",
        ),
        ("Four GPUs in one machine", f"accelerate launch --multi_gpu --num_processes 4 {train}"),
        (
            "Two machines with four GPUs each: run it on both, with --machine_rank 1 on the second",
            "accelerate launch --multi_gpu --num_machines 2 --machine_rank 0 --main_process_ip FIRST_MACHINE "
            f"--main_process_port 29500 --num_processes 8 {train}",
        ),
        (
            "A job on the Hub, with the project folder as a private data set",
            f"hf upload YOU/{project} PATH_OF_THE_PROJECT --repo-type dataset --private\n"
            'hf jobs run --flavor a10g-small --secrets HF_TOKEN python:3.12 bash -c "git clone URL_OF_THIS_APP app && '
            "cd app && pip install -r requirements.txt && "
            f"hf download YOU/{project} --repo-type dataset --local-dir data && python -m ftrag {hub} && "
            f'hf upload YOU/{project} data/adapters adapters --repo-type dataset"',
        ),
    ]
