"""The model judge against a real local HTTP server: verdicts, failures that are counted, and who may not judge."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from ftrag.errors import InputError
from ftrag.evaluation import judge
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
        "model": "big-judge", "n": 3, "failed": 3, "agreement": 1.0, "arms": {"base": 2 / 3},
    }  # fmt: skip
    assert "302" in found[5]["judge"]["why"] and "no verdict" in found[4]["judge"]["why"]
    assert seen[0][0] == "/v1/chat/completions" and seen[0][1] == "Bearer secret" and seen[0][2]["temperature"] == 0
    assert "secret" not in (tmp_path / "judged.jsonl").read_text()


def test_a_second_try_asks_only_what_failed(endpoint, tmp_path):
    url, seen = endpoint
    one = judge.checked(url, "big-judge", [])
    list(judge.judge_rows(tmp_path, GOLD, rows(), one))
    first = len(seen)
    assert first == 3 + 2 * judge.TRIES  # three verdicts, two failures tried twice; the empty answer is not sent
    list(judge.judge_rows(tmp_path, GOLD, rows(), one))
    assert len(seen) - first == 2 * judge.TRIES


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
    ],
)
def test_who_may_not_judge(url, model, words):
    with pytest.raises(InputError, match=words):
        judge.checked(url, model, ["smollm2-135m"])


@pytest.mark.parametrize("reply", ["", "true", '{"right": "yes"}', "{broken", "[]"])
def test_a_reply_without_a_verdict_is_none(reply):
    with pytest.raises(ValueError):
        judge.read_verdict(reply)
