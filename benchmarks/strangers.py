"""What strangers can do to an app, and what many of them at once cost: the long form of tests/test_strangers.py.

    python benchmarks/strangers.py [--parts isolation,malformed,paths,addresses,scripts,chats,memory,restart]
                                   [--visitors 50] [--seconds 120] [--clients 25,100] [--requests 2000]

Every part but the first drives the app over HTTP as a Space would run it, with a scripted model that says 20 words at
20 words a second; `scripts` needs Chromium. Each part prints one line of JSON.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ftrag import jobs
from ftrag import project as projects
from ftrag.ui import session
from tests import attacks
from tests.browser import Visit, answers, chromium, free_port, wait_until
from tests.raw import Raw, fetch, file_value
from tests.test_strangers import _leaks, listening

ROOT = Path(__file__).resolve().parent.parent
WORDS, STEP = 20, 0.05  # one answer takes WORDS * STEP = 1 s
AT_ONCE = 8  # chats that the page answers at the same time


@contextlib.contextmanager
def app(home: Path, words: int = WORDS) -> Iterator[tuple[str, Any]]:
    """(address, process) of the app over this home, without limits on questions and uploads. words: 0 says all."""
    port = free_port()
    limits = {
        f"FTRAG_LIMIT_{name}": "1000000" for name in ("QUESTIONS", "QUESTIONS_ALL", "UPLOADS", "JOBS", "JOBS_ALL")
    }
    settings = {"SCRIPT_WORDS": str(words), "SCRIPT_STEP": str(STEP if words else 0), "GRADIO_SERVER_PORT": str(port)}
    settings |= {"SYSTEM": "spaces", "GRADIO_SERVER_NAME": "127.0.0.1", "FTRAG_HOME": str(home)}
    with (home / "app.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.scripted"],
            cwd=ROOT,
            env=os.environ | limits | settings,
            stdout=log,
            stderr=log,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: answers(address), 120)
        yield address, process
    finally:
        process.kill()
        process.wait()


def visitor(address: str, config: Any = None, own: bool = True) -> Raw:
    """A new visitor, with an empty project `mine` or in the support example."""
    raw = Raw(address, config)
    raw.mine("arrive")
    if own:
        raw.mine("make", "mine", "Nothing: my own data")
    return raw


# --- apart


def isolation(home: Path, options: Any) -> dict[str, Any]:
    """Each visitor tries every other's job, run, adapter, document and file by every private handler."""
    from ftrag.ui import page
    from tests.strangers import Visitor, attempt, handlers

    os.environ |= {"FTRAG_HOME": str(home), "GRADIO_TEMP_DIR": str(home / "uploads")}
    people = [Visitor(home, number) for number in range(options.visitors)]
    before = [one.state() for one in people]
    found = handlers(page.build())
    with restored(people[0]):
        quick = {name: function for name, function in found.items() if _seconds(attempt, function, *people[:2]) < 0.02}
    tried, leaks = 0, []
    for number, attacker in enumerate(people):
        with restored(attacker):  # what attackers do to themselves is their right, but each is a victim next
            for victim in people:
                chosen = found if victim is people[number - 1] else quick
                for name, function in chosen.items() if victim is not attacker else ():
                    tried += 1
                    said = attempt(function, attacker, victim).replace(f"What is {victim.secret[:9]}", "")
                    if any(hidden in said for hidden in (victim.secret, victim.visitor, session.owner(victim.visitor))):
                        leaks.append(name)
    changed = sum(one.state() != state for one, state in zip(people, before, strict=True))
    counts = {"visitors": len(people), "handlers": len(found), "tried_on_all_pairs": len(quick)}
    return counts | {"attempts": tried, "leaks": leaks, "workspaces_changed": changed}


@contextlib.contextmanager
def restored(visitor: Any) -> Iterator[None]:
    """A visitor's workspace as it was before, once the jobs that were started have ended."""
    owner = session.owner(visitor.visitor)
    with tempfile.TemporaryDirectory(prefix="strangers-") as folder:
        kept = shutil.copytree(visitor.workspace, Path(folder) / "kept")
        yield
        going = [job["id"] for job in jobs.listing(projects.home(), owner) if job["state"] not in jobs.ENDED]
        for job in going:
            jobs.cancel(projects.home(), job, owner)
        wait_until(lambda: all(jobs.watch(projects.home(), job)["state"] in jobs.ENDED for job in going), 60)
        shutil.rmtree(visitor.workspace)
        shutil.copytree(kept, visitor.workspace)


def _seconds(call: Any, *arguments: Any) -> float:
    call(*arguments)
    start = time.perf_counter()
    call(*arguments)
    return time.perf_counter() - start


