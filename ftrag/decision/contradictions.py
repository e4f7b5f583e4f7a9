"""Where the sources contradict themselves or each other, and what ftrag does instead."""

from __future__ import annotations

# (topic, what the sources say, what ftrag does, why)
CONTRADICTIONS: tuple[tuple[str, str, str, str], ...] = (
    (
        "How many examples",
        "Neural Dojo: 100 to 1,000 for LoRA, better 500. Abstract Algorithms: 500, fewer usually hurts.",
        "Below 100 fine-tuning is ruled out; 100 to 499 is allowed with a warning; 500 adds a point, 1,000 two.",
        "104 rows taught our built-in model a house voice (0.83 of answers): 500 is no floor. Measured lift decides.",
    ),
    (
        "Strict latency",
        "Neural Dojo: 100 ms. Abstract Algorithms: 500 ms.",
        "Below 100 ms retrieval is ruled out; 100 to 500 ms costs it a point.",
        "Looking up takes 35 to 120 ms by Neural Dojo's own table: it cannot fit into 100 ms and can into 500.",
    ),
    (
        "First match or all factors",
        "Abstract Algorithms' nine questions stop at the first yes: weekly facts in a house style end at RAG.",
        "All answers are added up; only hard constraints overrule.",
        "Asked in order, 'both' could never be reached for facts that change, which is its main use.",
    ),
    (
        "Slow retrieval",
        "Abstract Algorithms: 'no' to question 5 means fine-tuning in the checklist, RAG in the list of tiers.",
        "No time for retrieval counts toward fine-tuning.",
        "The list of tiers contradicts its own question; a time limit cannot speak for the slower route.",
    ),
    (
        "No signal at all",
        "The capability classifier calls a 0 to 0 tie 'both'.",
        "It is 'unclear', as an empty questionnaire is 'not enough information'.",
        "Both is the most expensive route; nothing should lead there by default.",
    ),
    (
        "When in doubt",
        "Neural Dojo: start with RAG; and: good prompting is often enough.",
        "Prompting starts with 3 points, the others with none.",
        "It costs an afternoon, and it is the baseline that the others have to beat.",
    ),
    (
        "Model cost at 100,000 questions",
        "Neural Dojo's sample prints $2,500; its formula gives 100,000 x 1,000 tokens x $2.50 per million = $250.",
        "The formula, shown with its inputs.",
        "$2,500 belongs to the example with a million questions.",
    ),
    (
        "Price of the hybrid",
        "Neural Dojo prices RAG with LoRA at the untuned rate; its own sample adds $250 for LoRA serving.",
        "A tuned model is billed at the tuned rate, or by the GPU hour when you host it.",
        "The adapter runs in every answer, so every answer is a tuned one.",
    ),
    (
        "Price of tuned tokens",
        "Neural Dojo: 4 to 8 times the base rate ($12 against $2.50).",
        "1.5 times by default (GPT-4o list price), editable.",
        "The factor 8 dates from GPT-3.5; list prices have come down since.",
    ),
    (
        "Two-year totals",
        "Neural Dojo: fine-tuning costs 4 to 5 times as much; its own table says $460K against $85K, which is 5.4.",
        "Every line is computed from inputs that you can edit.",
        "Its model costs at 100,000 questions ($60K in two years) are ten times its own formula.",
    ),
    (
        "High volume",
        "Neural Dojo: tuned tokens cost more. Agentsia: a small tuned model costs a fraction per decision.",
        "From a million questions a month one point toward fine-tuning; the cost table shows the break-even.",
        "Both are right: hosted tuned tokens cost more, a small model on your own GPU costs less at volume.",
    ),
    (
        "Preference pairs",
        "Abstract Algorithms: 200 pairs beat 1,000 plain rows in one place, 2,000 in another.",
        "Not used in the decision.",
        "Neither figure has a source.",
    ),
    (
        "Size of the evaluation set",
        "Abstract Algorithms: 50 questions.",
        "The recipe says 100 to 200.",
        "A gain of 10 points is found 32 % of the time with 60 questions, 54 % with 100, 87 % with 200.",
    ),
    (
        "The helpdesk exercise",
        "Neural Dojo answers it with a set: both or RAG, depending on style requirements.",
        "Either counts as agreement; ours is RAG, and both once style requirements are high.",
        "The exercise does not say how much style matters, so no single answer can be the right one.",
    ),
    (
        "Stories as evidence",
        "Neural Dojo supports its advice with survey percentages, sums lost and a leaked memo, none with a source.",
        "None of them is shown, and none moved a weight.",
        "What nobody can look up is no evidence; Evaluate measures the routes on your own questions.",
    ),
)
