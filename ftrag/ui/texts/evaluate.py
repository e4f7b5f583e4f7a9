"""The sentences of the Evaluate tab: verdict, bars, failures, questions, gates and promotion."""

RUN, EVALUATE, CANCEL = "Run", "Evaluate", "Cancel"
SETTINGS, ARMS, LIMIT = "Arms, number of questions, other runs", "Arms", "Only the first N questions (0: all)"
COMPARE, DRILL = "Compare with and without retrieval", "Freshness drill"
REROUTE, SIBLING = "Reroute to RAG", "Open the rerouted sibling"
GROUPS, QUESTIONS = "Groups of failures: words, size, examples, what to do", "Questions"
EVERY_NUMBER = "Every number: arms, differences, costs"
ROW_HEADERS = ("id", "question", "expected", "answer of the arm held", "content cause", "behaviour cause")
GATES, REPORT, REPORT_AS = "Gates and promotion", "Report", "Report as {form}"
RUN_CHOICE, RECORDED, STALE = "{when} · {n} questions · {route}", " · recorded", " · stale"

BUSY = "{command} is going on in this project already; wait for it or cancel it"
NO_SIBLING = "there is no sibling yet; press Reroute to RAG and wait for the job"
NOT_BUSY = "nothing is being evaluated in this project"
NO_RUN = "there is no run yet; evaluate first"
NO_RUN_TO_DECIDE = "there is no run to decide by these gates yet; evaluate first"
NO_RUN_TO_REPORT = "there is no run to report yet; evaluate first"
NO_RUN_TO_PROMOTE = "there is no run to promote yet; evaluate first"
GIVE_BOTH = "a step is kept with who took it and why; give both"
NO_RELEASE = "no release of this project is promoted, so there is none to retire"

ALL_COMPARISONS = "All comparisons ({count} more)"
QUESTIONNAIRE, EXPECTED_ROUTE, GATES_SAY = "Questionnaire", "Expected", "Gates"
COST = "<b>Cost:</b> {arm} {usd} a query, base {base}{extra}."
PER_ADDITIONAL, SAVED = ", {usd} per additional right answer", ", {usd} saved each"
WOULD_CHANGE = "What would change this verdict ({count})"
UNSCORED = " {count} answers could not be scored and are left out."
FACTS = (
    "{n} questions; the smallest gain they could have shown is {effect:.0f} points (one comparison, "
    "power 0.8, exact McNemar).{left_out} {machine}, {created}."
)
RIGHT_IN = {"both": "right in fact and form", "content": "right in fact", "behaviour": "right in form"}
WITHOUT, WITH, BASE, TUNED = "without retrieval", "with retrieval", "base model", "fine-tuned"
MORE, LESS, SURE = "more", "less", ", and the interval excludes 0"
INTERACTION = (
    "Retrieval gains {points:.0f} points {verb} on the tuned model "
    "than on the base model (95 % interval {low:+.0f} to {high:+.0f}{sure})."
)
BARS = "Right answers per arm"
BARS_NOTE = "Share of right answers, cheapest arm first; the line is the 95 % interval. Oracle arms are diagnoses."
CAUSES, CAUSE_HEADER, TO_GET = "Why questions fail", "cause, and what to do", "To get, for the facts:"
REGRESSIONS = "Wrong although base is right: {broken}."
NEEDED, NO_ESTIMATE, ABOUT = "{effect:.0f} points: {questions:,}", "no estimate", "about {time}"
SECONDS, MINUTES = "{value:.0f} s", "{value:.0f} min"
PLAN = (
    "<b>{arms} arms × {n} questions: {time}</b>, {basis}. The smallest gain that would show is "
    "<b>{effect:.0f} points</b>. Questions needed to find a gain of {needed} "
    "(power 0.8, comparisons: {comparisons})."
)
PLAN_ALONE = " <b>With base alone nothing is tried</b>, so that no route can be found: choose at least one more arm."
NO_FAILURES = "No question fails under the base model."
ALIKE = "Failures that are alike"
ALIKE_NOTE = (
    "Each point is a question that the base model fails, near those that read alike. Click a point or a group to see "
    "its questions below. Filled: a group that halves of the data confirm; ring: no common pattern."
)
FAILURES_OF = "Failures of {axis}, alike ones near each other"
CLUSTER_HEADERS, SIZE_OF = ("cause", "words", "size", "slices", "for example", "what to do"), "{size} of {of}"
ALL_QUESTIONS, GROUP, REST = "all questions", "group {number} · {what}", "rest {number} · {what}"
OR, A_REFUSAL, REFUSAL_EXPECTED = " or ", "(a refusal)", "a refusal: no document answers it"
EXPECTED = "Expected:"
DOUBT = "{arms} agree with each other against the gold answer: check it. They say: {answer}"
EVIDENCE, NO_ANSWER, TOKENS = "Evidence: {place}.", "no answer", "{tokens} tokens"
SCORES = {"token_f1": "token F1", "completeness": "key points", "faithfulness": "faithful"}
JUDGE, CONTENT, BEHAVIOUR = "judge", "content", "behaviour"
PASSAGES = "Passages that were retrieved ({count})"

ARM_TABLE = "Every arm, with 95 % intervals"
ARM_HEADERS = (
    "arm",
    "content",
    "behaviour",
    "both",
    "first token p50 / p95",
    "answer p50 / p95",
    "tokens",
    "what it shows",
)
TWO_TIMES, TO = "{p50:.1f} / {p95:.1f} s", "{low:+.0f} to {high:+.0f}"
JUDGED = "The judge {model} found right: {shares}."
JUDGE_SAYS = "judge {model}: {why}"
ASK_JUDGE = "Ask the judge {model} too: questions, accepted answers and answers go to {host}; it decides nothing"
DIFFERENCES = "Paired differences ({axis})"
DIFFERENCE_HEADERS = ("difference", "points", "95 % interval", "repaired", "broken", "same", "p")
COSTS = "What it costs ({axis})"
COST_HEADERS = ("arm", "a query", "a right answer", "one more than base", "formula")
COST_NOTE = "Tokens measured (a prompt token taken as 4 characters), prices from the cost model."

GATES_HELP = (
    "Edit the rows and save them with the project: gates that you set bind the verdict and promotion; the defaults "
    "bind promotion alone. Metrics: {metrics}. Arms: {arms}."
)
GATE_COLUMNS = ("on", "metric", "arm", "direction", "limit", "why")
SAVE_GATES, DEFAULT_GATES = "Save gates and decide again", "Back to the defaults"
WHO, WHO_HINT, WHY, WHY_HINT = "Who", "your name", "Why", "what you checked"
PROMOTE, RETIRE = "Promote", "Retire"
OWN_GATES, USUAL_GATES = "set by this project", "the defaults"
GATES_FOR = "Gates for {arm}: {state} ({origin})"
GATE_HEADERS = ("gate", "rule", "measured", "careful bound", "state", "why")
NO_PROMOTION, RELEASES = "Nothing has been promoted in this project yet.", "Releases"
RELEASE_HEADERS = ("release", "now", "adapter", "run", "step", "who", "when", "why")
NO_NUMBER = "gate {number}: the limit must be a number, not {given!r}"
