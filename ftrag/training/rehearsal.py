"""General rows mixed into a training, so that a LoRA learns a voice without unlearning the rest (Robins 1995).

64 plain questions, instructions and refusals of the project's own, none of them a question of the gates that follow.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

from ftrag.types import Example

FILE = Path(__file__).parent / "data" / "rehearsal.jsonl"
MOST = 64  # rows in the file


def rows(count: int, seed: int = 0) -> list[Example]:
    """`count` of them, [0, 64], in a seeded order."""
    lines = FILE.read_text(encoding="utf-8").splitlines()
    found = [Example(**json.loads(line), slice="general") for line in lines]
    return random.Random(seed).sample(found, count)
