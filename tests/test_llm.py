"""The token loop against transformers' own generate, with the real weights."""

import pytest

from ftrag.llm import LocalModel, ScriptedLLM, _Decoder, complete
from ftrag.prompts import chat, render
from ftrag.types import Generation, Prompt

QUESTIONS = [
    "What is the capital of France?",
    "Write two sentences about rivers, then count from one to five.",
    "Say hello in Japanese, with the characters. Then use three emoji.",
    "List three colours.",
]


@pytest.fixture(scope="module")
def local():
    from ftrag.models import load

    return LocalModel(load(dtype="float32"))


def generated(local, texts, limit):
    batch = local.loaded.tokenizer(
        texts, padding=True, padding_side="left", add_special_tokens=False, return_tensors="pt"
    )
    out = local.model.generate(**batch, max_new_tokens=limit, do_sample=False)
    answers = out[:, batch["input_ids"].shape[1] :]
    return [text.strip() for text in local.loaded.tokenizer.batch_decode(answers, skip_special_tokens=True)]


@pytest.mark.slow
def test_greedy_tokens_equal_generate_singly_and_in_a_padded_batch(local):
    prompts = [Prompt(chat(question)) for question in QUESTIONS]
    texts = [render(local.loaded.tokenizer, prompt.messages) for prompt in prompts]
    batch = [text for text, *_ in complete(local, prompts, Generation(max_new_tokens=48))]
    assert batch == generated(local, texts, 48)
    for prompt, text in zip(prompts, texts, strict=True):
        (alone, *_), *_ = complete(local, [prompt], Generation(max_new_tokens=48))
        assert [alone] == generated(local, [text], 48)


@pytest.mark.slow
def test_a_seed_gives_the_same_sample_whatever_else_is_in_the_batch(local):
    prompts = [Prompt(chat(question)) for question in QUESTIONS[:2]]
    sampled = Generation(max_new_tokens=16, temperature=0.8, top_p=0.9, seed=7)
    pair, alone = complete(local, prompts, sampled), complete(local, prompts[:1], sampled)
    assert pair[0][0] == alone[0][0]
    assert pair[0][0] != complete(local, prompts[:1], Generation(16, temperature=0.8, seed=8))[0][0]


@pytest.mark.slow
def test_the_limits_hold_and_say_which(local):
    deltas = [d for ds in local.stream([Prompt(chat("Count to ninety."))], Generation(max_new_tokens=5)) for d in ds]
    assert (deltas[-1].done, deltas[-1].tokens) == ("length", 5)
    late = [d for ds in local.stream([Prompt(chat("Count."))], Generation(max_new_tokens=500, seconds=0.0)) for d in ds]
    assert late[-1].done == "time"


@pytest.mark.slow
def test_a_decoded_stream_never_shows_a_broken_character(local):
    tokenizer = local.loaded.tokenizer
    text = "Grüße 🚣‍♀️ to 東京, naïve café – “ok” 👩🏽‍🚀!"
    decoder, seen = _Decoder(tokenizer), ""
    ids = tokenizer.encode(text, add_special_tokens=False)
    for place, token in enumerate(ids):
        piece = decoder.add(token, 0, False, len(ids), False).text
        assert "\ufffd" not in piece, place
        seen += piece
    assert seen == text


def test_a_scripted_model_streams_like_a_real_one():
    llm = ScriptedLLM(lambda prompt: prompt.messages[-1]["content"].upper())
    answers = complete(llm, [Prompt(chat("one two")), Prompt(chat("three"))], Generation())
    assert [text for text, *_ in answers] == ["ONE TWO", "THREE"]