# --- attacks over HTTP


def malformed(home: Path, options: Any) -> dict[str, Any]:
    """500 uploads of 20 kinds: refused in words, no traceback, how fast."""
    with app(home) as (address, _):
        me = visitor(address)
        times, taken, bare = [], [], []
        me.mine("take_documents", "mine", [me.upload("warm.md", b"# Warm\n\nUp.\n")[1]])
        for seed in range(25):
            for name, handler, content in attacks.malformed(seed):
                start = time.perf_counter()
                status, uploaded = me.upload(name, content)
                ok, said = False, uploaded
                if status == 200:
                    ok, said = me.mine(handler, "mine", [uploaded] if handler == "take_documents" else uploaded)
                times.append(time.perf_counter() - start)
                if ok and "refused" not in said:
                    taken.append(name)
                if "Traceback" in said or "on our side" in said or len(said) < 20:
                    bare.append(name)
        start = time.perf_counter()
        bomb = me.mine("take_documents", "mine", [me.upload("bomb.zip", attacks.zip_bomb())[1]])[1]
        bombed = time.perf_counter() - start
    tail = sorted(times)[int(0.99 * len(times)) - 1]
    return {
        "uploads": len(times),
        "kinds": len(attacks.malformed()),
        "taken": taken,
        "without_words": bare,
        "p50_s": round(statistics.median(times), 2),
        "p99_s": round(tail, 2),
        "zip_bomb": {"refused": "refused" in bomb, "seconds": round(bombed, 2)},
    }


def paths(home: Path, options: Any) -> dict[str, Any]:
    """Path traversals through every route that takes one, and as the path of an upload."""
    with app(home) as (address, _):
        me = visitor(address)
        other = next(home.glob("visitors/*/projects/*/project.json"))
        wanted = attacks.traversals(home, other)
        tries = [route.format(path.replace(" ", "%20")) for route in attacks.TRAVERSAL_ROUTES for path in wanted]
        got = [path for path in tries if _leaks(fetch(address + path)[1], home)]
        values = [file_value(path) for path in ("/etc/passwd", str(other), str(home / "secret"), "/proc/self/environ")]
        taken = [value["path"] for value in values if _taken(me.mine("take_documents", "mine", [value]))]
    return {"tried": len(tries) + len(values), "successes": got + taken}


def _taken(answer: tuple[bool, str]) -> bool:
    return answer[0] and "refused" not in answer[1]


def addresses(home: Path, options: Any) -> dict[str, Any]:
    """Foreign addresses through the file route, the proxy route and every upload handler."""
    with app(home) as (address, _), listening() as (port, visits):
        me = visitor(address)
        urls = attacks.foreign(port)
        for url in urls:
            fetch(f"{address}/gradio_api/file={url}")
            fetch(f"{address}/gradio_api/proxy={url}")
            value = {"path": url, "url": url, "meta": {"_type": "gradio.FileData"}}
            for handler, given in (("take_documents", [value]), ("take_examples", value), ("take_gold", value)):
                me.mine(handler, "mine", given)
        return {"addresses": len(urls), "requests": 5 * len(urls), "fetched": len(visits)}


def scripts(home: Path, options: Any) -> dict[str, Any]:
    """Every payload in every place where the page shows what others wrote, in a real browser."""
    from tests.xss import attack

    with app(home, words=0) as (address, _), listening() as (port, visits), chromium() as browser:
        visit = Visit(browser.new_context(), address)
        payloads = attacks.scripts(f"http://127.0.0.1:{port}")
        seen = attack(visit, payloads, home)
        ran = visit.page.evaluate("window.pwned") is not None
        shown = [place for place, there in seen.items() if there]
        return {"payloads": len(payloads) * len(shown), "places": shown, "script_ran": ran, "fetched": len(visits)}


# --- many at once


def chats(home: Path, options: Any) -> list[dict[str, Any]]:
    """Clients that ask again as soon as they are answered; the ideal is AT_ONCE answers in WORDS * STEP seconds."""
    with app(home) as (address, _):
        return [_load(address, count, options.seconds) for count in options.clients]


