"""The questions of the questionnaire, with options, points, hard constraints and sources."""

from __future__ import annotations

from collections.abc import Mapping

from ftrag.decision.rows import ABSTRACT, AGENTSIA, DOJO, MEASURED, Option, Question

QUESTIONS: tuple[Question, ...] = (
    Question(
        "knowledge-changes",
        "How often does the knowledge change?",
        "The facts that answers rest on: prices, policies, documentation.",
        (
            Option("daily", "Daily", (0, 5, 0), "Weights are out of date before the next training; an index is not."),
            Option("weekly", "Weekly", (0, 5, 0), "Facts that change weekly belong in an index, not in weights."),
            Option("monthly", "Monthly", (0, 4, 0), "Re-indexing a month's changes costs less than a training."),
            Option("quarterly", "Quarterly", (0, 2, 0), "An index follows in minutes, a training takes days."),
            Option("yearly", "Yearly", (0, 1, 0), "Either works; an index is still cheaper to update."),
            Option("never", "Never", (1, 0, 1), "Stable knowledge gives retrieval no advantage in freshness."),
        ),
        (
            ("rag", ("never", "yearly", "quarterly", "monthly", "weekly", "daily")),
            ("fine-tune", ("daily", "weekly", "monthly", "quarterly", "yearly", "never")),
            ("prompt", ("daily", "weekly", "monthly", "quarterly", "yearly", "never")),
        ),
        f"{DOJO}, question 1; {ABSTRACT}, question 1",
        side=("facts",),
    ),
    Question(
        "needs-citations",
        "Must every answer be traceable to a source?",
        "Links, quotes or an audit trail that a reader can check.",
        (
            Option(
                "true",
                "Yes",
                (0, 4, 0),
                "Retrieval names its documents; trained weights cannot say where they learned something.",
                requires="rag",
            ),
            Option("false", "No", (0, 0, 0), "Nothing has to be looked up for the sake of a citation."),
        ),
        (("rag", ("false", "true")),),
        f"{DOJO}, question 2; {ABSTRACT}, question 2",
        side=("facts",),
    ),
    Question(
        "problem",
        "What is missing: knowledge, behaviour or both?",
        "Knowledge: it does not know. Behaviour: it knows, but answers in the wrong way.",
        (
            Option("knowledge", "Knowledge", (0, 4, 0), "Facts are supplied at the time of the question."),
            Option("behaviour", "Behaviour", (0, 0, 3), "Training changes how a model writes and decides."),
            Option("both", "Both", (0, 4, 3), "Retrieval supplies the facts, training the manner; they compose."),
        ),
        (
            ("rag", ("behaviour", "knowledge")),
            ("rag", ("behaviour", "both")),
            ("fine-tune", ("knowledge", "behaviour")),
            ("fine-tune", ("knowledge", "both")),
        ),
        f"{DOJO}, question 3; {ABSTRACT}, question 8; {AGENTSIA}",
        side=("facts", "behaviour"),
    ),
    Question(
        "style-requirements",
        "How much do tone, style or output format matter?",
        "High: an answer in the wrong voice or format counts as wrong.",
        (
            Option("none", "Not at all", (0, 0, 0), "Any clear wording will do."),
            Option("low", "A little", (0, 0, 1), "A sentence in the prompt usually covers it."),
            Option("medium", "They matter", (0, 0, 2), "A style guide in the prompt is followed unevenly."),
            Option("high", "They decide", (0, 0, 4), "A consistent voice or format is learned from examples."),
        ),
        (("fine-tune", ("none", "low", "medium", "high")),),
        f"{DOJO}, 30-second decision 3; {ABSTRACT}, question 3",
        side=("behaviour",),
    ),
    Question(
        "training-data",
        "How many good examples of the wanted answer do you have?",
        "A number, such as 200 examples. Reviewed pairs of question and answer, not raw documents.",
        (
            Option(
                "under 100",
                "Fewer than 100",
                (0, 0, 0),
                "Too few to train on; show the best of them in the prompt.",
                sample="50 examples",
                rules_out="fine-tune",
            ),
            Option(
                "100 to 499",
                "100 to 499",
                (0, 0, 0),
                "Enough for a first LoRA: 104 rows taught our built-in model a house voice.",
                100,
                "200 examples",
            ),
            Option("500 to 999", "500 to 999", (0, 0, 1), "What sources call reliable.", 500, "500 examples"),
            Option("1000 or more", "1,000 or more", (0, 0, 2), "Plenty for LoRA.", 1000, "1000 examples"),
        ),
        (("fine-tune", ("under 100", "100 to 499", "500 to 999", "1000 or more")),),
        f"{DOJO}, question 4; {ABSTRACT}, question 4; {MEASURED}",
        "amount",
    ),
    Question(
        "latency-requirement",
        "How fast must an answer start?",
        "A time with its unit, such as 80ms or 2s.",
        (
            Option(
                "under 100ms",
                "Under 100 ms",
                (-1, -2, 2),
                "Looking up takes 35 to 120 ms before the first word.",
                sample="80ms",
                rules_out="rag",
            ),
            Option("100ms to 500ms", "100 to 500 ms", (0, -1, 1), "Retrieval uses up much of the time.", 0.1, "300ms"),
            Option("500ms to 2s", "0.5 to 2 s", (0, 0, 0), "Retrieval fits.", 0.5, "1s"),
            Option("2s or more", "2 s or more", (0, 0, 0), "Retrieval fits, with reranking.", 2.0, "2s"),
        ),
        (
            ("rag", ("under 100ms", "100ms to 500ms", "500ms to 2s", "2s or more")),
            ("fine-tune", ("2s or more", "500ms to 2s", "100ms to 500ms", "under 100ms")),
            ("prompt", ("under 100ms", "100ms to 500ms", "500ms to 2s", "2s or more")),
        ),
        f"{DOJO}, question 5 and latency table; {ABSTRACT}, question 5",
        "duration",
    ),
    Question(
        "monthly-queries",
        "How many questions a month?",
        "A number, such as 100000.",
        (
            Option("under 1000", "Fewer than 1,000", (1, 0, 0), "Too few to pay back any building.", sample="500"),
            Option("1000 to 999999", "1,000 to a million", (0, 0, 0), "Volume does not decide here.", 1000, "100000"),
            Option(
                "1000000 or more",
                "A million or more",
                (-1, 0, 1),
                "At this volume a small tuned model of your own can cost less per answer.",
                1_000_000,
                "1000000",
            ),
        ),
        (
            ("fine-tune", ("under 1000", "1000 to 999999", "1000000 or more")),
            ("prompt", ("1000000 or more", "1000 to 999999", "under 1000")),
        ),
        f"{DOJO}, cost analysis; {AGENTSIA}, brand-safety workflow",
        "amount",
    ),
    Question(
        "corpus-size",
        "How many documents hold the knowledge?",
        "A number, such as 300 documents; 0 if there are none.",
        (
            Option("none", "None", (0, 0, 0), "There is nothing to search.", sample="0 documents", rules_out="rag"),
            Option("1 to 20", "1 to 20", (1, 0, 0), "They may fit into the prompt whole.", 1, "10 documents"),
            Option("21 to 999", "21 to 999", (0, 1, 0), "Too much for a prompt.", 21, "300 documents"),
            Option("1000 or more", "1,000 or more", (0, 3, 0), "Only a search finds it.", 1000, "5000 documents"),
        ),
        (
            ("rag", ("none", "1 to 20", "21 to 999", "1000 or more")),
            ("prompt", ("1000 or more", "21 to 999", "1 to 20")),
        ),
        f"{DOJO}, decision matrix and long context",
        "amount",
        ("facts",),
    ),
    Question(
        "hardware",
        "What can train and serve a tuned model?",
        "Hosted: a provider trains and serves it for you. Own: you have GPUs for both.",
        (
            Option("none", "Nothing", (0, 1, -2), "A tuned model has to be trained and served somewhere."),
            Option("hosted", "A hosted service", (0, 0, 0), "Possible, at a higher price per token."),
            Option("own", "Our own GPUs", (0, 0, 1), "Training and serving are in reach."),
        ),
        (("fine-tune", ("none", "hosted", "own")), ("rag", ("own", "hosted", "none"))),
        f"{ABSTRACT}, question 6; {DOJO}, decision matrix",
    ),
    Question(
        "domain-syntax",
        "Must domain terms be used like grammar?",
        "Clause types, instrument names, codes: terms that the output is built from, not only mentions.",
        (
            Option("true", "Yes", (0, 0, 3), "Explaining a term in context rarely changes how a model uses it."),
            Option("false", "No", (0, 0, 0), "Terms can be explained in the passage that is retrieved."),
        ),
        (("fine-tune", ("false", "true")),),
        f"{ABSTRACT}, question 7",
        side=("behaviour",),
    ),
    Question(
        "regulated",
        "Is the content regulated, sensitive or legally binding?",
        "Medical, legal, financial or safety content.",
        (
            Option("true", "Yes", (0, 3, 1), "Answers must rest on a text that can be shown, in a compliant tone."),
            Option("false", "No", (0, 0, 0), "No audit trail is demanded from outside."),
        ),
        (("rag", ("false", "true")), ("fine-tune", ("false", "true"))),
        f"{ABSTRACT}, question 9; {DOJO}, decision matrix",
        side=("facts",),
    ),
    Question(
        "evaluation-set",
        "Is there an evaluation set?",
        "Held-out questions with answers that people have checked.",
        (
            Option("true", "Yes", (0, 0, 0), "A training can be judged before it ships."),
            Option("false", "No", (0, 0, -1), "Without it nobody can tell whether a training helped or hurt."),
        ),
        (("fine-tune", ("false", "true")),),
        f"{DOJO}, checklist 5; {ABSTRACT}, lesson 6",
    ),
    Question(
        "prompting-tried",
        "Have a better prompt and a few examples been tried?",
        "Instructions and few-shot examples, on real questions.",
        (
            Option("no", "Not yet", (1, 0, 0), "It costs an afternoon, so it comes first."),
            Option("failed", "Yes, not good enough", (-3, 0, 1), "What prompting cannot hold is what training is for."),
            Option("worked", "Yes, good enough", (4, 0, -1), "Then there is nothing left to build.", requires="prompt"),
        ),
        (("prompt", ("failed", "no", "worked")), ("fine-tune", ("worked", "no", "failed"))),
        f"{DOJO}, checklist 4 and 10",
    ),
    Question(
        "retraining",
        "How often can you retrain?",
        "Including data, training, evaluation and release.",
        (
            Option("never", "Never", (0, 0, -2), "A tuned model stays as it is on its first day."),
            Option("yearly", "Yearly", (0, 0, -1), "Base models improve faster than that."),
            Option("quarterly", "Quarterly", (0, 0, 0), "The usual rhythm for behaviour."),
            Option("monthly", "Monthly", (0, 0, 0), "Often enough for behaviour."),
            Option("weekly", "Weekly", (0, 0, 1), "Training is routine for you."),
        ),
        (("fine-tune", ("never", "yearly", "quarterly", "monthly", "weekly")),),
        f"{DOJO}, checklist 6 and 7; {AGENTSIA}, update cadence",
    ),
    Question(
        "languages",
        "Which languages?",
        "Rare: languages that general models write poorly.",
        (
            Option("english", "English", (0, 0, 0), "Base models are at their best here."),
            Option("several", "Several common ones", (0, 0, 0), "Retrieval needs an index that works across them."),
            Option("rare", "A rare one", (-1, 0, 2), "Training lifted Icelandic correction from 62 to 87."),
        ),
        (("fine-tune", ("english", "several", "rare")), ("prompt", ("rare", "several", "english"))),
        "Published result on Icelandic correction: 62 untuned, 87 tuned, 83 tuned with retrieval",
    ),
    Question(
        "data-may-leave",
        "May your data leave your network?",
        "No: every model and index has to run on your own machines.",
        (
            Option("true", "Yes", (0, 0, 0), "Hosted models are allowed."),
            Option("false", "No", (0, 0, 1), "A small model that you host often needs tuning to be good enough."),
        ),
        (("fine-tune", ("true", "false")),),
        f"{DOJO}, decision matrix",
    ),
)

BY_KEY: Mapping[str, Question] = {question.key: question for question in QUESTIONS}
