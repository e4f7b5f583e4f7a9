"""Passages go into a prompt whole or not at all, within the budget, in the order that was set."""

import math
from dataclasses import dataclass

import pytest

from ftrag import answering, knowledge, workflows
from ftrag.errors import InputError
from ftrag.retrieval.budget import ForPrompts, fit, window
from ftrag.retrieval.settings import Settings
from ftrag.types import Chunk, Example, Hit


def words(text):
    return len(text.split())


HITS = [Hit(Chunk("d.md", i, " ".join(["w"] * n), 0, n), 9.0 - i, i + 1) for i, n in enumerate((4, 9, 3, 2))]


@pytest.mark.parametrize(
    ("budget", "kept"),
    [(18, [1, 2, 3, 4]), (17, [1, 2, 3]), (9, [1, 3, 4]), (8, [1, 3]), (4, [1]), (3, [3]), (1, [])],
)
def test_the_best_that_still_fit_are_kept(budget, kept):
    shown, dropped = fit(HITS, Settings(context_tokens=budget), words)
    assert [hit.rank for hit in shown] == kept
    assert sorted(hit.rank for hit in [*shown, *dropped]) == [1, 2, 3, 4]
    assert sum(words(hit.chunk.text) for hit in shown) <= budget


def test_the_best_passage_can_stand_nearest_to_the_question():
    shown, _ = fit(HITS, Settings(best_last=True), words)
    assert [hit.rank for hit in shown] == [4, 3, 2, 1]


def test_whole_documents_have_their_own_budget():
    wide = Settings(context_tokens=1, whole_document_tokens=18)
    assert len(fit(HITS, wide, words, whole=True)[0]) == 4
    assert fit(HITS, wide, words) == ([], HITS)  # chunks, however many tokens whole documents may have


def test_chunks_keep_their_budget_where_the_documents_do_not_fit_whole(home):
    workflows.new(home, "demo", "support")
    project, question = home / "projects" / "demo", "What does a Bobber cost?"
    knowledge.change(project, {"context_tokens": 100, "whole_document_tokens": 2_000})
    column = {"adapter": None, "context": "retrieved", "k": 5}
    _, kept, dropped = answering.column_prompt(project, question, column)
    reader = workflows.reader(project)
    assert dropped and sum(reader.count(hit.chunk.text) for hit in kept) <= 100
    assert reader.search(question, 5) == kept


@dataclass(frozen=True)
class Found:
    """A retriever that finds the same passages for every query."""

    hits: list[Hit]

    def search(self, query, k):
        return self.hits[:k]


def test_a_prompt_never_exceeds_what_the_model_reads():
    long = [Hit(Chunk("d.md", i, "w " * 600, 0, 1200), 9.0 - i, i + 1) for i in range(20)]
    settings, shots = Settings(context_tokens=8_000), [Example("how " * 500, "so " * 500)]
    alone = ForPrompts(Found(long), settings, words, window=8_192 - 256).fitted("why?", 20)
    shown = ForPrompts(Found(long), settings, words, 8_192 - 256, shots).fitted("why?", 20)
    assert [len(part) for part in alone] == [12, 8] and [len(part) for part in shown] == [11, 9]
    assert ForPrompts(Found(long), settings, words, window=10).search("why?", 20) == []
    assert len(ForPrompts(Found(long), settings, words).search("why?", 20)) == 13  # no limit is known


def test_the_window_is_that_of_the_models_configuration(tmp_path):
    assert window("") == window(str(tmp_path / "absent" / "tokenizer.json")) == math.inf
    (tmp_path / "config.json").write_text('{"max_position_embeddings": 8192}')
    assert window(str(tmp_path / "tokenizer.json")) == 8192


def test_evaluation_and_chat_read_the_same_passages(home):
    workflows.new(home, "demo", "support")
    project, question = home / "projects" / "demo", "What does a Bobber cost?"
    knowledge.change(project, {"context_tokens": 100, "best_last": True})
    column = {"adapter": None, "context": "retrieved", "k": 5}
    prompt, kept, dropped = answering.column_prompt(project, question, column)
    reader = workflows.reader(project)
    assert isinstance(reader, ForPrompts) and reader.search(question, 5) == kept
    assert kept and dropped and len(kept) + len(dropped) == 5 and kept[-1].rank == 1
    text = prompt.messages[-1]["content"]
    assert [text.find(hit.chunk.text.strip()[:30]) for hit in kept] == sorted(
        text.find(hit.chunk.text.strip()[:30]) for hit in kept
    )
    assert not any(hit.chunk.text in text for hit in dropped)
    with pytest.raises(InputError, match="context_tokens is 0; it must be a whole number from 100 to 8000"):
        knowledge.change(project, {"context_tokens": 0})
