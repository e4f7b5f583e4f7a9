"""Behind every plot of our own stands a link that holds its numbers as CSV."""

import base64
import csv
import io
import re
from itertools import combinations

from ftrag import project as projects
from ftrag import report_marks, workflows
from ftrag.evaluation.attribution import CAUSES
from ftrag.ui import decide_view, knowledge_view, train_data


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
    shown = next(part for part in train_data._shown(project) if isinstance(part, str) and "lengths.csv" in part)
    assert sum(int(row["rows"]) for row in held(shown, "lengths")) == len(workflows.training_rows(project))


def test_the_retrievers():
    row = {"k": 1, "retriever": "bm25", "best": True, "hit_rate": 0.5, "low": 0.2, "high": 0.8, "mrr": 0.5, "ndcg": 0.5}
    html = knowledge_view.quality([row | {"difference": 0.0, "p": None, "n": 6, "skipped": 0}])
    assert [(one["retriever"], one["hit_rate"]) for one in held(html, "retrievers")] == [("bm25", "0.5")]


def seen(colour, lost):
    """A colour as eyes without one kind of cone see it (Machado et al. 2009, full severity), in CIE Lab."""
    machado = {
        "": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
        "red": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
        "green": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
        "blue": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
    }[lost]
    rgb = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb]
    linear = [min(1.0, max(0.0, sum(w * c for w, c in zip(row, linear, strict=True)))) for row in machado]
    xyz = [
        sum(w * c for w, c in zip(row, linear, strict=True)) / white
        for row, white in (
            ((0.4124, 0.3576, 0.1805), 0.9505),
            ((0.2126, 0.7152, 0.0722), 1.0),
            ((0.0193, 0.1192, 0.9505), 1.089),
        )
    ]
    x, y, z = (v ** (1 / 3) if v > 0.008856 else 7.787 * v + 16 / 116 for v in xyz)
    return (116 * y - 16, 500 * (x - y), 200 * (y - z)), xyz[1]


def test_no_two_causes_look_alike_whatever_the_eyes_and_the_ground():
    """Causes of one shape differ by 20 in Lab (a difference of about 2 is just seen); all stand off the ground by 3."""
    assert set(report_marks.MARKS) == set(CAUSES) and len(set(report_marks.MARKS.values())) == len(CAUSES)
    for dark, ground in ((0, "#ffffff"), (1, "#0f172a")):
        for one, other in combinations(range(len(report_marks.COLOURS)), 2):
            for lost in ("", "red", "green", "blue"):
                pair = [seen(report_marks.COLOURS[place][dark], lost)[0] for place in (one, other)]
                assert sum((a - b) ** 2 for a, b in zip(*pair, strict=True)) ** 0.5 > 20, (dark, one, other, lost)
        for colour in report_marks.COLOURS:
            light = sorted((seen(colour[dark], "")[1], seen(ground, "")[1]))
            assert (light[1] + 0.05) / (light[0] + 0.05) >= 3


def test_both_plots_draw_every_cause_in_its_own_mark():
    from ftrag import report_html
    from ftrag.ui import evaluate_rows

    point = {"id": 1, "x": 0.0, "y": 0.0}
    one = {"axis": "content", "grouped": False, "label": "fees", "size": 1, "points": [point], "ids": [1]}
    run = {"clusters": [one | {"cause": cause} for cause in CAUSES]}
    for html in (evaluate_rows.scatter(run), report_html.clusters_plot(run)):
        shapes = re.findall(r'<path class="out (c\d)" d="([^"]+)"[^>]*><title>', html)
        assert len(shapes) == len(set(shapes)) == len(CAUSES)
