"""Risky files are parsed in a child process that may use only so much memory, time and output: a bomb is a message."""

from __future__ import annotations

import json
import lzma
import os
import stat
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Collection
from pathlib import Path, PurePosixPath
from typing import Any

from ftrag.errors import InputError
from ftrag.layout import Parsed
from ftrag.parsers import PLAIN, RISKY
from ftrag.types import Location

SECONDS = 8  # wall clock and processor time of a file of up to 1 MB
SECONDS_PER_MB = 4  # more for each further megabyte: a long book is large, a bomb that takes time is small
MOST_SECONDS = 60
MEMORY_BYTES = 1_000_000_000  # address space of the child
OUTPUT_BYTES = 100_000_000  # any one file that the child writes
UNPACKED_BYTES = 200_000_000  # all members of a zip together
MEMBERS = 2_000  # files in a zip
NAME_BYTES = 180  # of a member's name, which may get a number


class LimitError(InputError):
    """A file that needs more memory, time or output than one file may."""


def parse_in_child(path: Path, suffix: str, name: str) -> Parsed:
    """The parser of `suffix` on a file, under the limits. InputError names what was exceeded or is wrong."""
    answer = _child(["parse", str(path), suffix], name, seconds_for(path.stat().st_size))
    return Parsed(answer["text"], tuple(Location(*row) for row in answer["locations"]))


def unzip_in_child(
    path: Path, folder: Path, suffixes: Collection[str]
) -> tuple[list[tuple[str, Path]], list[tuple[str, str]]]:
    """Unpack a zip into `folder` under the limits: [(flat name, file)], [(member, why it was refused)].

    Only members whose name ends in one of `suffixes` are unpacked and counted: a film beside the notes is no bomb.
    """
    answer = _child(["unzip", str(path), str(folder), *sorted(suffixes)], path.name, SECONDS)
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
                [sys.executable, "-m", "ftrag.sandbox", str(answer), str(seconds), *arguments],
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
                f"{name} needs more than {MEMORY_BYTES // 1_000_000:,} MB of memory, {OUTPUT_BYTES // 1_000_000} MB "
                "of output or the time that its size explains, or breaks its parser; split it or save it as text"
            )
        value = json.loads(answer.read_text(encoding="utf-8"))
    if "refused_file" in value:
        raise InputError(f"{name}: {value['refused_file']}")
    return value


def _main(answer: Path, seconds: int, action: str, path: Path, argument: str, *suffixes: str) -> None:
    _limit(seconds)
    try:
        value = _unzip(path, Path(argument), suffixes) if action == "unzip" else _parse(path, argument)
    except InputError as error:
        value = {"refused_file": str(error)}
    except MemoryError:  # a limit: the parent says which there are
        raise
    except Exception as error:  # whatever a parser makes of a strange file is about that file alone
        value = {"refused_file": f"it breaks its parser ({type(error).__name__}); open it and save it again"}
    answer.write_text(json.dumps(value), encoding="utf-8")


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


def _limit(seconds: int) -> None:
    """Limits of this process; a later, lower one of seconds counts from its beginning too."""
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
    if suffix == ".pdf":  # a book's time is for what its pages say; what no page names buys none
        _limit(seconds_for(pdf_said(path)))
    parsed = {**PLAIN, **RISKY}[suffix](path.read_bytes())
    return {"text": parsed.text, "locations": [(place.start, place.end, place.label) for place in parsed.locations]}


def _unzip(path: Path, folder: Path, suffixes: Collection[str]) -> dict[str, Any]:
    try:
        with zipfile.ZipFile(path) as archive:
            rows = [row for row in archive.infolist() if not row.is_dir() and not _is_litter(row.filename)]
            names = flat_names([_said(row) for row in rows])
            members = list(zip(rows, names, strict=True))
            refused = [(name, why) for row, name in members if (why := _unwanted(row, name, suffixes))]
            wanted = [(row, name) for row, name in members if not _unwanted(row, name, suffixes)]
            _check_sizes(rows, [row for row, _ in wanted])
            return _unpack(archive, wanted, folder, refused)
    except (zipfile.BadZipFile, NotImplementedError, OSError) as error:
        raise InputError(f"it is not a readable zip ({error}); make it again") from None


