"""The report: the same bytes every time, every number from the rows, and nothing in it that a row could smuggle in."""

import json
import random
import re
from html.parser import HTMLParser

import pytest

from ftrag import report, report_rows
from ftrag.decision import gates
from ftrag.errors import InputError
from ftrag.evaluation import clusters
from ftrag.evaluation.arms import ARMS, AXES
from ftrag.evaluation.diagnose import diagnose
from ftrag.types import Verdict

HOSTILE = "<script>alert('1')</script> | \"quoted\" & *bold* \n# head [link](javascript:x) `code`"
CHANCE = {"base": 0.1, "prompt": 0.2, "base+rag": 0.5, "base+oracle": 0.7, "lora": 0.2, "lora+rag": 0.8}


def stored_run(n=40, seed=0):
    """A run as it is stored, made from rows."""
    rng = random.Random(seed)
    verdicts = [
        Verdict(i, arm, rng.random() < chance, None if i == 3 else rng.random() < chance)
        for i in range(n)
        for arm, chance in CHANCE.items()
    ]
    found = diagnose(verdicts, prior="rag", usd_per_query={"base": 0.001, "base+rag": 0.002, "lora+rag": 0.004})
    rows = [
        {
            "id": i,
            "question": HOSTILE if i == 0 else f"How long is lease {i}?",
            "expected": [f"{i} days"],
            "slice": "fees" if i % 2 else "terms",
            "cause": {key: value for key, value in cause.items() if key in AXES},
            "answers": {
                one.arm: {"text": HOSTILE, "content": one.content, "behaviour": one.behaviour}
                for one in verdicts
                if one.id == i
            },
        }
        for i, cause in enumerate(found["rows"])
    ]
    failures = [row | {"cause": row["cause"]["content"]} for row in rows if row["cause"]["content"] != "solved"]
    measured = {("both", "lora+rag"): gates.Measurement(0.6, 0.45, 0.74, n)}
    rules = [gates.Gate("both", "held", "at least", 0.4, "useful"), gates.DEFAULTS[0]]
    return json.loads(
        json.dumps(
            found
            | {
                "run": "r1",
                "project": "demo",
                "title": "Leases & <fees>",
                "description": HOSTILE,
                "created": "2026-01-02T03:04:05Z",
                "machine": "2 threads",
                "model": "small",
                "arms": {arm: shares(rows, arm) for arm in CHANCE},
                "n": n,
                "clusters": clusters.cluster(failures),
                "gates": gates.evaluate(rules, measured, "lora+rag"),
                "hashes": {"data": "abc", "index": "def"},
                "software": {"python": "3.11"},
                "rows": rows,
            }
        )
    )


def shares(rows, arm):
    said = [row["answers"][arm] for row in rows]
    numbers = {"n": len(said), "latency_p50_s": 1.0, "latency_p95_s": 2.0}
    for axis in (*AXES, "both"):
        known = [[one[name] for name in (AXES if axis == "both" else (axis,))] for one in said]
        known = [all(values) for values in known if None not in values]
        numbers |= {axis: sum(known) / len(known), f"{axis}_n": len(known)}
    return numbers


@pytest.fixture(scope="module")
def run():
    return stored_run()


