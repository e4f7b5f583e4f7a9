"""Arrays and a JSON header in one file, so that one rename replaces them together; read back memory-mapped."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ftrag.project import write_bytes

MAGIC = b"ftrag-arrays-1\n"
ALIGN = 64  # bytes


def write(path: Path, header: Mapping[str, Any], arrays: Mapping[str, np.ndarray[Any, Any]]) -> None:
    """Replace `path` atomically: magic, length of the header, header, then each array at an aligned offset."""
    places, at = {}, 0
    for name, array in arrays.items():
        places[name] = [array.dtype.str, list(array.shape), at]
        at += -(-array.nbytes // ALIGN) * ALIGN
    head = json.dumps({"header": header, "arrays": places}).encode()
    front = MAGIC + f"{len(head):020d}\n".encode() + head
    parts = [front, bytes(-len(front) % ALIGN)]
    for array in arrays.values():
        parts += [np.ascontiguousarray(array).tobytes(), bytes(-array.nbytes % ALIGN)]
    write_bytes(path, b"".join(parts))


def read(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray[Any, Any]]]:
    """(header, arrays) of a file; arrays stay on disk until touched. ValueError if it is damaged, OSError if absent."""
    with path.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            raise ValueError(f"{path.name} is of another version")
        size = int(file.read(21))
        head = json.loads(file.read(size))
    start = -(-(len(MAGIC) + 21 + size) // ALIGN) * ALIGN
    whole = np.memmap(path, dtype=np.uint8, mode="r")
    arrays = {}
    for name, (dtype, shape, at) in head["arrays"].items():
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        if start + at + size > len(whole):
            raise ValueError(f"{path.name} is cut short")
        arrays[name] = np.asarray(whole[start + at : start + at + size]).view(dtype).reshape(shape)
    return head["header"], arrays