def _said(row: zipfile.ZipInfo) -> str:
    """A member's name. macOS writes UTF-8 without the flag that says so, which is then read as code page 437."""
    if row.flag_bits & 0x800:
        return row.filename
    try:
        return row.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return row.filename


def _unwanted(row: zipfile.ZipInfo, name: str, suffixes: Collection[str]) -> str:
    """Why a member is not unpacked; "" if it is."""
    suffix = PurePosixPath(name).suffix.lower()
    if suffix == ".zip":
        return "a zip inside a zip is not opened; upload it by itself"
    if suffix not in suffixes:
        return f"it is of an unknown type; save it as one of {', '.join(one[1:] for one in suffixes if one != '.zip')}"
    if stat.S_ISLNK(row.external_attr >> 16):  # its content is the name of another file
        return "it is a link to another file; zip that file itself"
    if row.flag_bits & 1:
        return "it is encrypted; zip it without a password"
    return ""


def _check_sizes(rows: list[zipfile.ZipInfo], wanted: list[zipfile.ZipInfo]) -> None:
    if len(rows) > MEMBERS:
        raise InputError(f"it holds {len(rows):,} files, over {MEMBERS:,}; split it")
    if not rows:
        raise InputError("it holds no files; zip at least one document")
    total = sum(row.file_size for row in wanted)
    if total > UNPACKED_BYTES:
        raise InputError(f"it unpacks to {total:,} bytes, over {UNPACKED_BYTES:,}; split it")


def _unpack(
    archive: zipfile.ZipFile,
    rows: list[tuple[zipfile.ZipInfo, str]],
    folder: Path,
    refused: list[tuple[str, str]],
) -> dict[str, Any]:
    members, room = [], UNPACKED_BYTES
    for number, (row, name) in enumerate(rows):
        try:
            with archive.open(row) as source:
                data = source.read(room + 1)  # the size in the header is a claim, not a fact
            (folder / str(number)).write_bytes(data[:room])
        except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, OSError) as error:
            refused.append((name, f"it cannot be unpacked ({error}); zip it again"))
            continue
        room -= len(data)
        if room < 0:
            raise InputError(f"it unpacks to over {UNPACKED_BYTES:,} bytes; split it")
        members.append((name, str(number)))
    return {"members": members, "refused": refused}


def flat_names(paths: list[str]) -> list[str]:
    """File names for members: the last part of the path, or the whole path joined by "-" where two would collide."""
    parts = [[p for p in PurePosixPath(path.replace("\\", "/")).parts if p not in ("/", "..", ".")] for path in paths]
    last = [_file_name((names or ["file"])[-1:]) for names in parts]
    counts = Counter(name.lower() for name in last)
    taken: set[str] = set()
    flat = []
    for names, short in zip(parts, last, strict=True):
        name = first = short if counts[short.lower()] == 1 else _file_name(names)
        number = 2
        while name.lower() in taken:
            stem, dot, suffix = first.rpartition(".")
            name, number = f"{stem or suffix}-{number}{dot if stem else ''}{suffix if stem else ''}", number + 1
        taken.add(name.lower())
        flat.append(name)
    return flat


def _file_name(parts: list[str]) -> str:
    """One name of at most NAME_BYTES bytes, its ending kept, with nothing that hides it or leaves the folder."""
    joined = "".join(sign if sign.isprintable() and sign != ":" else "-" for sign in "-".join(parts)).lstrip(".")
    if len(joined.encode()) <= NAME_BYTES:
        return joined or "file"
    ending = PurePosixPath(joined).suffix[:10]
    return joined.encode()[: NAME_BYTES - len(ending.encode())].decode(errors="ignore") + ending


def _is_litter(name: str) -> bool:
    return name.startswith("__MACOSX/") or PurePosixPath(name).name in (".DS_Store", "Thumbs.db", "desktop.ini")


if __name__ == "__main__":
    _main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], Path(sys.argv[4]), *sys.argv[5:])
