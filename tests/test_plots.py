"""Behind every plot of our own stands a link that holds its numbers as CSV."""

import base64
import csv
import io
import re

from ftrag import project as projects
from ftrag import workflows
from ftrag.ui import decide_view, knowledge_view, train


def held(html, name):
    """The rows behind the link NAME.csv in a piece of HTML."""
    pattern = rf'download="{name}\.csv" href="data:text/csv;charset=utf-8;base64,([^"]+)"'
    (found,) = re.findall(pattern, html)
    return list(csv.DictReader(io.StringIO(base64.b64decode(found).decode("utf-8-sig"))))


def test_the_points_of_the_routes():
    """Prompting starts with 3 points, and nothing is answered."""
    rows = held(decide_view.view({}, {})["numbers"], "points")
    assert {row["Route"]: float(row["Points"]) for row in rows} == {"prompt": 3, "rag": 0, "fine-tune": 0}


def test_the_lengths_of_the_training_rows(home):
    workflows.new(home, "demo", "support")
    project = projects.find("demo", home)
    shown = next(part for part in train._shown(project) if isinstance(part, str) and "lengths.csv" in part)
    assert sum(int(row["rows"]) for row in held(shown, "lengths")) == len(workflows.training_rows(project))


def test_the_retrievers():
    row = {"k": 1, "retriever": "bm25", "best": True, "hit_rate": 0.5, "low": 0.2, "high": 0.8, "mrr": 0.5, "ndcg": 0.5}
    html = knowledge_view.quality([row | {"difference": 0.0, "p": None, "n": 6, "skipped": 0}])
    assert [(one["retriever"], one["hit_rate"]) for one in held(html, "retrievers")] == [("bm25", "0.5")]
