"""Checks that block a run: a number that rests on a leak or on unequal arms is worse than none."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ftrag.errors import EvaluationBlocked
from ftrag.evaluation.containment import find
from ftrag.prompts import split_context
from ftrag.text import normalise, sentences, words
from ftrag.training.overlap import jaccard, near_across, shingles
from ftrag.types import Document, Example, Gold, Prompt

if TYPE_CHECKING:
    from ftrag.llm import LocalModel

Messages = Sequence[Mapping[str, str]]
RELATED = 0.5  # similarity of questions from which a shared answer is a leak
COPIED = 0.8  # share of a passage's or a long answer's shingles that a training row may not hold
LEAK_WORDS = 4  # shorter questions and passages stand in texts by chance
ASKED = 0.7  # similarity of two questions from which they are one; one changed word in eleven leaves 0.78
NEARBY = 400  # characters after a question in which its answer is looked for
TOLERANCE = 1e-6  # of logits, which are equal to the bit when no adapter is on
NAMED = 5  # findings that a message names


def leaks(gold: Sequence[Gold], examples: Sequence[Example], documents: Sequence[Document]) -> list[dict[str, Any]]:
    """Gold that training or retrieval has seen.

    {gold, where: "training" or "index", what, kind: "exact" or "near", why}
    """
    return [*_trained_questions(gold, examples), *_trained_answers(gold, examples), *_indexed_answers(gold, documents)]


def no_leaks(gold: Sequence[Gold], examples: Sequence[Example], documents: Sequence[Document]) -> None:
    """Raises EvaluationBlocked, naming what has leaked and where."""
    found = leaks(gold, examples, documents)
    if found:
        named = "; ".join(f"{row['gold']} in {row['what']} ({row['why']})" for row in found[:NAMED])
        more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
        raise EvaluationBlocked(
            f"gold answers have leaked: {named}{more}; remove those rows from the training data or those documents "
            "from the project, or replace the questions"
        )


def _trained_questions(gold: Sequence[Gold], examples: Sequence[Example]) -> list[dict[str, Any]]:
    asked = [(row, text) for row in examples for text in (row.prompt, *(user for user, _ in row.history))]
    pairs = near_across([text for _, text in asked], [row.question for row in gold], ASKED)
    found = []
    for i, j, similarity in pairs:
        kind = "exact" if words(asked[i][1]) == words(gold[j].question) else "near"
        why = f"the question is trained, similarity {similarity:.2f}"
        found.append(_finding(gold[j], "training", f"training row {asked[i][0].id}", kind, why))
    return found


def _trained_answers(gold: Sequence[Gold], examples: Sequence[Example]) -> list[dict[str, Any]]:
    """Evidence or long answers copied into a training row, and the right answer to a related question."""
    texts = [_row_text(row) for row in examples]
    prompts = [shingles(row.prompt) for row in examples]
    wholes = [shingles(text) for text in texts]
    by_prompt, by_whole = _Postings(prompts), _Postings(wholes)
    found = []
    for wanted in gold:
        asked = shingles(wanted.question)
        copies = [_copies(wanted, label, by_whole) for label in ("evidence", "answers")]
        for place in sorted(by_prompt.holding(asked, RELATED).union(*copies)):
            if why := _copied(wanted, texts[place], wholes[place], jaccard(prompts[place], asked)):
                kind = "exact" if why.endswith("there word for word") else "near"
                found.append(_finding(wanted, "training", f"training row {examples[place].id}", kind, why))
    return found


class _Postings:
    """Which texts hold a shingle, so that not every text is compared with every other."""

    def __init__(self, sets: Sequence[frozenset[str]]) -> None:
        self.places: dict[str, list[int]] = {}
        for place, members in enumerate(sets):
            for member in members:
                self.places.setdefault(member, []).append(place)

    def holding(self, wanted: frozenset[str], share: float) -> set[int]:
        """Every text that may hold that share of the shingles: it holds one of the rarest, more than it may lack."""
        rarest = sorted(wanted, key=lambda member: len(self.places.get(member, ())))
        return {
            place for member in rarest[: int((1 - share) * len(wanted)) + 1] for place in self.places.get(member, ())
        }


def _copies(gold: Gold, label: str, rows: _Postings) -> set[int]:
    passages = gold.evidence if label == "evidence" else gold.answers
    long = [shingles(passage) for passage in passages if len(words(passage)) >= LEAK_WORDS + 2]
    return set().union(*(rows.holding(passage, COPIED) for passage in long))


def _row_text(row: Example) -> str:
    return "\n".join([*row.context, *(text for turn in row.history for text in turn), row.prompt, row.response])


def _copied(gold: Gold, text: str, whole: frozenset[str], related: float) -> str:
    for label, passages in (("evidence", gold.evidence), ("answer", gold.answers)):
        for passage in passages:
            wanted = shingles(passage)
            if len(words(passage)) < LEAK_WORDS + 2 or len(wanted & whole) < COPIED * len(wanted):
                continue
            if label == "answer" or any(find(text, answer, gold.question) for answer in gold.answers):
                exact = " ".join(words(passage)) in " ".join(words(text))
                return f"its {label} stands there {'word for word' if exact else 'nearly word for word'}"
    if RELATED <= related < 1 and any(find(text, answer, gold.question) for answer in gold.answers):
        return f"a related question, similarity {related:.2f}, has its answer"
    return ""


def _indexed_answers(gold: Sequence[Gold], documents: Sequence[Document]) -> list[dict[str, Any]]:
    """Questions that stand in an indexed document with their answer beside them, as in an ingested gold file."""
    asked = [row for row in gold if len(words(row.question)) >= LEAK_WORDS]
    pieces = [(document, start, end) for document in documents for start, end in _pieces(document.text)]
    pairs = near_across(
        [document.text[start:end] for document, start, end in pieces], [row.question for row in asked], ASKED
    )
    found = []
    for i, j, similarity in pairs:
        document, start, end = pieces[i]
        near = document.text[start : end + NEARBY]
        if not asked[j].answers or any(find(near, answer, asked[j].question) for answer in asked[j].answers):
            kind = "exact" if similarity == 1 else "near"
            why = "the question stands there with its answer"
            found.append(_finding(asked[j], "index", document.name, kind, why))
    return [*found, *_inside_rows(asked, documents, {(row["gold"], row["what"]) for row in found})]


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    """Sentences, and the quoted texts and cells of a line of data."""
    for start, end in sentences(text):
        yield start, end
        for match in re.finditer(r'"([^"\n]{8,400})"|(?<=\|)([^|\n]{8,400})(?=\|)', text[start:end]):
            yield start + match.start(), start + match.end()


def _inside_rows(gold: Sequence[Gold], documents: Sequence[Document], known: set[Any]) -> list[dict[str, Any]]:
    """Questions of several sentences or inside longer lines, where sentence borders do not help."""
    found = []
    for document in documents:
        text = f" {' '.join(words(document.text))} "
        for row in gold:
            if f" {' '.join(words(row.question))} " in text and (row.id, document.name) not in known:
                near = _from_question(document.text, row.question)
                if not row.answers or any(find(near, answer, row.question) for answer in row.answers):
                    why = "the question stands there with its answer"
                    found.append(_finding(row, "index", document.name, "exact", why))
    return found


def _from_question(text: str, question: str) -> str:
    """The text from a question on that stands in it word for word, with its signs: "€5.65" is no mere 5.65."""
    written = normalise(text)
    match = re.search(r"[\W_]+".join(map(re.escape, words(question))), written)
    return written[match.start() : match.end() + NEARBY] if match else written


def _finding(gold: Gold, where: str, what: str, kind: str, why: str) -> dict[str, Any]:
    return {"gold": gold.id, "where": where, "what": what, "kind": kind, "why": why}


def same_templates(prompts: Mapping[tuple[str | int, str], Messages]) -> None:
    """All arms of a question differ in passages and shots alone. Raises EvaluationBlocked where they do not.

    prompts: (question id, arm) -> chat messages. Compared are the system message and the last turn without its
    <context> block, and that the block is the one that ftrag writes.
    """
    first: dict[str | int, tuple[str, tuple[str, str]]] = {}
    for (id_, arm), messages in prompts.items():
        shape = _shape(messages)
        passages, question = split_context(messages[-1]["content"])
        if passages and not messages[-1]["content"].startswith("<context>\n") or not question.strip():
            raise EvaluationBlocked(
                f"the prompt of {id_} under {arm} does not use the <context> template of the other arms"
            )
        other, wanted = first.setdefault(id_, (arm, shape))
        if shape != wanted:
            raise EvaluationBlocked(
                f"{id_} is asked with different templates under {other} and {arm}; use one system message and one "
                "wording of the question in all arms"
            )


def _shape(messages: Messages) -> tuple[str, str]:
    system = "\n".join(message["content"] for message in messages if message["role"] == "system")
    return system, split_context(messages[-1]["content"])[1]


def same_questions(rows: Sequence[Mapping[str, Any]], arms: Sequence[str] = ()) -> None:
    """Arms are compared on one set of questions. Raises EvaluationBlocked naming what one arm lacks."""
    asked: dict[str, set[Any]] = {}
    for row in rows:
        asked.setdefault(row["arm"], set()).add(row["id"])
    everything = set().union(*(asked.get(arm, set()) for arm in arms or asked))
    for arm in arms or list(asked):
        missing = sorted(map(str, everything - asked.get(arm, set())))
        if missing:
            raise EvaluationBlocked(
                f"the arms answer different questions: {arm} lacks {len(missing)} of {len(everything)} "
                f"({', '.join(missing[:NAMED])}); resume the run before comparing"
            )


def base_is_bare(llm: LocalModel, prompt: Prompt) -> None:
    """With no adapter asked for, the model's logits are those of its own layers. Raises EvaluationBlocked if not.

    The reference calls every LoRA layer's base layer directly, so that it depends on no switch of PEFT's.
    """
    import torch

    from ftrag.prompts import render

    text = render(llm.loaded.tokenizer, prompt.messages)
    with llm.step(None) as model:
        batch = llm.loaded.tokenizer(text, add_special_tokens=False, return_tensors="pt").to(model.device)
        asked = model(**batch, logits_to_keep=1).logits
        with _without_adapters(model) as merged:
            bare = model(**batch, logits_to_keep=1).logits
    gap = float(torch.max(torch.abs(asked.float() - bare.float())))
    if merged or gap > TOLERANCE:
        how = "is merged into the weights" if merged else f"is on in the base arms and moves their logits by {gap:.3g}"
        raise EvaluationBlocked(f"an adapter {how}; restart the app and run the evaluation again")


@contextmanager
def _without_adapters(model: Any) -> Iterator[bool]:
    """Every adapted layer answers with its base layer alone; yields whether an adapter is merged into one."""
    adapted = [layer for layer in model.modules() if hasattr(layer, "base_layer") and hasattr(layer, "lora_A")]
    for layer in adapted:
        layer.forward = layer.base_layer.forward
    try:
        yield any(getattr(layer, "merged", False) for layer in adapted)
    finally:
        for layer in adapted:
            del layer.forward
