"""Strangers in one app: every class of attack and every kind of malformed file at least once.

The long form, with its figures, is `python benchmarks/strangers.py`.
"""

import csv
import json
import os
import socket
import threading
import time

import pytest

from ftrag import housekeeping, jobs, publish, quotas, workflows
from ftrag import project as projects
from ftrag.errors import FtragError, InputError
from ftrag.ui import capabilities, page, serve, session
from ftrag.ui.texts import decide as words
from tests import attacks
from tests.browser import Visit, served, wait_until
from tests.raw import Raw, fetch, file_value
from tests.strangers import Visitor, attempt, handlers

TOKEN = "hf_theserversowntokenmustnotleak"


# --- in this process: every handler, behind gradio's own checks


def test_no_handler_gives_or_changes_what_is_another_visitors(home, monkeypatch, tmp_path):
    """Each private handler is called by one visitor with the other's job, run, adapter, document, file and path."""
    attacker, victim = Visitor(home, 1), Visitor(home, 2)
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))  # as the app sets it
    found = handlers(page.build())
    assert {"train_data.remove_document", "evaluate_run.show", "chat.answer", "publishing.export"} <= set(found)
    before = victim.state()
    for name, function in found.items():
        said = attempt(function, attacker, victim)
        for hidden in (victim.secret, victim.visitor, session.owner(victim.visitor)):
            assert hidden not in said.replace(f"What is {victim.secret[:9]}", ""), f"{name} gave away: {said[:500]}"
    assert victim.state() == before


def test_without_a_visitors_id_nothing_is_done(home):
    victim, found = Visitor(home, 1), handlers(page.build())
    before = victim.state()
    for wrong in (None, "", "../x", victim.visitor[:-1], 7, ["a"]):
        nobody = type("Nobody", (), {"visitor": wrong})()
        for name, function in found.items():
            assert victim.secret[:30] not in attempt(function, nobody, victim), name
    assert victim.state() == before
    with pytest.raises(InputError, match="visitor id"):
        session.owner("../" + victim.visitor)


def test_an_adapter_or_project_named_by_a_path_is_refused(home):
    attacker, victim = Visitor(home, 1), Visitor(home, 2)
    path = os.path.relpath(victim.project / "adapters" / victim.adapter, attacker.project / "adapters")
    for wanted in (path, str(victim.project / "adapters" / victim.adapter), victim.adapter):
        with pytest.raises(FtragError, match="has no adapter"):
            workflows.ready_model(attacker.project, wanted)
        with pytest.raises(FtragError, match="has no adapter"):
            publish.export_folder(attacker.project, wanted)
    for name in (str(victim.project), "../" * 4 + str(victim.project), ".", "..", "mine/../mine", ["mine"], 5):
        with pytest.raises(FtragError):
            session.project(attacker.visitor, name)


# --- quotas and housekeeping


def test_quotas_refuse_in_words(home, monkeypatch):
    me = Visitor(home, 1)
    for name, value in (("QUESTIONS", 2), ("PROJECTS", 1), ("JOBS", 1), ("DOCUMENTS", 1), ("BYTES", 100)):
        monkeypatch.setenv(f"FTRAG_LIMIT_{name}", str(value))
    owner = session.owner(me.visitor)
    quotas.ask(owner)
    quotas.ask(owner)
    with pytest.raises(InputError, match="2 questions in the last hour"):
        quotas.ask(owner)
    with pytest.raises(InputError, match="you have 1 projects"):
        quotas.projects(projects.names(me.workspace))
    with pytest.raises(InputError, match="a project may hold 1 documents"):
        quotas.documents(me.project, 1)
    with pytest.raises(InputError, match="delete documents or a project"):
        quotas.room(me.workspace, [])
    waiting = jobs.create(home, ["train", "mine"], owner, "mine")
    with pytest.raises(InputError, match="1 of your jobs wait or run"):
        jobs.start(home, ["jobs"], owner)
    assert [job["id"] for job in jobs.listing(home, owner)] == [me.job, waiting.name]  # nothing was added


