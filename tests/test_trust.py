"""Planted faults that must block a run: leaks, an adapter left on in a base arm, unequal templates and questions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ftrag.errors import EvaluationBlocked
from ftrag.evaluation import trust
from ftrag.evaluation.gold import read_gold
from ftrag.prompts import chat
from ftrag.training.examples import read_examples
from ftrag.types import Document, Example, Gold, Prompt

SUPPORT = Path(__file__).resolve().parent.parent / "examples" / "support"
FEE = Gold(
    "g1",
    "How much is the late fee after a second failed payment?",
    ("€5.65",),
    ("If the second try fails as well, we add a late fee of €5.65.",),
)
NOTICE = Gold(
    "g2", "How do I end my berth contract?", ("Write to the harbour office two months before the year ends.",)
)
GOLD = [FEE, NOTICE]


def document(text: str, name: str = "page.md") -> Document:
    return Document(name, text, "0" * 64)


def found(examples: list[Example] | None = None, documents: list[Document] | None = None) -> list[tuple[Any, ...]]:
    rows = trust.leaks(GOLD, examples or [], documents or [])
    return [(row["gold"], row["where"], row["kind"]) for row in rows]


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        (Example("how much is the LATE FEE after a second failed payment", "No idea.", id="t"), "exact"),
        (Example("How much is the late fee after the second failed payment?", "No idea.", id="t"), "near"),
        (Example("Fees?", "If the second try fails as well, we add a late fee of €5.65.", id="t"), "exact"),
        (Example("Fees?", "Sadly, if the second try fails too, we add a late fee of €5.65.", id="t"), "near"),
        (
            Example("Hi", "Hello", id="t", context=("If the second try fails as well, we add a late fee of €5.65.",)),
            "exact",
        ),
        (Example("How much is the late fee after one more failed payment?", "It is 5.65 euros.", id="t"), "near"),
        (Example("hm", "yes", id="t", history=((FEE.question, "later"),)), "exact"),
    ],
)
def test_gold_in_the_training_rows(row: Example, kind: str) -> None:
    assert ("g1", "training", kind) in found([row])
    with pytest.raises(EvaluationBlocked, match="g1 in training row t"):
        trust.no_leaks(GOLD, [row], [])


def test_a_long_gold_answer_in_a_training_row() -> None:
    row = Example("Bye", "Write to the harbour office two months before the year ends.", id="t")
    assert found([row]) == [("g2", "training", "exact")]


@pytest.mark.parametrize(
    "row",
    [
        Example("What is the monthly price of a business account?", "It is €5.65.", id="t"),  # a value by chance
        Example("How much is a Bobber?", "It is €16.80.", id="t"),
        Example("How do I start a berth contract?", "Sign it in the app.", id="t"),
    ],
)
def test_an_innocent_training_row(row: Example) -> None:
    assert found([row]) == []


@pytest.mark.parametrize(
    "text",
    [
        f"# Fees\n\nQ: {FEE.question}\nA: It is €5.65.\n",
        json.dumps({"id": "g1", "question": FEE.question, "answers": ["€5.65"]}, ensure_ascii=False),
        f"id,question,answers\ng1,{FEE.question},€5.65\n",
        f"| {FEE.question} | 5.65 euros |",
        "how much is the late fee after the second failed payment? That would be €5.65.",
    ],
)
def test_gold_questions_with_their_answers_in_the_index(text: str) -> None:
    assert [row[:2] for row in found(documents=[document("Nothing here."), document(text, "leak.md")])] == [
        ("g1", "index")
    ]
    with pytest.raises(EvaluationBlocked, match=r"g1 in leak\.md"):
        trust.no_leaks(GOLD, [], [document(text, "leak.md")])


def test_a_question_of_two_sentences_is_found_with_its_answer_and_its_currency() -> None:
    lost = Gold("g3", "My Bobber fell in the lake. What does a replacement set me back?", ("€12.45", "12.45 euros"))
    for answer, leaked in (("€12.45", ["g3"]), ("$12.45", []), ("Ask us.", [])):
        rows = trust.leaks([lost], [], [document(f"# FAQ\n\nQ: {lost.question}\nA: {answer}\n", "faq.md")])
        assert [row["gold"] for row in rows] == leaked


@pytest.mark.parametrize(
    "text",
    [
        "If the second try fails as well, we add a late fee of €5.65.",  # the page that holds the fact
        f"{FEE.question} Ask the desk.",  # the question without its answer
        "How much is a Bobber? It is €5.65.",
    ],
)
def test_an_innocent_document(text: str) -> None:
    assert found(documents=[document(text)]) == []


def test_the_example_project_has_no_leak_and_its_own_gold_file_is_one() -> None:
    gold, _ = read_gold(SUPPORT / "gold.jsonl")
    examples, _, _ = read_examples(SUPPORT / "examples.jsonl")
    pages = [
        document(path.read_text(encoding="utf-8"), path.name) for path in sorted((SUPPORT / "documents").iterdir())
    ]
    assert trust.leaks(gold, examples, pages) == []
    key = document((SUPPORT / "gold.jsonl").read_text(encoding="utf-8"), "gold.jsonl")
    leaked = {row["gold"] for row in trust.leaks(gold, [], [key]) if row["where"] == "index"}
    assert leaked == {row.id for row in gold}


def test_equal_templates_pass() -> None:
    trust.same_templates(
        {
            ("q", "base"): chat("How much?"),
            ("q", "prompt"): chat("How much?", few_shot=[Example("a", "b")]),
            ("q", "base+rag"): chat("How much?", ["It is €5.", "More."]),
            ("r", "base"): chat("Another question?"),
        }
    )


@pytest.mark.parametrize(
    "other",
    [
        chat("How much?", system="You are a pirate."),
        chat("Answer briefly. How much?"),
        ({"role": "user", "content": "How much?"},),  # no system message
        (chat("x")[0], {"role": "user", "content": "Context: It is €5.\n\nHow much?"}),
        (chat("x")[0], {"role": "user", "content": "<context>It is €5.</context> How much?"}),  # not as ftrag writes it
    ],
)
def test_different_templates_block(other: Any) -> None:
    with pytest.raises(EvaluationBlocked, match="template"):
        trust.same_templates({("q", "base"): chat("How much?"), ("q", "base+rag"): other})


def test_different_question_sets_block() -> None:
    rows = [{"id": i, "arm": arm} for arm in ("base", "lora") for i in range(5)]
    trust.same_questions(rows)
    with pytest.raises(EvaluationBlocked, match=r"lora lacks 1 of 5 \(4\)"):
        trust.same_questions(rows[:-1])
    with pytest.raises(EvaluationBlocked, match="prompt lacks 5 of 5"):
        trust.same_questions(rows, ["base", "prompt"])


@pytest.fixture(scope="module")
def adapted() -> Any:
    """A tiny random model with a LoRA that changes what it says."""
    import torch
    from peft import LoraConfig, get_peft_model
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    from ftrag.llm import LocalModel
    from ftrag.models import Loaded

    torch.manual_seed(0)
    words = Tokenizer(models.WordLevel({word: i for i, word in enumerate(["<unk>", "how", "much", "user"])}, "<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, unk_token="<unk>", pad_token="<unk>")
    tokenizer.chat_template = "{% for m in messages %}{{ m.role }} {{ m.content }} {% endfor %}"
    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    model = LlamaForCausalLM(LlamaConfig(vocab_size=8, **sizes)).eval()
    llm = LocalModel(Loaded(model, tokenizer, "tiny", "0", "float32"))
    config = LoraConfig(r=4, target_modules=["q_proj", "v_proj"], init_lora_weights=False)
    llm.model = get_peft_model(model, config, adapter_name="a").eval()
    llm.adapters, llm.active = {"a": None}, "a"
    return llm


def test_the_base_is_bare(adapted: Any) -> None:
    prompt = Prompt(chat("how much"))
    trust.base_is_bare(adapted, prompt)
    with adapted.step("a"):
        pass
    trust.base_is_bare(adapted, prompt)  # the check itself leaves everything as it was
    trust.base_is_bare(adapted, prompt)


def test_an_adapter_left_on_in_a_base_arm_blocks(adapted: Any) -> None:
    prompt = Prompt(chat("how much"))
    with adapted.step(None) as model:
        model.base_model.enable_adapter_layers()  # behind the model's back: it still takes itself for the base
        model.set_adapter("a")
    try:
        with pytest.raises(EvaluationBlocked, match="an adapter is on in the base arms"):
            trust.base_is_bare(adapted, prompt)
    finally:
        adapted.active = "a"
    trust.base_is_bare(adapted, prompt)


def test_a_merged_adapter_blocks(adapted: Any) -> None:
    with adapted.step("a") as model:
        model.merge_adapter()
        adapted.active = None
    try:
        with pytest.raises(EvaluationBlocked, match="merged"):
            trust.base_is_bare(adapted, Prompt(chat("how much")))
    finally:
        adapted.model.unmerge_adapter()
        adapted.active = "a"
