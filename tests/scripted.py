"""`python -m tests.scripted`: the app with a model that repeats what it read, at SCRIPT_STEP seconds a word.

Everything but the weights is real: for measuring the app under load, and for a model whose output is an attack.
"""

import os
import time

from ftrag import workflows
from ftrag.llm import ScriptedLLM
from ftrag.ui import serve, warm

WORDS = int(os.environ.get("SCRIPT_WORDS", "0"))  # at most so many words of the last message; 0: all
STEP = float(os.environ.get("SCRIPT_STEP", "0"))


class Parrot(ScriptedLLM):
    """Says the user's last message again; an adapter changes nothing."""

    def __init__(self):
        super().__init__(lambda prompt: " ".join(str(prompt.messages[-1]["content"]).split(" ")[-WORDS:]))

    def add_adapter(self, name, folder):
        pass

    def count_tokens(self, text):
        return len(text.split())

    def stream(self, prompts, settings):
        for deltas in super().stream(prompts, settings):
            time.sleep(STEP)
            yield deltas


def main():
    parrot = Parrot()
    workflows.model = lambda name: parrot
    warm._line["text"] = "A scripted model"
    warm.load_in_background = lambda: None
    return serve.main()


if __name__ == "__main__":
    raise SystemExit(main())