def test_questions_count_for_an_hour_and_in_all():
    window = quotas.Window()
    assert [window.count("me", 2, 3, now=t) for t in (0.0, 1.0, 2.0)] == ["", "", "each"]
    assert window.count("you", 2, 3, now=3.0) == ""
    assert window.count("you", 2, 3, now=4.0) == "total"  # two of mine and one of yours
    assert window.count("me", 2, 3, now=3601.5) == ""  # both of mine are an hour old


def test_uploads_count_per_address_and_in_all(monkeypatch):
    monkeypatch.setenv("SYSTEM", "spaces")
    assert quotas.address("10.0.0.1", "203.0.113.9, 10.0.0.1") == "203.0.113.9"  # whom the Space's proxy names
    assert quotas.address("10.0.0.1", "") == "10.0.0.1"
    monkeypatch.delenv("SYSTEM")
    assert quotas.address("127.0.0.1", "203.0.113.9") == "127.0.0.1"  # without a proxy the header is anybody's word


def test_what_tells_others_of_visitors_is_off(home, tmp_path):
    settings = serve.launch_settings(tmp_path)
    off = ("enable_monitoring", "run_history", "ssr_mode")
    assert not any(settings[name] for name in off) and settings["allowed_paths"] == []
    assert settings["blocked_paths"] == [str(home.resolve())] and settings["max_file_size"] == "20mb"
    assert page.build().analytics_enabled is False


def test_idle_workspaces_go_and_busy_ones_stay(home, tmp_path):
    idle, busy, fresh = (Visitor(home, number) for number in range(3))
    old = time.time() - 4_000 * quotas.DAY
    for one in (idle, busy):
        os.utime(one.workspace / housekeeping.SEEN, (old, old))
    jobs.create(home, ["train", "mine"], session.owner(busy.visitor), "mine")  # starts within the next seconds
    swept = housekeeping.sweep(home, tmp_path / "none")
    assert swept["expired"] == [session.owner(idle.visitor)]
    assert not idle.workspace.exists() and busy.workspace.exists() and fresh.workspace.exists()
    assert idle.job not in [job["id"] for job in jobs.listing(home)]


def test_a_job_that_runs_too_long_is_stopped_and_says_so():
    job = {"state": "running", "started": 1_000.0}
    minutes = quotas.limit("job_minutes")
    assert not quotas.too_long(job, 1_000.0 + 60 * minutes - 1)
    assert quotas.too_long(job, 1_000.0 + 60 * minutes + 1)
    assert not quotas.too_long(job | {"state": "done"}, 1e12)


def test_the_temporary_folder_is_bounded_oldest_first(home, tmp_path, monkeypatch):
    monkeypatch.setenv("FTRAG_LIMIT_TEMPORARY_BYTES", "250")
    now = time.time()
    for number, age in enumerate((7_200, 300, 200, 100)):  # seconds
        file = tmp_path / "t" / str(number) / "file"
        file.parent.mkdir(parents=True)
        file.write_bytes(b"x" * 100)
        os.utime(file, (now - age, now - age))
    housekeeping.sweep(home, tmp_path / "t")
    # 0 is over an hour old; of the other 300 bytes the oldest 100 go, so that 200 are under 250
    assert sorted(path.parent.name for path in (tmp_path / "t").rglob("file")) == ["2", "3"]


# --- exports


@pytest.mark.parametrize("cell", attacks.CELLS)
def test_an_exported_csv_runs_nothing_in_a_spreadsheet(cell):
    import pandas as pd

    row = {"capability": cell, "type": "unclear", "evidence": [cell], "reason": "none"}
    table = pd.DataFrame([[cell, "unclear", "none"]], columns=list(words.CAPABILITY_COLUMNS))
    file = capabilities.on_export_table(table, [row])["value"][0]
    with open(file, newline="", encoding="utf-8") as text:
        cells = [value for line in csv.reader(text) for value in line]
    assert not any(value.startswith(("=", "+", "-", "@", "\t", "\r")) for value in cells)


