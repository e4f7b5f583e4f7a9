"""The sentences of the Decide tab: questions, recommendation, costs, capabilities."""

SKIP, START_AGAIN, BACK, NEXT_STEP = "Skip", "Start again", "Back", "Next: {step}"
STEP_TITLES = ("Facts", "Manner", "Means", "Limits")
KNOWN_CASE = "Start from a known case"
ALL_CASES = "All known cases: the sources' verdicts and ours"
CASE_HEADERS = ("Case", "Source says", "We say", "Why", "Source")
DIFFERS, OR = " (differs)", " or "
CONTRADICTIONS = "Where the sources contradict each other"
CONTRADICTION_HEADERS = ("Topic", "Sources", "Here", "Why")
SOURCES = "Sources: {titles}."

ROUTES = {
    "prompt": "Prompt",
    "rag": "RAG",
    "fine-tune": "Fine-tune",
    "both": "Both: RAG and fine-tuning",
    "not enough information": "Not enough information yet",
}
OUT = "(out)"  # of a route that is ruled out; longer, the bars' names run into each other on a phone
ROUTE, POINTS, KIND = "Route", "Points", "Kind"
POINTS_NOTE = (
    "Prompting starts with 3 points. A route needs at least 3, and as many as prompting. (out): ruled out by an answer."
)
WARNINGS, WHY, CHANGES = "Warnings", "Why", "What would change it"
RECIPE, CHECKLIST = "How to build it", "Checklist before you fine-tune"
NO_WARNINGS, NO_WHY = "None.", "Answer a question to see what it changes."
NO_CHANGES, NO_RECIPE = "No one or two answers would change it.", "There is nothing to build yet."
ANSWERED = "{answered} of {all} questions answered, the rest skipped."
FIRST_GUESS = "This is a first guess; Evaluate measures it on your questions."
NOT_COUNTED, UNREADABLE = "Not counted: {text}", "{question} This {problem}"
CASE_NOTE = "{title}: {source} says {verdicts}. {why}"

COSTS, COUNT_TOKENS = "What it costs", "Count the tokens in this project's index"
COST_LINES, PRICES = "Every line: formula, inputs, basis", "Prices and amounts (edit the values)"
PRICE_COLUMNS = ("Input", "Value", "Unit", "Basis", "Source", "Date")
PRICES_BROKEN = "A column or a row of the prices was missing, so the edit was not taken; they are back."
SHARE, LINK = "Share and export", "Link that restores these answers"
EXPORT, DOWNLOADS = "Export as Markdown, HTML and JSON", "Downloads"

KEEP = "Keep these answers with the project"
KEPT_WITH = "These are the answers kept with {project}; change any of them."
KEPT = "Kept with {project}: its runs will be held against the route “{route}”."

CAPABILITIES = "Classify what your application must do"
CAPABILITY_LINES = "Capabilities, one a line"
CAPABILITY_EXAMPLE = "Answers must quote the clause they rest on\nAlways sound like our brand\nNo need for citations"
CLASSIFY, FROM_FILE = "Classify", "From a file"
CAPABILITY, TYPE = "Capability", "Type"
CAPABILITY_COLUMNS = (CAPABILITY, TYPE, "Why")
CORRECT_IT = "Wrong? Click its row and choose another type below, or type it into the table"
TYPE_OF = "Type of: {capability}"
USE_CAPABILITIES, EXPORT_TABLE = "Answer the questions with it", "Export the table"
OVERALL = "**Overall: {route}** ({counts}). Together they answer: {said}."
OVERALL_NOTHING = "Overall ({counts}): they do not answer any question yet."
FILE_TOO_LARGE = "{file} is larger than 1 MB; give a list of capabilities, one a line."
TABLE_BROKEN = "A column or a row of the table is missing; clear its filters, or classify again."
NO_TYPE = "'{given}' is no type; use {types}."
BY_HAND = "Set by hand."
FROM_CAPABILITIES = "Answered from the capabilities."
CLASSIFYING = "classifying"
