"""Risky files are parsed in a child process that may use only so much memory, time and output: a bomb is a message."""

from __future__ import annotations

import contextlib
import json
import math
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path
from typing import IO, Any

from ftrag.errors import InputError
from ftrag.layout import Parsed
from ftrag.parsers import PLAIN, RISKY
from ftrag.types import Location
from ftrag.zips import unzip

SECONDS = 8  # wall clock and processor time of a file of up to 1 MB
SECONDS_PER_MB = 4  # more for each further megabyte: a long book is large, a bomb that takes time is small
MOST_SECONDS = 60
MEMORY_BYTES = 1_000_000_000  # address space of the child
OUTPUT_BYTES = 100_000_000  # any one file that the child writes
DONE = "done"


class LimitError(InputError):
    """A file that needs more memory, time or output than one file may."""


class Reader:
    """A child process that parses files one after another under the limits; it starts with the first of them.

    late: seconds by which files took longer than their sizes explain, together; patience: how many they may.
    """

    def __init__(self, patience: float = math.inf) -> None:
        self.patience, self.late = patience, 0.0
        self._child: subprocess.Popen[str] | None = None
        self._folder = tempfile.TemporaryDirectory(prefix="ftrag-parse-")

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()
        self._folder.cleanup()

    def parse(self, path: Path, suffix: str, name: str) -> Parsed:
        """The parser of `suffix` on a file. InputError names what was exceeded or is wrong."""
        size, left = path.stat().st_size, max(0.0, self.patience - self.late)
        self._start(name)
        start = time.monotonic()
        request = {"path": str(path), "suffix": suffix, "patience": left}
        value = self._answered(name, seconds_for(size, left), request)
        self.late += max(0.0, time.monotonic() - start - expected_seconds(value.get("size", size)))
        return Parsed(value["text"], tuple(Location(*row) for row in value["locations"]))

    def unzip(
        self, path: Path, folder: Path, suffixes: Collection[str]
    ) -> tuple[list[tuple[str, Path]], list[tuple[str, str]]]:
        """Unpack a zip into `folder`: [(flat name, file)], [(member, why it was refused)].

        Only members whose name ends in one of `suffixes` are unpacked and counted: a film beside the notes is no bomb.
        """
        self._start(path.name)
        request = {"path": str(path), "folder": str(folder), "suffixes": sorted(suffixes)}
        value = self._answered(path.name, SECONDS, request)
        return [(name, folder / file) for name, file in value["members"]], [(n, r) for n, r in value["refused"]]

    def _answered(self, name: str, seconds: float, request: dict[str, Any]) -> dict[str, Any]:
        answer = Path(self._folder.name) / "answer.json"
        answer.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # one that has ended says so by its empty line
            self._child.stdin.write(json.dumps(request | {"answer": str(answer)}) + "\n")  # type: ignore[union-attr]
            self._child.stdin.flush()  # type: ignore[union-attr]
        said = self._next(seconds)
        if said != DONE or not answer.is_file():
            self._stop()
            raise LimitError(_too_slow(name, seconds) if said is None else _too_much(name))
        value: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
        if "refused_file" in value:
            raise InputError(f"{name}: {value['refused_file']}")
        return value

    def _start(self, name: str) -> None:
        if self._child:
            return
        root = str(Path(__file__).resolve().parent.parent)
        self._child = subprocess.Popen(
            [sys.executable, "-m", "ftrag.sandbox"],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=_forward, args=(self._child.stdout, self._lines), daemon=True).start()
        if self._next(MOST_SECONDS) != DONE:
            self._stop()
            raise LimitError(f"{name} was not read, because no process to read it in could be started; try again")

    def _next(self, seconds: float) -> str | None:
        """The child's next line, "" if it has ended, None if it takes longer."""
        try:
            return self._lines.get(timeout=seconds)
        except queue.Empty:
            return None

    def _stop(self) -> None:
        if child := self._child:
            child.kill()
            child.communicate()
            self._child = None


def _forward(lines: IO[str], into: queue.Queue[str]) -> None:
    for line in lines:
        into.put(line.strip())
    into.put("")


def _too_slow(name: str, seconds: float) -> str:
    return f"{name} takes more than {seconds:.0f} s to read; split it or save it as plain text"


