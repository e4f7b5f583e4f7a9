"""The built-in model, loaded while the page already answers; and the line that says what answers, and how fast."""

from __future__ import annotations

import importlib
import threading
import time
import traceback
from itertools import pairwise

from ftrag import models, workflows
from ftrag.errors import FtragError
from ftrag.types import Generation, LanguageModel, Prompt
from ftrag.ui import texts

DTYPES = {"bfloat16": "bf16", "float32": "fp32", "float16": "fp16"}
MEASURED_TOKENS = 24
THREAD = "ftrag-model"
_line = {"text": ""}  # written by the loading thread, read by every visitor's clock
_fastest = {"rate": 0.0}  # tokens per second of the best answer so far: what the machine does when nothing else runs


def model_line() -> str:
    """Model and hardware with the measured speed; while the model loads, how far it is, after "…"."""
    rate = _fastest["rate"]
    return _line["text"].format(speed=texts.MODEL_SPEED.format(rate=rate) if rate >= 2 else texts.MODEL_BUSY)


def answered(tokens_per_second: float) -> None:
    """An answer came at this speed."""
    _fastest["rate"] = max(_fastest["rate"], tokens_per_second)


def loading() -> bool:
    """Whether the built-in model is on its way."""
    return any(thread.name == THREAD for thread in threading.enumerate())


SETTLED = ("torch", "transformers.models.auto.tokenization_auto")


def settle() -> None:
    """Import before the first visitor what breaks a handler while another thread has half imported it.

    scipy asks sys.modules for torch without waiting (https://github.com/data-apis/array-api-compat); transformers,
    which loads its names when they are asked for, has no AutoTokenizer then.
    """
    for name in SETTLED:
        importlib.import_module(name)


def load_in_background() -> threading.Thread:
    """Load the built-in model in a thread of its own, then measure it."""

    def load() -> None:
        title = models.MODELS[models.DEFAULT].title
        _line["text"] = "… " + texts.MODEL_LOADING.format(model=title)
        try:
            models.prepare(models.DEFAULT, lambda share, said: _line.update(text=_plain(f"… {said} ({share:.0%})")))
            llm = workflows.model(models.DEFAULT)
            answered(rate(llm))
            dtype = DTYPES.get(llm.loaded.dtype, llm.loaded.dtype)
            _line["text"] = f"{title}, {hardware()}, {dtype}, {{speed}}"
        except FtragError as error:
            _line["text"] = _plain("… " + texts.MODEL_FAILED.format(reason=error))
        except Exception as error:  # a thread that dies in silence would leave "loading" on the page for ever
            traceback.print_exception(error)
            _line["text"] = "… " + texts.MODEL_FAILED.format(reason=type(error).__name__)

    thread = threading.Thread(target=load, name=THREAD, daemon=True)
    thread.start()
    return thread


def _plain(text: str) -> str:
    """A text that `format` gives back as it is."""
    return text.replace("{", "{{").replace("}", "}}")


def hardware() -> str:
    """The processor or graphics card that the model runs on, in two words."""
    import torch

    if torch.cuda.is_available():
        return str(torch.cuda.get_device_name())
    cores = torch.get_num_threads()
    return texts.CORE if cores == 1 else texts.CORES.format(cores=cores)


def rate(llm: LanguageModel) -> float:
    """Tokens per second of one answer after its first token: the fastest quarter of steps, so that a busy moment at
    the start does not stay on the page."""
    from ftrag import prompts

    prompt = Prompt(prompts.chat("Count from one to thirty in words.", []))
    times = [time.perf_counter() for _ in llm.stream([prompt], Generation(max_new_tokens=MEASURED_TOKENS, seconds=3))]
    steps = sorted(after - before for before, after in pairwise(times))
    return 1 / steps[len(steps) // 4] if steps else 0.0
