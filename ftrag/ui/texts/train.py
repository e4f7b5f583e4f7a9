"""The sentences of the Train tab: data in, what is wrong with them, a training and what came of it."""

DOCUMENTS, EXAMPLES, GOLD = "Documents", "Training examples", "Gold questions"
TEMPLATES = "Templates of training rows, one for each shape that is understood: {links}"
LENGTHS, LENGTHS_PLOT = "Lengths of the training rows, and a cleaned copy", "Rows by length in tokens"
CLEAN, DOWNLOADS = "Make a cleaned copy and a list of the rows left out", "Downloads"
IN_PROJECT, DELETE_ONE, DELETE = "Documents in this project", "Delete a document", "Delete"
DOCUMENT_HEADERS = ("document", "chunks")
NO_DOCUMENT, DELETED = "choose a document to delete", "{document} was deleted."
ONLY_DOCUMENTS = "{documents} documents. {reason}"
TAKEN_HEADERS, TAKEN, REFUSED, ROW = ("file", "", "what"), "taken", "refused", "row {row}: "
NO_SHAPE = "No known shape fits. Say which column holds the question, and which one the answer."
COLUMNS = ("Question column", "Answer column", "Worse answer, for preference pairs (optional)")
USE_COLUMNS = "Use these columns"
SAME_COLUMN = "choose one column for the question and another for the answer"

SETTINGS = "Training settings"
EPOCHS, RANK, LEARNING_RATE, DROPOUT = "Epochs", "LoRA rank r (alpha is 2r)", "Learning rate", "Dropout"
BY_DATA = "Left as it is: chosen by the amount of data and the model"
CONTEXT_SHARE, SEED = "Share of rows that see passages", "Seed"
TRAIN, ESTIMATE, CANCEL = "Train", "Estimate first", "Cancel"
NOT_YET = "Train cannot be pressed yet. {reason}"
BUSY, NOT_BUSY = (
    "this project is being trained already; wait for it or cancel it",
    "nothing is being trained in this project",
)
LOSS_PLOT, RATE_PLOT = "Loss", "Learning rate"
LOSS_KINDS = ("training", "held-out")
MACHINES = "More machines: the same training on several processors or GPUs"
MACHINES_NOTE = "Every process reads the same project folder; the result is the same as on one machine, to rounding."

LIVE = {  # a job's number -> its label
    "loss": "loss",
    "eval_loss": "held-out loss",
    "learning_rate": "learning rate",
    "tokens_per_second": "tokens per second",
    "memory_mib": "MiB of memory",
}
TIME_LEFT = "left"
CANCELLED = "Cancelled; the last checkpoint is kept. Press Train with the same settings to go on from it."
LOST = "Press Train with the same settings: it goes on from the last checkpoint."
FAILED = "Nothing was changed. Repair what the message names, then press Train again."
ESTIMATED = "Nothing is trained yet. It would take"
ESTIMATED_BY = "Estimated:"
ABOUT, OF_MEMORY, STEPS = "about, from a few measured steps", "of memory", "steps"
TRAINABLE, ROWS_HELD = "trainable parameters", "rows, {held_out} more held out"
MEMORY = "{mib:,} MiB"

NEWEST, LOSS, HELD_OUT_LOSS = "Newest adapter", "loss {loss:.3f}", "held-out loss {loss:.3f}"
ROWS, PARAMETERS = "{rows} rows", "{count:,} trainable parameters"
ALL_ADAPTERS, ADAPTER_HEADERS = "All {count} adapters", ("adapter", "rows", "loss", "held-out", "time")
GATES = {
    "general": "General questions",
    "safety": "Safe answers",
    "reading": "Reads its passages (this project's gold questions)",
}
GATE_HEADERS = ("what must not be lost", "base", "adapter", "difference, 95 %", "gate")
GATE_SPAN = "{difference:+.3f} ({low:+.3f} to {high:+.3f})"
PERPLEXITY = (
    "Perplexity on plain text: {base:.1f} before, {adapter:.1f} after "
    "({ratio:.2f} times, 95 % {low:.2f} to {high:.2f})."
)
SAMPLES = "The same prompts, answered without and with the adapter."
NO_EFFECT = "The LoRA had no effect: all {count} answers are the same without it."
SAMPLE_HEADERS = ("prompt", "base", "with the adapter")

PARSED = {"prompt": "question", "response": "answer", "rejected": "worse answer", "context": "passages"}
COUNTS = "<b>{documents} documents</b> · <b>{rows} training rows</b> · <b>{gold} gold questions</b>"
TOKENS_ALL, TOKENS_LEARNED = "tokens in all rows", "of them learned: the answers"
TOKENS_USUAL, TOKENS_LONGEST = "tokens in a usual row", "tokens in the longest row"
BLOCKED, DIFFERENT_ROWS = "Training is blocked:", "{rows} different rows."
GOLD_ROW, HOLDS_GOLD = "{row} = gold {gold} ({kind})", "{document} holds gold {gold}"
CHECKS = {  # a check -> its title, what a finding means
    "refused": ("Rows that cannot be used", "left out; repair them and upload again"),
    "gold": ("Training questions that are gold questions", "blocks: remove them on one of the two sides"),
    "opposed": ("Same question, different answers", "the model cannot learn both; keep one"),
    "long": ("Longer than the model is trained on", "left out of the training"),
    "same": ("The same row more than once", "counts twice; the cleaned copy keeps one"),
    "near": ("Nearly the same row", "fine for wordings, not for copies"),
    "leaks": ("Gold questions inside a document", "retrieval would look better than it is"),
    "shared": ("Evidence that training and gold share", "such facts may be known by heart"),
}
CHECK_HEADERS = ("found", "", "rows of the file", "what it means")
NOT_FOUND, MORE_ROWS = "Looked for and not found: {checks}.", " … and {count} more"
AS_READ = "Row {row}: as it was read, and as the model sees it. What is learned is marked."
FIELD_HEADERS = ("field", "read as")
ENOUGH, ENOUGH_HEADERS = "How many examples are enough? The sources disagree", ("rows", "verdict", "source", "reached")
READING, REMOVING = "reading the files and looking at the data", "deleting and looking at the data"
CLEANING = "leaving out the rows with faults"
