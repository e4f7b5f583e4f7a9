"""ZeroGPU: a Space that lends a GPU for one call at a time, to functions that say so, and stops apps without one."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])
SECONDS = 60  # of GPU time that one answer may take


def on_zero() -> bool:
    """Whether this is the app of a ZeroGPU Space. Its jobs are children, which get no GPU: they train on the CPU."""
    return os.environ.get("SPACES_ZERO_GPU", "").lower() in {"1", "t", "true"} and "FTRAG_JOB" not in os.environ


def on_gpu(function: Function) -> Function:
    """`spaces.GPU` on a ZeroGPU Space, elsewhere the function as it is. The Space's builder installs `spaces`."""
    if not on_zero():
        return function
    try:
        import spaces
    except ImportError:
        return function
    decorated: Function = spaces.GPU(duration=SECONDS)(function)
    return decorated