def _too_much(name: str) -> str:
    return (
        f"{name} needs more than {MEMORY_BYTES // 1_000_000:,} MB of memory, {OUTPUT_BYTES // 1_000_000} MB "
        "of output or the time that its size explains, or breaks its parser; split it or save it as text"
    )


def seconds_for(size: int, patience: float = math.inf) -> float:
    """How long a file of `size` bytes may take, and at most so much longer than expected."""
    most = min(MOST_SECONDS, SECONDS + SECONDS_PER_MB * max(0, size // 1_000_000 - 1))
    return min(most, expected_seconds(size) + patience)


def expected_seconds(size: int) -> float:
    """What a file takes where the machine is busy, of which `size` bytes say something, compressed as they are.

    Manuals and reports of 26 to 170 kB took 10 to 16 s a megabyte beside two other processes.
    """
    return 0.1 + 20 * size / 1_000_000


def _serve() -> None:
    """Does what each line of standard input asks for, and says DONE on standard output after each."""
    out, sys.stdout = sys.stdout, open(os.devnull, "w")  # a parser may print  # noqa: SIM115
    print(DONE, file=out, flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        _answer(Path(asked["answer"]), partial(_done, asked))
        print(DONE, file=out, flush=True)


def _done(asked: dict[str, Any]) -> dict[str, Any]:
    path = Path(asked["path"])
    if "folder" not in asked:
        return _parse(path, asked["suffix"], float(asked["patience"]))
    _limit(SECONDS)
    return unzip(path, Path(asked["folder"]), asked["suffixes"])


def _answer(answer: Path, make: Callable[[], dict[str, Any]]) -> None:
    try:
        value = make()
    except InputError as error:
        value = {"refused_file": str(error)}
    except MemoryError:  # a limit: the parent says which there are
        raise
    except Exception as error:  # whatever a parser makes of a strange file is about that file alone
        value = {"refused_file": f"it breaks its parser ({type(error).__name__}); open it and save it again"}
    answer.write_text(json.dumps(value), encoding="utf-8")


def said(path: Path, suffix: str) -> int:
    """Bytes of a file that can explain the time it takes: what is padding, a picture or an attachment buys none."""
    if suffix == ".pdf":
        return pdf_said(path)
    if suffix == ".docx":
        with contextlib.suppress(zipfile.BadZipFile), zipfile.ZipFile(path) as archive:
            return sum(row.compress_size for row in archive.infolist() if row.filename.endswith(".xml"))
    return path.stat().st_size


def pdf_said(path: Path) -> int:
    """Compressed bytes of what the pages of a PDF say, each stream counted once; 0 for a file that is no PDF."""
    from pypdf import PdfReader

    sizes: dict[int, int] = {}
    try:
        for page in PdfReader(path).pages:
            forms = page.get("/Resources", {}).get("/XObject", {}).values()
            contents: Any = page.get("/Contents")
            for one in (*(contents if isinstance(contents, list) else [contents]), *forms):
                stream: Any = one.get_object() if one is not None else None
                if hasattr(stream, "_data") and stream.get("/Subtype") != "/Image":
                    sizes[id(stream)] = len(stream._data)  # the reader keeps its objects, so that an id is one stream
    except Exception:  # the parser itself will say what is wrong with it
        return 0
    return sum(sizes.values())


def _limit(seconds: float) -> None:
    """Limits of this process from now on; those of its processor time are whole seconds."""
    try:
        import resource
    except ImportError:  # Windows: only the wall clock limits the child there
        return
    for limit, value in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, math.ceil(time.process_time() + seconds)),
        (resource.RLIMIT_FSIZE, OUTPUT_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(limit)[1]
        resource.setrlimit(limit, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))


def _parse(path: Path, suffix: str, patience: float) -> dict[str, Any]:
    _limit(seconds_for(path.stat().st_size))
    size = said(path, suffix)
    _limit(seconds_for(size, patience))
    parsed = {**PLAIN, **RISKY}[suffix](path.read_bytes())
    places = [(place.start, place.end, place.label) for place in parsed.locations]
    return {"text": parsed.text, "locations": places, "size": size}


if __name__ == "__main__":
    _serve()
