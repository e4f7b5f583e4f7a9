"""The arms: the same questions, answered in eight ways. Rows; `why` is what the page prints."""

from ftrag.types import Arm

ARMS = {
    "base": Arm(False, "none", False, "the model as it is"),
    "prompt": Arm(False, "none", True, "does showing a few examples suffice, without any training?"),
    "base+rag": Arm(False, "retrieved", False, "do retrieved passages suffice?"),
    "prompt+rag": Arm(False, "retrieved", True, "do examples help the model to use retrieved passages?"),
    "base+oracle": Arm(False, "oracle", False, "could a perfect retriever repair it?"),
    "lora": Arm(True, "none", False, "does fine-tuning alone repair it?"),
    "lora+rag": Arm(True, "retrieved", False, "do fine-tuning and retrieval together?"),
    "lora+oracle": Arm(True, "oracle", False, "could the tuned model with a perfect retriever?"),
}

# What can be deployed, cheapest first. The oracle arms are diagnoses: nobody has gold passages in production.
COST_ORDER = ("base", "prompt", "base+rag", "prompt+rag", "lora", "lora+rag")
AXES = ("content", "behaviour")
