"""A tiny random Llama with a byte tokenizer and a chat template: real libraries, trained in a second."""

from typing import Any

from ftrag.models import Loaded
from ftrag.types import Example

TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def tokenizer() -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    names = ["<|im_start|>", "<|im_end|>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    inner = Tokenizer(models.BPE({name: index for index, name in enumerate(names)}, []))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    outer = PreTrainedTokenizerFast(tokenizer_object=inner, eos_token="<|im_end|>", pad_token="<|im_end|>")
    outer.add_special_tokens({"additional_special_tokens": ["<|im_start|>"]})
    outer.chat_template = TEMPLATE
    return outer


def tiny(dtype: str = "float32", seed: int = 0, hidden: int = 32) -> Loaded:
    """Random weights; the fingerprint says which."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    words = tokenizer()
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(words),
        hidden_size=hidden,
        intermediate_size=2 * hidden,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        bos_token_id=None,
        eos_token_id=words.eos_token_id,
        pad_token_id=words.pad_token_id,
        tie_word_embeddings=True,
    )
    model = LlamaForCausalLM(config).to(getattr(torch, dtype)).eval()
    return Loaded(model, words, "tiny", f"{seed:032d}", dtype)


def rows(count: int = 24) -> list[Example]:
    return [Example(f"what is number {n}?", f"It is {n}.", str(n), slice=f"s{n % 2}") for n in range(count)]


def fewer_questions(monkeypatch: Any, **every: int) -> None:
    """Ask every n-th question about forgetting alone, by name, where a test does not turn on the rest."""
    from ftrag.training import forgetting, perplexity

    items, paragraphs = forgetting.items, perplexity.paragraphs
    monkeypatch.setattr(forgetting, "items", lambda words, name: items(words, name)[:: every.get(name, 1)])
    monkeypatch.setattr(perplexity, "paragraphs", lambda words: paragraphs(words)[::4])
