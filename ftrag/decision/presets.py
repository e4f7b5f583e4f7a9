"""The sources' own scenarios as answer sets, with the sources' verdicts to hold ours against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ftrag.decision.rows import ABSTRACT, AGENTSIA, DOJO


@dataclass(frozen=True)
class Preset:
    name: str  # what the command line and a link take
    title: str
    answers: Mapping[str, str]
    verdicts: tuple[str, ...]  # the source's own verdict; several where the source leaves it open
    source: str
    why: str  # the source's reason in a sentence, and where ours differs, why


def _row(name: str, title: str, answers: str, verdicts: str, source: str, why: str) -> Preset:
    pairs = dict(part.split("=", 1) for part in answers.split("; "))
    return Preset(name, title, pairs, tuple(verdicts.split(" or ")), source, why)


PRESETS: tuple[Preset, ...] = (
    _row(
        "sample",
        "The sample command",
        "knowledge-changes=weekly; needs-citations=true; style-requirements=high; training-data=200 examples; "
        "latency-requirement=2s; monthly-queries=100000",
        "both",
        f"{DOJO}, deliverable",
        "Weekly facts with citations call for retrieval, high style for training; 200 examples are enough for LoRA.",
    ),
    _row(
        "support-bot",
        "Support bot for a SaaS product",
        "knowledge-changes=weekly; needs-citations=true; style-requirements=medium; training-data=50 examples",
        "rag",
        f"{DOJO}, example 1",
        "The product changes and customers want links; 50 examples are too few to train on.",
    ),
    _row(
        "brand-voice",
        "Brand voice generator",
        "knowledge-changes=never; needs-citations=false; problem=behaviour; style-requirements=high; "
        "training-data=500 pieces",
        "fine-tune",
        f"{DOJO}, example 2",
        "The whole point is style, and there are 500 approved pieces.",
    ),
    _row(
        "legal-research",
        "Legal research assistant",
        "knowledge-changes=weekly; needs-citations=true; problem=both; style-requirements=high; "
        "training-data=3000 documents; regulated=true",
        "both",
        f"{DOJO}, example 3",
        "New cases and statutes must be cited, and the writing must be legal writing.",
    ),
    _row(
        "product-search",
        "E-commerce product search",
        "knowledge-changes=daily; problem=knowledge; style-requirements=none; corpus-size=10000 documents",
        "rag",
        f"{DOJO}, exercise 1.1",
        "The catalogue changes constantly.",
    ),
    _row(
        "code-review",
        "Code review in the company's style",
        "problem=both; style-requirements=high; knowledge-changes=monthly; training-data=500 examples",
        "both",
        f"{DOJO}, exercise 1.2",
        "The style guide is behaviour, the knowledge of the code is retrieved.",
    ),
    _row(
        "symptom-checker",
        "Medical symptom checker",
        "needs-citations=true; problem=knowledge; knowledge-changes=monthly; regulated=true",
        "rag",
        f"{DOJO}, exercise 1.3",
        "Medical information must be accurate, cited and current.",
    ),
    _row(
        "copywriter",
        "Social media copywriter",
        "problem=behaviour; style-requirements=high; knowledge-changes=never; needs-citations=false",
        "fine-tune",
        f"{DOJO}, exercise 1.4",
        "A pure style task.",
    ),
    _row(
        "helpdesk",
        "IT helpdesk bot",
        "knowledge-changes=weekly; problem=knowledge; style-requirements=low; corpus-size=500 documents",
        "both or rag",
        f"{DOJO}, exercise 1.5",
        "Internal systems are looked up; it becomes both if style requirements are high.",
    ),
    _row(
        "cost-exercise",
        "500,000 questions with citations and a brand voice",
        "monthly-queries=500000; needs-citations=true; style-requirements=high; training-data=500 examples",
        "both",
        f"{DOJO}, exercise 2",
        "The exercise compares pure RAG with the hybrid; citations need retrieval and the brand voice training.",
    ),
    _row(
        "legal-design",
        "Legal research under $5,000 a month",
        "monthly-queries=100000; needs-citations=true; style-requirements=high; knowledge-changes=weekly; "
        "problem=both; regulated=true",
        "both",
        f"{DOJO}, exercise 3",
        "The exercise asks for a hybrid: case law is searched, formal style is trained. At the default prices it "
        "costs about $2,660 a month, inside the limit.",
    ),
    _row(
        "brand-safety",
        "Brand-safety classifier in an ad auction",
        "knowledge-changes=quarterly; needs-citations=false; problem=behaviour; style-requirements=high; "
        "training-data=5000 examples; latency-requirement=80ms; domain-syntax=true; hardware=own",
        "fine-tune",
        f"{AGENTSIA}, workflow 1",
        "A narrow decision in a fixed vocabulary, inside the auction's time window.",
    ),
    _row(
        "enterprise-support",
        "Support assistant for an enterprise product",
        "knowledge-changes=weekly; needs-citations=true; problem=knowledge; style-requirements=none; "
        "corpus-size=2000 documents",
        "rag",
        f"{AGENTSIA}, workflow 2",
        "The behaviour works out of the box; the documentation changes weekly and must be cited.",
    ),
    _row(
        "clinical",
        "Clinical decision support",
        "knowledge-changes=daily; needs-citations=true; problem=both; style-requirements=high; regulated=true; "
        "data-may-leave=false; hardware=own; training-data=1000 examples",
        "both",
        f"{AGENTSIA}, workflow 3",
        "The hospital's protocol is learned, the patient's record and formulary are retrieved.",
    ),
    _row(
        "notion",
        "Notion AI",
        "knowledge-changes=daily; problem=knowledge; style-requirements=none; retraining=never",
        "rag",
        f"{ABSTRACT}, deployment 1",
        "Every user's pages change all the time; freshness counts more than style.",
    ),
    _row(
        "copilot",
        "GitHub Copilot",
        "knowledge-changes=daily; problem=both; domain-syntax=true; training-data=1000000 examples; hardware=own",
        "both",
        f"{ABSTRACT}, deployment 2",
        "Code patterns are learned, the user's own code is put into the context.",
    ),
    _row(
        "stripe",
        "Stripe's support bot",
        "knowledge-changes=weekly; problem=both; style-requirements=high; training-data=10000 tickets",
        "both",
        f"{ABSTRACT}, deployment 3",
        "Voice and escalation language are trained, documentation and prices retrieved.",
    ),
    _row(
        "bloomberg",
        "BloombergGPT",
        "knowledge-changes=never; needs-citations=false; problem=behaviour; domain-syntax=true; "
        "training-data=1000000 documents; hardware=own",
        "fine-tune",
        f"{ABSTRACT}, deployment 4",
        "Domain reasoning was wanted; current figures already came from the terminal.",
    ),
    _row(
        "cursor",
        "Cursor",
        "knowledge-changes=daily; problem=knowledge; style-requirements=medium; training-data=0 examples",
        "rag",
        f"{ABSTRACT}, deployment 5",
        "It must work on any repository at once, without training for each project.",
    ),
    _row(
        "hr-chatbot",
        "HR chatbot in the company's tone",
        "knowledge-changes=quarterly; problem=both; style-requirements=high; training-data=500 examples; "
        "regulated=true",
        "both",
        f"{ABSTRACT}, quiz 5",
        "HR's voice is trained, the policies are retrieved and never trained.",
    ),
    _row(
        "catalog-quiz",
        "Chatbot over a weekly product catalogue",
        "knowledge-changes=weekly; problem=knowledge",
        "rag",
        f"{ABSTRACT}, quiz 1",
        "A trained model would be stale within days.",
    ),
    _row(
        "contract-quiz",
        "Contract extraction that fails on paraphrases",
        "problem=behaviour; domain-syntax=true; training-data=10000 examples; knowledge-changes=never",
        "fine-tune",
        f"{ABSTRACT}, quiz 2 and tiers",
        "Clause extraction is a training task; the quiz's failure is overfitting; paraphrases cure it.",
    ),
    _row(
        "small-gpu-quiz",
        "Tuning a 7B model on one 24 GB GPU",
        "problem=behaviour; hardware=own; training-data=500 examples",
        "fine-tune",
        f"{ABSTRACT}, quiz 3",
        "The quiz takes fine-tuning as decided and asks how: QLoRA, which the recipe names.",
    ),
    _row(
        "reranker-quiz",
        "A reranker on a retrieval pipeline",
        "problem=knowledge; corpus-size=5000 documents; latency-requirement=2s",
        "rag",
        f"{ABSTRACT}, quiz 4",
        "The quiz takes retrieval as decided and asks what a reranker does; the recipe says where it belongs.",
    ),
)

BY_NAME: Mapping[str, Preset] = {preset.name: preset for preset in PRESETS}