def _load(address: str, count: int, seconds: float) -> dict[str, Any]:
    config = Raw(address).config
    people = [visitor(address, config, own=False) for _ in range(count)]
    for one in people:
        one.mine("choose", "support")
    ended: list[float] = []
    failed: list[str] = []
    started = [0]
    begin = time.perf_counter()

    def ask(one: Raw) -> None:
        while time.perf_counter() - begin < seconds:
            started[0] += 1
            start = time.perf_counter()
            ok, said = one.mine("answer", *one.defaults("answer", "support", "What does a Bobber cost?"), timeout=300)
            (ended.append(time.perf_counter() - start) if ok else failed.append(said[:200]))

    threads = [threading.Thread(target=ask, args=(one,)) for one in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(seconds + 300)
    took = time.perf_counter() - begin
    ideal = took * AT_ONCE / (WORDS * STEP)
    times = sorted(ended)
    return {
        "clients": count,
        "seconds": round(took),
        "answered": len(ended),
        "failed": failed[:3],
        "unanswered": started[0] - len(ended) - len(failed),
        "overhead": round(ideal / max(len(ended), 1), 2),
        "p50_s": round(times[len(times) // 2], 2) if times else None,
        "p99_s": round(times[int(0.99 * len(times)) - 1], 2) if times else None,
    }


def memory(home: Path, options: Any) -> dict[str, Any]:
    """Resident memory of the app over mixed requests, after a warm-up of a quarter."""
    with app(home) as (address, process):
        me = visitor(address)
        me.mine("take_documents", "mine", [me.upload("a.md", b"# A\n\nThe tower closes at 17:25.\n")[1]])
        kinds = [
            lambda: fetch(address),
            lambda: fetch(f"{address}/config"),
            lambda: me.call(me.named("decide"), *["daily"] + [""] * 15),
            lambda: me.call(me.named("search"), "What does a Bobber cost?", "support", 3, "bm25"),
            lambda: me.mine("choose", "mine"),
            lambda: me.mine("take_documents", "mine", [me.upload("b.md", os.urandom(20).hex().encode())[1]]),
            lambda: me.mine("answer", *me.defaults("answer", "mine", "When does the tower close?")),
            lambda: fetch(f"{address}/gradio_api/file=/etc/passwd"),
        ]
        held = {}
        for number in range(options.requests + options.requests // 4 + 1):
            if number % (options.requests // 4) == 0:
                held[number] = _megabytes(process.pid)
            kinds[number % len(kinds)]()
    marks = list(held.values())[1:]
    growth = round((marks[-1] - marks[0]) / options.requests * 1000, 2)
    return {"requests": options.requests, "growth_mb_per_1000": growth, "megabytes": marks}


def _megabytes(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)


def restart(home: Path, options: Any) -> dict[str, Any]:
    """kill -9 of the app with one job running and 20 queued; what the next start finds, and how they end."""
    with app(home) as (address, process):
        config = Raw(address).config
        first = visitor(address, config, own=False)
        first.mine("choose", "support")
        evaluate = first.clicked("evaluate_start")
        ok, said = first.mine(evaluate, *first.defaults(evaluate, "support"))
        assert ok, said
        wait_until(lambda: [job["state"] for job in jobs.listing(home)] == ["running"], 120)
        people = [visitor(address, config) for _ in range(20)]
        for one in people:
            one.mine("take_documents", "mine", [one.upload("a.md", b"# A\n\nThe tower closes at 17:25.\n")[1]])
            one.mine(one.clicked("reroute"), "mine")
        wait_until(lambda: len(jobs.listing(home)) == 21, 60)
        wait_until(lambda: _counts(home).get("queued") == 20, 60)
        before = _counts(home)
        process.kill()
        process.wait()
    killed = _counts(home)
    with app(home) as (address, _):
        restarted = _counts(home)
        after = Raw(address)
        after.visitor = first.visitor
        running = jobs.listing(home, session.owner(first.visitor))[0]["id"]
        after.mine("act", event={"index": 0, "value": f"cancel {running}"})
        wait_until(lambda: sum(_counts(home).get(state, 0) for state in jobs.ENDED) == 21, 300)
        ended = _counts(home)
    right = ended.get("done", 0) + ended.get("cancelled", 0)
    return {"before": before, "killed": killed, "restarted": restarted, "ended": ended, "right": right}


def _counts(home: Path) -> dict[str, int]:
    states = [job["state"] for job in jobs.listing(home)]
    return {state: states.count(state) for state in sorted(set(states))}


PARTS = {part.__name__: part for part in (isolation, malformed, paths, addresses, scripts, chats, memory, restart)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--visitors", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--clients", type=lambda text: [int(one) for one in text.split(",")], default=[25, 100])
    parser.add_argument("--requests", type=int, default=2000)
    options = parser.parse_args()
    for name in options.parts.split(","):
        with tempfile.TemporaryDirectory(prefix="strangers-") as folder:
            print(json.dumps({name: PARTS[name](Path(folder).resolve(), options)}), flush=True)


if __name__ == "__main__":
    main()