def test_secrets_leave_the_server_once_it_stands(monkeypatch):
    kept = dict(os.environ)
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "OAUTH_CLIENT_SECRET", "MY_API_KEY", "DB_PASSWORD"):
        monkeypatch.setenv(name, TOKEN)
    serve.shed_secrets()
    assert TOKEN not in os.environ.values()
    assert {"PATH", "HOME"} & set(kept) <= set(os.environ)


# --- the app itself, by raw HTTP


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    """(address, home) of an app on a Space with a model that repeats what it reads, and a token of its own."""
    home = tmp_path_factory.mktemp("app")
    settings = {"SYSTEM": "spaces", "GRADIO_SERVER_NAME": "127.0.0.1", "HF_ENDPOINT": "http://127.0.0.1:9"}
    arguments = ("-m", "tests.scripted")
    with served(home, arguments, HF_TOKEN=TOKEN, FTRAG_LIMIT_UPLOADS="2000", **settings) as (address, _):
        yield address, home


@pytest.fixture
def me(app):
    visitor = Raw(app[0])
    assert visitor.mine("arrive")[0]
    assert visitor.mine("make", "mine", "Nothing: my own data")[0]
    return visitor


def test_malformed_files_of_20_kinds_are_refused_in_words(me):
    for name, handler, content in attacks.malformed():
        status, uploaded = me.upload(name, content)
        if status == 200:
            ok, said = me.mine(handler, "mine", [uploaded] if handler == "take_documents" else uploaded)
            assert "refused" in said or not ok, f"{name} was taken: {said[:300]}"
        else:
            said = uploaded
        assert "Traceback" not in said and "on our side" not in said, f"{name}: {said[:300]}"
        assert len(said) > 20, name


def test_uploads_are_limited_by_size_and_count(me):
    assert me.upload_many([(f"{n}.md", b"x") for n in range(51)])[0] == 413
    status, said = me.upload("large.md", b"x" * 21_000_000)
    assert status == 413 and "maximum allowed size" in said
    assert me.upload_many([(f"{n}.md", b"x" * 16_000_000) for n in range(4)])[0] == 413  # 64 MB in all, 60 may be


def test_no_path_leads_out(app, me):
    address, home = app
    other = next(home.glob("visitors/*/projects/*/project.json"))
    for route in attacks.TRAVERSAL_ROUTES:
        for path in attacks.traversals(home, other)[::5]:
            status, body = fetch(address + route.format(path.replace(" ", "%20")))
            assert not (status == 200 and _leaks(body, home)), f"{route.format(path)} gave {body[:200]}"
    for path in ("/etc/passwd", str(other), str(home / "secret")):
        ok, said = me.mine("take_documents", "mine", [file_value(path)])
        assert not ok or "refused" in said, said


def _leaks(body, home):
    key = (home / "secret").read_bytes()
    return any(word in body for word in (b"root:x:", key, b'"lineage"', TOKEN.encode(), b"raise SystemExit"))


def test_no_foreign_address_is_fetched(app, me):
    with listening() as (port, visits):
        for url in attacks.foreign(port)[::3]:
            fetch(f"{app[0]}/gradio_api/file={url}")
            fetch(f"{app[0]}/gradio_api/proxy={url}")
            value = {"path": url, "url": url, "meta": {"_type": "gradio.FileData"}}
            assert not me.mine("take_documents", "mine", [value])[0]
            assert not me.mine("take_gold", "mine", value)[0]
    assert not visits


class listening:
    """A listener on this machine that must never be visited: (port, visits)."""

    def __enter__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.visits = []
        threading.Thread(target=self._accept, daemon=True).start()
        return self.socket.getsockname()[1], self.visits

    def _accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.visits.append(connection.recv(100))
            connection.close()

    def __exit__(self, *_):
        self.socket.close()


@pytest.mark.parametrize(
    "path",
    ["/monitoring", "/monitoring/summary", "/gradio_api/proxy=http://a/", "/gradio_api/deep_link", "/gradio_api/runs"]
    + [
        "/gradio_api/component_server",
        "/gradio_api/process_recording",
        "/gradio_api/vibe-code",
        "/gradio_api/stream/a",
    ],
)
def test_what_nobody_needs_is_not_there(app, path):
    for method in ("GET", "POST"):
        assert fetch(app[0] + path, b"{}" if method == "POST" else None, method=method)[0] in (404, 405)


