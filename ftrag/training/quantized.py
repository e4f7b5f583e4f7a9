"""A model's weights in 4 bits for QLoRA (Dettmers et al. 2023, 2305.14314), where a GPU and bitsandbytes are there."""

from __future__ import annotations

from importlib.util import find_spec

from ftrag import models
from ftrag.errors import TrainingError
from ftrag.models import Loaded


def load(name: str) -> Loaded:
    """The model in 4-bit NormalFloat with bfloat16 arithmetic. TrainingError where this machine cannot."""
    import torch

    if not torch.cuda.is_available():
        raise TrainingError("4-bit training needs an NVIDIA GPU, and this machine has none; train without --four-bit")
    if find_spec("bitsandbytes") is None:
        raise TrainingError("4-bit training needs bitsandbytes; install it with: pip install 'bitsandbytes>=0.46,<1'")
    from peft import prepare_model_for_kbit_training
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    folder = models.prepare(name)
    config = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )
    model = AutoModelForCausalLM.from_pretrained(folder, quantization_config=config, device_map={"": 0})
    model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
    return Loaded(model, models.tokenizer(name), name, models.fingerprint(folder), "bfloat16")