def cells(line):
    """The cells of a line of a Markdown table, without the escapes."""
    return [re.sub(r"\\(.)", r"\1", cell).strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def tables(markdown):
    """Section -> the rows of its first table as dicts, read back from the Markdown."""
    found = {}
    for part in markdown.split("\n## ")[1:]:
        name, *lines = part.splitlines()
        for block in "\n".join(lines).split("\n\n"):
            if block.strip().startswith("|") and name not in found:
                header, _, *rows = map(cells, block.strip().splitlines())
                found[name] = [dict(zip(header, row, strict=True)) for row in rows]
    return found


@pytest.mark.parametrize("form", report.FORMS)
def test_the_same_stored_run_gives_the_same_bytes(run, form, tmp_path):
    file = tmp_path / "run.json"
    file.write_text(json.dumps(run))
    again = report.render(json.loads(file.read_text()), form)
    assert report.render(run, form).encode() == again.encode()


def test_every_number_comes_from_the_rows(run):
    found = tables(report.render(run, "md"))
    rows = run["rows"]
    for line in found["Every arm"]:
        for axis in AXES:
            known = [row["answers"][line["arm"]][axis] for row in rows if row["answers"][line["arm"]][axis] is not None]
            assert line[axis].split(" ")[0] == f"{100 * sum(known) / len(known):.0f}"
    compared = [line for line in found["Paired differences"] if line["axis"] == "content"]
    assert len(compared) >= len(CHANCE) - 1
    for line in compared:
        b, a = line["difference"].split(" − ")
        pairs = [(row["answers"][a]["content"], row["answers"][b]["content"]) for row in rows]
        wins, losses = pairs.count((False, True)), pairs.count((True, False))
        assert (line["repaired"], line["broken"], line["same"]) == (str(wins), str(losses), str(40 - wins - losses))
        assert line["points"] == f"{100 * (wins - losses) / 40:+.1f}"
    for line in found["Causes"]:
        for axis in AXES:
            assert line[axis] == str(sum(row["cause"].get(axis) == line["cause"] for row in rows))
    for line, row in zip(found["Every question"], rows, strict=True):
        signs = {True: "+", False: "−", None: "."}
        for arm in CHANCE:
            assert line[arm] == "".join(signs[row["answers"][arm][axis]] for axis in AXES)
    assert sum(int(line["size"].split(" ")[0]) for line in found["Failures that are alike"]) == sum(
        row["cause"]["content"] != "solved" for row in rows
    )


def test_json_is_the_run_itself(run):
    assert json.loads(report.render(run, "json")) == run


class Reader(HTMLParser):
    """Tags, attributes and balance of a page."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.attributes, self.text = [], [], [], []

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def read_page(run):
    reader = Reader()
    reader.feed(report.render(run, "html"))
    reader.close()
    return reader


def test_the_page_is_well_formed_needs_nothing_else_and_runs_nothing(run):
    page = read_page(run)
    assert page.open == []
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    assert not [name for name, value in page.attributes if name.startswith("on") or "javascript:" in (value or "")]
    assert not [value for name, value in page.attributes if name in ("src", "href")]
    assert page.tags.count("svg") == 3
    assert HOSTILE in "".join(page.text)  # shown, not run
    html = report.render(run, "html")
    assert "prefers-color-scheme: dark" in html and "@media print" in html and "url(" not in html


def test_narrow_columns_break_long_words_and_nothing_else(run):
    html = report.render(run, "html")
    assert '<td class="short">−−</td>' in html  # two marks stay together
    assert '<th scope="col">lora+<wbr/>rag</th>' in html and '<th scope="col">behaviour cause</th>' in html
    assert "overflow-wrap: anywhere; font-size" not in html  # which sets words as columns of letters


def test_markdown_reads_nothing_in_a_row_as_markup(run):
    text = report.render(run, "md")
    assert "<script>" not in re.sub(r"\\.", "", text)
    assert not re.search(r"(?<!\\)\[link", text)
    assert len(tables(text)["Every question"]) == 40  # a hostile question breaks no line and no cell


def test_it_says_what_a_reader_needs(run):
    text = report.render(run, "md")
    for title in ("Verdict", "What would change it", "Every arm", "Causes", "Gates", "Costs", "Method and limits"):
        assert f"\n## {title}\n" in text
    assert run["decision"]["sentence"] in text
    assert "questionnaire expected" in text
    assert "counts as right here if its facts and its form are" in text  # what +54 points are points of
    assert "unmeasured" in text  # the gate that nobody measured
    assert "abc" in text and "2 threads" in text


@pytest.mark.parametrize("form", report.FORMS)
def test_a_run_that_holds_little_is_still_reported(form):
    assert report.render({}, form)
    verdicts = [Verdict(1, "base", False), Verdict(1, "lora", True)]
    assert report.render(diagnose(verdicts), form)
    assert report.render({"clusters": [], "gates": [], "rows": [{"id": 1, "question": "q"}], "n": 1}, form)


def test_every_word_that_needs_it_is_explained_and_no_other(run):
    words = {row["word"] for row in tables(report.render(run, "md"))["Words used here"]}
    assert {"arm", "oracle", "lora", "content", "points", "interval", "McNemar", "p", "Holm", "p95", "gate"} <= words
    bare = tables(report.render(diagnose([Verdict(1, "base", False), Verdict(1, "lora", True)]), "md"))
    assert "oracle" not in {row["word"] for row in bare["Words used here"]}


def test_an_unknown_form_is_refused(run):
    with pytest.raises(InputError, match="html, md, json"):
        report.render(run, "pdf")


def test_the_arms_of_the_plot_are_the_arms_of_the_run(run):
    page = "".join(read_page(run).text)
    assert all(arm in page for arm in CHANCE) and set(CHANCE) <= set(ARMS)


def test_what_is_looked_up_is_closed_and_last_and_an_example_shows_what_repairs_it(run):
    page = report.render(run, "html")
    body, appendix = page.split("<details>", 1)
    assert "Every question" in appendix and "Every question" not in body
    assert "Examples of each cause" in appendix and "Method and limits" in body and "Words used here" in body
    assert appendix.count("</details>") == 2
    rows = tables(report.render(run, "md"))["Examples of each cause"]
    by_arm = [row["arm"] for row in rows[: 3 * report_rows.SHOWN_ROWS]]
    assert by_arm[0] == "base" and set(by_arm) <= {"base", "prompt", "lora+rag"}  # the first cause is `prompt`


def test_a_long_answer_of_an_example_is_shortened_on_the_page_alone(run):
    long = json.loads(json.dumps(run))
    row = next(row for row in long["rows"] if row["cause"]["content"] == "prompt")
    row["answers"]["base"]["text"] = "word " * 300
    assert "word " * 60 not in report.render(long, "html") and "word word…" in report.render(long, "html")
    assert "word " * 300 in report.render(long, "json")