def test_what_is_no_call_is_refused_in_words(app):
    headers = {"Content-Type": "application/json"}
    for body in (b"", b"nope", attacks.gibberish(1), b"[" * 200_000, b'{"data": 1e999', b"x" * 4_100_000):
        status, said = fetch(f"{app[0]}/gradio_api/queue/join", body, headers)
        assert 400 <= status < 500 and b"Traceback" not in said, (body[:20], status, said[:200])


def test_a_stranger_by_raw_http_gets_nothing_of_a_visitors(app, me):
    """The private endpoints over the wire: job, run, adapter and document of another visitor."""
    _, uploaded = me.upload("diary.md", b"# Diary\n\nThe lighthouse keeper hides the key under the blue stone.\n")
    assert me.mine("take_documents", "mine", [uploaded])[0]
    assert me.mine(me.clicked("reroute"), "mine")[0]
    job = wait_until(lambda: jobs.listing(app[1], session.owner(me.visitor)), 20)[0]["id"]
    stranger = Raw(app[0], me.config)
    stranger.mine("arrive")
    stranger.mine("make", "mine", "Nothing: my own data")
    clicks = [{"index": 0, "value": f"{kind} {job}"} for kind in ("cancel", "retry", "dismiss", "log")]
    answers = [stranger.mine("act", event=click) for click in clicks]
    answers += [stranger.mine("remove_document", "mine", "diary.md"), stranger.mine("choose", "mine")]
    answers += [stranger.mine("show", "mine", "0-recorded"), stranger.call("choose", "", "mine")]
    assert not any("blue stone" in said for _, said in answers)
    assert not any(ok for ok, _ in answers[:5])
    assert job in [row["id"] for row in jobs.listing(app[1], session.owner(me.visitor))]
    place = next(app[1].glob(f"visitors/{session.owner(me.visitor)}/projects/mine/documents/diary.md"))
    assert fetch(f"{app[0]}/gradio_api/file={place}")[0] == 403


def test_the_servers_token_is_nowhere(app, me):
    """Not in the page, a child, a log, a job or an export."""
    assert me.mine(me.clicked("reroute"), "mine")[0]
    wait_until(lambda: all(job["state"] in jobs.ENDED for job in jobs.listing(app[1])), 60)
    ok, said = me.mine("export", "mine", None, "Whole project")
    assert ok
    download = json.loads(said)["data"][1]["value"]["path"]
    assert TOKEN.encode() not in fetch(f"{app[0]}/gradio_api/file={download}")[1]
    for path in ("/", "/config", "/gradio_api/info"):
        assert TOKEN.encode() not in fetch(app[0] + path)[1]
    for file in app[1].rglob("*"):
        if file.is_file():
            assert TOKEN.encode() not in file.read_bytes(), file
    for process in os.listdir("/proc") if os.path.isdir("/proc") else []:
        if process.isdigit() and _child_of_app(process):
            with open(f"/proc/{process}/environ", "rb") as environment:
                assert TOKEN.encode() not in environment.read()


def _child_of_app(process):
    try:
        with open(f"/proc/{process}/environ", "rb") as environment:
            return b"FTRAG_JOB=" in environment.read()
    except OSError:
        return False


# --- the page in a browser


@pytest.mark.browser
def test_no_script_runs_and_nothing_foreign_is_loaded(chromium, app, tmp_path):
    """A few payloads in each of 6 places; the long form tries 34 in each."""
    from tests.xss import PLACES, attack

    with listening() as (port, visits):
        payloads = attacks.scripts(f"http://127.0.0.1:{port}")[::6]
        visit = Visit(chromium.new_context(), app[0])
        seen = attack(visit, payloads, tmp_path)
        assert set(seen) == set(PLACES) and all(seen.values()), f"a payload was not shown: {seen}"
        assert visit.page.evaluate("window.pwned") is None
    assert not visits
