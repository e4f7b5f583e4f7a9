"""The Hub as this package speaks to it: a client whose errors are sentences, and transfers that tell how far they are.

A token is an argument here and nothing else: it goes into no file, variable, log or message.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ftrag.errors import InputError, NotFound
from ftrag.pace import every

Told = Callable[[float], None]  # a share of all bytes, in [0, 1]
REPO = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")
STREAMED = 1_000_000  # bytes; a file from this size on is sent as a stream, so that its progress is known
LOOK_SECONDS = 0.3  # between two looks at what has arrived


@contextlib.contextmanager
def client(token: str | None, repo: str) -> Iterator[Any]:
    """huggingface_hub's client; what it raises becomes one sentence without the token."""
    import httpx2
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, RepositoryNotFoundError
    from huggingface_hub.utils.tqdm import disable_progress_bars

    checked_repo(repo)
    disable_progress_bars()
    try:
        yield HfApi(endpoint=os.environ.get("HF_ENDPOINT"), token=token or False)
    except RepositoryNotFoundError:
        raise NotFound(f"the Hub has no repository {repo}, or this token may not see it") from None
    except HfHubHTTPError as error:
        status = getattr(getattr(error, "response", None), "status_code", "no")
        raise InputError(f"the Hub refused ({status}) for {repo}: {REASONS.get(status, 'try again later')}") from None
    except (HFValidationError, ValueError) as error:
        raise InputError(f"the Hub did not take {repo}: {_without(token, str(error))}") from None
    except (httpx2.HTTPError, OSError) as error:
        raise InputError(
            f"the connection to the Hub broke ({type(error).__name__}); nothing half is left, try again"
        ) from None


def checked_repo(repo: str) -> None:
    """InputError unless it is NAME/REPOSITORY."""
    if not REPO.fullmatch(repo):
        raise InputError(f"{repo[:100]!r} is not a repository; write it as NAME/REPOSITORY")


REASONS: dict[Any, str] = {  # of a status
    401: "the token is missing or wrong; make one with write access and try again",
    403: "this token may not write there; use your own name, and a token with write access",
    404: "there is nothing of that name",
    409: "it exists already; choose another name",
    413: "it is too large",
    429: "too many requests; wait a while",
}


def _without(token: str | None, text: str) -> str:
    return (text.replace(token, "…") if token else text)[:300]


def checked_token(token: str | None) -> str:
    """A token as the Hub gives them. InputError when it cannot be one."""
    text = (token or "").strip()
    if not re.fullmatch(r"[\x21-\x7e]{8,500}", text):
        raise InputError("a token with write access is needed; make one under Settings, Access Tokens on the Hub")
    return text


# --- transfers


class Sending(io.BufferedReader):
    """A file that tells after each read how far it is; read again from its start when a transfer is tried again."""

    told: Callable[[], None] | None = None

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        if self.told:
            self.told()
        return data


def upload(api: Any, folder: Path, repo: str, kind: str, message: str, told: Told) -> Any:
    """Send a folder as one commit; told(share) as the bytes of its large files go. Returns the commit.

    Large files go as streams, which the Hub takes by plain HTTP instead of its block storage: the price of a figure.
    """
    from huggingface_hub import CommitOperationAdd

    files = sorted(path for path in folder.rglob("*") if path.is_file())
    with contextlib.ExitStack() as opened:
        large = {
            path: opened.enter_context(Sending(io.FileIO(path))) for path in files if path.stat().st_size >= STREAMED
        }
        total = sum(path.stat().st_size for path in large)
        operations = [
            CommitOperationAdd(path.relative_to(folder).as_posix(), large.get(path, str(path))) for path in files
        ]
        for file in large.values():  # what was read so far was for their hashes
            file.told = lambda: told(sum(one.tell() for one in large.values()) / total)
        return api.create_commit(repo, operations, commit_message=message, repo_type=kind)


def download(api: Any, repo: str, sizes: dict[str, int], revision: str, folder: Path, told: Told) -> None:
    """Fetch these files, name -> bytes, into a folder; told(share) as they arrive."""
    total = max(1, sum(sizes.values()))

    def look() -> None:
        told(min(1.0, sum(path.stat().st_size for path in _arrived(folder)) / total))

    with every(LOOK_SECONDS, look):
        for name in sizes:
            api.hf_hub_download(repo, name, revision=revision, local_dir=folder)


def _arrived(folder: Path) -> Sequence[Path]:
    """Whole files, and those that are still coming; huggingface_hub names the latter .incomplete."""
    return [path for path in folder.rglob("*") if path.is_file() and not path.name.endswith((".lock", ".metadata"))]
