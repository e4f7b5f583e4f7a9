"""Risky files are parsed in a child process that may use only so much memory, time and output: a bomb is a message."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any

from ftrag.errors import InputError
from ftrag.layout import Parsed
from ftrag.parsers import RISKY
from ftrag.types import Location

SECONDS = 8  # wall clock and processor time of a file of up to 1 MB
SECONDS_PER_MB = 4  # more for each further megabyte: a long book is large, a bomb that takes time is small
MOST_SECONDS = 60
MEMORY_BYTES = 1_000_000_000  # address space of the child
OUTPUT_BYTES = 100_000_000  # any one file that the child writes
UNPACKED_BYTES = 200_000_000  # all members of a zip together
MEMBERS = 2_000  # files in a zip


class LimitError(InputError):
    """A file that needs more memory, time or output than one file may."""


def parse_in_child(path: Path, suffix: str, name: str) -> Parsed:
    """`parsers.RISKY[suffix]` on a file, under the limits. InputError names what was exceeded or is wrong."""
    answer = _child(["parse", str(path), suffix], name, seconds_for(path.stat().st_size))
    return Parsed(answer["text"], tuple(Location(*row) for row in answer["locations"]))


def unzip_in_child(path: Path, folder: Path) -> tuple[list[tuple[str, Path]], list[tuple[str, str]]]:
    """Unpack a zip into `folder` under the limits: [(flat name, file)], [(member, why it was refused)]."""
    answer = _child(["unzip", str(path), str(folder)], path.name, SECONDS)
    return [(name, folder / file) for name, file in answer["members"]], [(n, r) for n, r in answer["refused"]]


def seconds_for(size: int) -> int:
    """How long a file of `size` bytes may take."""
    return min(MOST_SECONDS, SECONDS + SECONDS_PER_MB * max(0, size // 1_000_000 - 1))


def _child(arguments: list[str], name: str, seconds: int) -> Any:
    root = str(Path(__file__).resolve().parent.parent)
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep),
    }
    with tempfile.TemporaryDirectory(prefix="ftrag-parse-") as folder:
        answer = Path(folder) / "answer.json"
        try:
            done = subprocess.run(
                [sys.executable, "-m", "ftrag.sandbox", *arguments, str(answer), str(seconds)],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise LimitError(f"{name} takes more than {seconds} s to read; split it or save it as plain text") from None
        if done.returncode != 0 or not answer.is_file():
            raise LimitError(
                f"{name} needs more than {MEMORY_BYTES // 1_000_000:,} MB of memory, {seconds} s or "
                f"{OUTPUT_BYTES // 1_000_000} MB of output to read, or breaks its parser; split it or save it as text"
            )
        value = json.loads(answer.read_text(encoding="utf-8"))
    if "refused_file" in value:
        raise InputError(f"{name}: {value['refused_file']}")
    return value


def _main(action: str, path: Path, argument: str, answer: Path, seconds: int) -> None:
    _limit(seconds)
    try:
        value = _unzip(path, Path(argument)) if action == "unzip" else _parse(path, argument)
    except InputError as error:
        value = {"refused_file": str(error)}
    answer.write_text(json.dumps(value), encoding="utf-8")


def _limit(seconds: int) -> None:
    try:
        import resource
    except ImportError:  # Windows: only the wall clock limits the child there
        return
    for limit, value in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, OUTPUT_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(limit)[1]
        resource.setrlimit(limit, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))


def _parse(path: Path, suffix: str) -> dict[str, Any]:
    parsed = RISKY[suffix](path.read_bytes())
    return {"text": parsed.text, "locations": [(place.start, place.end, place.label) for place in parsed.locations]}


def _unzip(path: Path, folder: Path) -> dict[str, Any]:
    try:
        with zipfile.ZipFile(path) as archive:
            rows = [row for row in archive.infolist() if not row.is_dir() and not _is_litter(row.filename)]
            _check_sizes(rows)
            names = flat_names([row.filename for row in rows])
            return _unpack(archive, list(zip(rows, names, strict=True)), folder)
    except (zipfile.BadZipFile, NotImplementedError, OSError) as error:
        raise InputError(f"it is not a readable zip ({error}); make it again") from None


def _check_sizes(rows: list[zipfile.ZipInfo]) -> None:
    if len(rows) > MEMBERS:
        raise InputError(f"it holds {len(rows):,} files, over {MEMBERS:,}; split it")
    if not rows:
        raise InputError("it holds no files; zip at least one document")
    total = sum(row.file_size for row in rows)
    if total > UNPACKED_BYTES:
        raise InputError(f"it unpacks to {total:,} bytes, over {UNPACKED_BYTES:,}; split it")


def _unpack(archive: zipfile.ZipFile, rows: list[tuple[zipfile.ZipInfo, str]], folder: Path) -> dict[str, Any]:
    members, refused, room = [], [], UNPACKED_BYTES
    for number, (row, name) in enumerate(rows):
        if row.flag_bits & 1:
            refused.append((row.filename, "it is encrypted; zip it without a password"))
        elif name.lower().endswith(".zip"):
            refused.append((row.filename, "a zip inside a zip is not opened; upload it by itself"))
        else:
            with archive.open(row) as source:
                data = source.read(room + 1)  # the size in the header is a claim, not a fact
            room -= len(data)
            if room < 0:
                raise InputError(f"it unpacks to over {UNPACKED_BYTES:,} bytes; split it")
            (folder / str(number)).write_bytes(data)
            members.append((name, str(number)))
    return {"members": members, "refused": refused}


def flat_names(paths: list[str]) -> list[str]:
    """File names for members: the last part of the path, or the whole path joined by "-" where two would collide."""
    parts = [[p for p in PurePosixPath(path.replace("\\", "/")).parts if p not in ("/", "..", ".")] for path in paths]
    last = [(names or ["file"])[-1].replace(":", "-").lstrip(".") or "file" for names in parts]
    taken: set[str] = set()
    flat = []
    for names, short in zip(parts, last, strict=True):
        name = (
            short
            if [n.lower() for n in last].count(short.lower()) == 1
            else "-".join(names).replace(":", "-").lstrip(".")
        )
        number = 2
        while name.lower() in taken:
            stem, dot, suffix = name.rpartition(".")
            name, number = f"{stem or suffix}-{number}{dot if stem else ''}{suffix if stem else ''}", number + 1
        taken.add(name.lower())
        flat.append(name)
    return flat


def _is_litter(name: str) -> bool:
    return name.startswith("__MACOSX/") or PurePosixPath(name).name in (".DS_Store", "Thumbs.db", "desktop.ini")


if __name__ == "__main__":
    _main(sys.argv[1], Path(sys.argv[2]), sys.argv[3], Path(sys.argv[4]), int(sys.argv[5]))
