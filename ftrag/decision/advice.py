"""What a verdict brings with it: warnings, the ten-point checklist before a training, and the recipe to build it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ftrag.decision.answers import Answer
from ftrag.decision.questions import QUESTIONS
from ftrag.decision.rows import ABSTRACT, AGENTSIA, DOJO, MEASURED

RHYTHM = ("never", "yearly", "quarterly", "monthly", "weekly", "daily")  # slowest first


@dataclass(frozen=True)
class Situation:
    """Answers by option name, and the verdict."""

    said: Mapping[str, str]  # question key -> option id
    route: str
    scores: Mapping[str, int]

    def has(self, key: str, *options: str) -> bool:
        return self.said.get(key) in options

    @property
    def trains(self) -> bool:
        return self.route in ("fine-tune", "both")

    @property
    def retrieves(self) -> bool:
        return self.route in ("rag", "both")


@dataclass(frozen=True)
class Warn:
    holds: Callable[[Situation], bool]
    text: str


def _slower_than_facts(s: Situation) -> bool:
    changes, retrains = s.said.get("knowledge-changes"), s.said.get("retraining")
    return s.trains and bool(changes and retrains) and RHYTHM.index(str(retrains)) < RHYTHM.index(str(changes))


WARNINGS: tuple[Warn, ...] = (
    Warn(
        lambda s: s.has("training-data", "under 100") and s.has("style-requirements", "medium", "high"),
        "Too few examples: below 100 a LoRA rarely moves. Put the best ones into the prompt and collect more.",
    ),
    Warn(
        lambda s: s.trains and s.has("training-data", "100 to 499"),
        "100 to 499 examples: enough for a LoRA on style in our prototype (104 rows); one source warns below 500. "
        "Measure the lift before you rely on it.",
    ),
    Warn(
        lambda s: s.trains and "training-data" not in s.said,
        "The number of examples was not answered; with fewer than 100 fine-tuning is ruled out.",
    ),
    Warn(
        lambda s: s.trains and s.has("knowledge-changes", "daily", "weekly", "monthly"),
        "Keep facts that change out of the training examples: baked into weights they are repeated with confidence "
        "after they have changed.",
    ),
    Warn(
        lambda s: s.route == "fine-tune" and s.has("knowledge-changes", "daily", "weekly", "monthly", "quarterly"),
        "Fine-tuning alone will not follow knowledge that changes; answers go stale between trainings.",
    ),
    Warn(
        _slower_than_facts,
        "You retrain less often than the knowledge changes; only retrieval can keep the facts current.",
    ),
    Warn(
        lambda s: s.retrieves and s.has("latency-requirement", "under 100ms"),
        "Two answers conflict: sources must be shown, but looking up takes 35 to 120 ms of a budget under 100 ms. "
        "Cache frequent questions or relax the limit.",
    ),
    Warn(
        lambda s: s.has("latency-requirement", "under 100ms") and not s.retrieves and s.has("problem", "knowledge"),
        "The problem is knowledge, but the time limit rules retrieval out; no route here is a good one. "
        "Relax the limit or precompute the answers.",
    ),
    Warn(
        lambda s: s.has("latency-requirement", "under 100ms", "100ms to 500ms"),
        "Generating takes 0.5 to 2 s on hosted models; below that, plan for a small model of your own.",
    ),
    Warn(
        lambda s: s.retrieves and s.has("latency-requirement", "100ms to 500ms"),
        "Retrieval takes 35 to 120 ms and reranking 50 to 100 ms; measure the total and leave reranking out if needed.",
    ),
    Warn(
        lambda s: s.retrieves and s.has("corpus-size", "none"),
        "Retrieval needs documents and there are none yet; write down the knowledge first.",
    ),
    Warn(
        lambda s: s.has("problem", "knowledge") and not s.retrieves and s.scores["fine-tune"] >= s.scores["rag"] > 0,
        "Fine-tuning teaches behaviour, not facts. If wrong facts are the problem, look at retrieval again.",
    ),
    Warn(
        lambda s: s.trains and s.has("hardware", "none"),
        "Nothing can train or serve a tuned model yet; a hosted service or one GPU with 24 GB is the least you need.",
    ),
    Warn(
        lambda s: s.has("hardware", "hosted") and s.has("data-may-leave", "false"),
        "Two answers conflict: a hosted service means that data leaves your network.",
    ),
    Warn(
        lambda s: s.has("evaluation-set", "false"),
        "Build the evaluation set first: without it no route can be judged. 50 questions find only large differences; "
        "a gain of 10 points needs about 200.",
    ),
    Warn(
        lambda s: s.has("prompting-tried", "no") and s.route != "prompt",
        "Prompting and few-shot have not been tried; they are the cheapest route and the baseline to beat.",
    ),
    Warn(
        lambda s: s.trains and s.has("retraining", "never"),
        "Without retraining the tuned model is overtaken by better base models; plan its end of life.",
    ),
    Warn(
        lambda s: s.retrieves and s.has("languages", "several", "rare"),
        "Keyword search does not cross languages; index each language or use a multilingual embedding.",
    ),
    Warn(
        lambda s: s.retrieves and s.has("regulated", "true"),
        "Regulated content: let the system refuse when no passage supports an answer, and keep the passages shown.",
    ),
)


def warnings(given: Mapping[str, Answer], route: str, scores: Mapping[str, int]) -> list[str]:
    """The warnings that hold for these answers, and one sentence that names how much was skipped."""
    situation = _situation(given, route, scores)
    found = [row.text for row in WARNINGS if row.holds(situation)]
    skipped = len(QUESTIONS) - len(given)
    if given and skipped:
        found.append(f"{skipped} of {len(QUESTIONS)} questions were skipped and count for nothing.")
    return found


def _situation(given: Mapping[str, Answer], route: str, scores: Mapping[str, int]) -> Situation:
    said = {key: answer.option.id for key, answer in given.items()}
    return Situation(said, route, scores)


def _from(key: str, yes: tuple[str, ...], no: tuple[str, ...]) -> Callable[[Mapping[str, str]], bool | None]:
    """True, False, or None where the question was skipped or its answer settles nothing."""
    return lambda said: True if said.get(key) in yes else False if said.get(key) in no else None


def _behaviour_needed(said: Mapping[str, str]) -> bool | None:
    """Settled by the question about style, or by the one about knowledge and behaviour; either one suffices."""
    style, problem = said.get("style-requirements"), said.get("problem")
    if style in ("medium", "high") or problem in ("behaviour", "both") or said.get("domain-syntax") == "true":
        return True
    return False if style or problem else None


def _never_answered(said: Mapping[str, str]) -> bool | None:
    return None


CHECKLIST: tuple[tuple[str, Callable[[Mapping[str, str]], bool | None]], ...] = (
    (
        "At least 100 high-quality examples (500 or more preferred)",
        _from("training-data", ("100 to 499", "500 to 999", "1000 or more"), ("under 100",)),
    ),
    (
        "The knowledge is static for six months or more",
        _from("knowledge-changes", ("never", "yearly"), ("daily", "weekly", "monthly", "quarterly")),
    ),
    (
        "A change of behaviour is needed: style, tone or reasoning",
        _behaviour_needed,
    ),
    (
        "Retrieval and few-shot prompting were tested first",
        _from("prompting-tried", (), ("no",)),  # that prompting failed says nothing of retrieval: still open
    ),
    ("An evaluation pipeline is ready", _from("evaluation-set", ("true",), ("false",))),
    ("There is time for 3 to 5 training cycles", _from("retraining", ("weekly", "monthly", "quarterly"), ("never",))),
    (
        "There is a plan for when base models improve",
        _from("retraining", ("weekly", "monthly", "quarterly", "yearly"), ("never",)),
    ),
    ("Catastrophic forgetting has been tested", _never_answered),
    (
        "Latency is critical enough to do without retrieval",
        _from("latency-requirement", ("under 100ms",), ("500ms to 2s", "2s or more")),
    ),
    (
        "It is understood why fine-tuning beats prompting here",
        _from("prompting-tried", ("failed",), ("no", "worked")),
    ),
)


def checklist(given: Mapping[str, Answer], route: str) -> list[dict[str, Any]]:
    """The ten points to settle before a fine-tuning: {item, state: yes|no|open, applies, source}."""
    said = {key: answer.option.id for key, answer in given.items()}
    states = {True: "yes", False: "no", None: "open"}
    applies = route in ("fine-tune", "both")
    return [
        {"item": item, "state": states[rule(said)], "applies": applies, "source": f"{DOJO}, checklist {number}"}
        for number, (item, rule) in enumerate(CHECKLIST, 1)
    ]


# (step, setting, source, routes it belongs to)
RECIPE: tuple[tuple[str, str, str, str], ...] = (
    ("Prompt", "Clear instructions, then 3 to 5 of your best examples", f"{DOJO}, 30-second decision 4", "prompt"),
    ("Chunks", "Split at headings and paragraphs, 256 to 512 tokens, 64 overlap", f"{ABSTRACT}, chunking", "rag both"),
    ("Index", "BM25 with stemming; add embeddings and fuse the two if wording varies", MEASURED, "rag both"),
    ("Passages", "Try 1, 3 and 5; small models read one best", MEASURED, "rag both"),
    ("Reranking", "Cross-encoder on the top 20, keep 5, if 50 to 100 ms are left", f"{ABSTRACT}, lesson 4", "rag both"),
    ("Examples", "Prompt and answer pairs in one voice, no changing facts", f"{ABSTRACT}, HR design", "fine-tune both"),
    ("Context in training", "Show passages in the same template as when serving", f"{AGENTSIA}, integration", "both"),
    ("LoRA", "Rank 16, alpha 32, dropout 0.05, q k v o projections", f"{DOJO}, LoRA settings", "fine-tune both"),
    ("Training", "3 epochs, rate up to 2e-4, one adapter per voice", f"{ABSTRACT}, failure modes", "fine-tune both"),
    ("Small GPU", "QLoRA (4-bit base) fits 7B models into 24 GB", f"{ABSTRACT}, quiz 3", "fine-tune both"),
    ("Refresh", "Re-index when documents change; retrain only for behaviour", f"{AGENTSIA}, integration", "both"),
    (
        "Evaluation",
        "100 to 200 held-out questions; compare base, prompt, retrieval, LoRA and both on the same rows",
        f"{ABSTRACT}, lesson 6; exact McNemar power",
        "prompt rag fine-tune both",
    ),
)


def recipe(given: Mapping[str, Answer], route: str) -> list[dict[str, str]]:
    """How to build the recommended route: rows {step, setting, source}; empty while nothing is recommended."""
    rows = [(step, text, source) for step, text, source, routes in RECIPE if route in _routes(routes)]
    slow = given.get("latency-requirement")
    if slow is not None and slow.option.id in ("under 100ms", "100ms to 500ms"):
        rows = [row for row in rows if row[0] != "Reranking"]
    return [{"step": step, "setting": text, "source": source} for step, text, source in rows]


def _routes(words: str) -> set[str]:
    return set(words.split())
