"""Every sentence of the page's own, in one place: a second language is a second folder like this."""

TITLE = "ftrag"
PITCH = "Retrieve, fine-tune, both or neither? Measured on your own questions."

NO_VISITOR = "this page has lost its visitor id; reload it"
NO_PROJECT = "choose a project at the top of the page, or open an example"
UNKNOWN_PROJECT = "there is no project of that name; choose one at the top of the page"
PLEASE = "Please check"
SORRY = "That is our fault"
OUR_FAULT = "Something went wrong on our side; nothing of yours is lost. Try again, or reload the page."
PORT_WRONG = "GRADIO_SERVER_PORT must be a whole number from 1 to 65535, such as 7861"
PORT_TAKEN = "port {port} is in use; stop the other program or choose another: GRADIO_SERVER_PORT=7861 python app.py"

HEADER_BUTTONS = ("New", "Share", "Delete")
EXAMPLE = "Example: "
PROJECT, NAME, START_FROM, LINK, FROM_NOTHING = "Project", "Name", "Start from", "Link", "Nothing: my own data"
SCHEME = "◐ Theme"
MAKE, CLOSE, KEEP, DELETE = "Make it", "Close", "Keep it", "Delete it"
USE_OWN = "Use my own data"
OPENING, MAKING = "opening the example", "making the project"
OWN_MADE = "{name} is yours and empty. Drop documents, training examples and gold questions into it."
SHARE_EXAMPLE = "Whoever opens this link gets a fresh copy of the example with its recorded run. Yours stays private."
SHARE_OWN = "This project is private to your browser, so it has no link. Share its report from tab 3 instead."
DELETE_ASK = "Delete {name} with its {documents} documents, {adapters} trained adapters and {runs} evaluations?"
DELETE_EXAMPLE = "The example itself stays: you can open a fresh copy at any time. What you added to it will be gone."
DELETE_OWN = "This cannot be undone. Export what you need first."
DELETE_BUSY = "a job is working in {name}; cancel it first, then delete the project"
DELETED = "{name} was deleted."

NEXT = {  # tab -> the button and the tab that it leads to
    "decide": ("Next: train it", "train"),
    "train": ("Next: evaluate it", "evaluate"),
    "evaluate": ("Next: chat with both", "chat"),
    "chat": ("Next: see the evidence", "evaluate"),
}
STEPS = {  # tab -> state of the project -> what the strip at the top says; "none" where a state has no row
    "decide": {
        "none": "<b>Decide.</b> Answer what you know: every answer moves the recommendation. It is a first guess.",
        "recorded": "<b>{title}.</b> A first guess from the example's answers below. Tab 3 has what was measured.",
    },
    "train": {
        "none": "<b>Train.</b> Start with your documents, then training examples and gold questions.",
        "filled": "<b>Train.</b> Documents are in. Add training examples to teach a manner, gold questions to measure.",
        "ready": "<b>Train.</b> Everything is here. Press Train – or evaluate first what retrieval alone can do.",
        "trained": "<b>Train.</b> There is a trained adapter. Measure it before you trust it.",
        "measured": "<b>Train.</b> Trained and measured. Change the data and train again, or look at the evidence.",
        "recorded": "<b>{title}.</b> A finished example: its data are below. Train it yourself, or see the evidence.",
    },
    "evaluate": {
        "none": "<b>Evaluate.</b> Needs documents and gold questions. Add them in tab 2.",
        "ready": "<b>Evaluate.</b> Press Evaluate: the same questions are asked in every arm, and compared.",
        "trained": "<b>Evaluate.</b> Press Evaluate: the same questions are asked in every arm, and compared.",
        "measured": "<b>Evaluate.</b> The verdict, and the rows it rests on. Click a question to open it.",
        "recorded": "<b>{title}.</b> An invented example with a real, recorded run. First the verdict, then its rows.",
    },
    "chat": {
        "none": "<b>Chat.</b> One question, two columns, the same weights: see what retrieval changes.",
        "recorded": "<b>Chat.</b> One question, two columns, the same weights. Click a question below to try it.",
    },
}
SAME_BY_COMMAND = "Same by command"
COMMANDS_LABEL = "Commands"
COMMANDS_INFO = "Start the page with FTRAG_SHARED_HOME=1 and it works on the same projects as the command line."

MODEL_LOADING = "{model} is loading – you can already decide, upload and read"
MODEL_SPEED, MODEL_BUSY = "about {rate:.0f} tokens/s", "busy with other work"
CORE, CORES = "1 CPU core", "{cores} CPU cores"
MODEL_FAILED = "The model could not be loaded: {reason}"
KEPT = "Results are kept on this machine and survive a restart."
NOT_KEPT = "Results are in a temporary folder and will be gone after a restart: export what you need."

DECIDE_TAB, TRAIN_TAB, EVALUATE_TAB, CHAT_TAB = "1 · Decide", "2 · Train", "3 · Evaluate", "4 · Chat"

EMPTY_TRAIN = "Nothing here yet. Upload documents, training examples and gold questions – or open an example above."
TRAIN_HELP = (
    "**Documents** are what retrieval reads. **Training examples** show how to answer. **Gold questions** are held "
    "out to measure; they must not be among the examples."
)
BELL = "Jobs"
JOB_COUNTS = ("running", "queued")
JOB_OUTPUT, NO_OUTPUT, JOB_ACTIONS = "Output of the job", "(no output yet)", "cancel, retry, log or dismiss a job"
JOB_BUTTONS = {"cancel": "Cancel", "log": "Log", "link": "Link", "retry": "Retry", "dismiss": "Dismiss"}
RESUME, ABOUT_LEFT = "Resume", "about {time} left"
WORKING, NO_TIME_YET, LOOKING = "working", "working out the time", "looking at the training data"
JUST_NOW, MINUTES_AGO, HOURS_AGO = "just now", "{minutes} min ago", "{hours:.0f} h ago"
SECONDS, MINUTES = "{value:.0f} s", "{value:.0f} min"
COPIED, PROGRESS, PLOT_NUMBERS, SAME_BY = "Copied", "progress", "The numbers of this plot (CSV)", "The same by command:"
NO_JOBS = "No jobs yet. Training, estimates, evaluations, comparisons and reroutes are listed here while they run."
NO_RUN = "The job of this link is not on this machine: it was dismissed, or the link is incomplete."
OWN_RUN = "The job of this link is yours:"
WATCHED_RUN = "You watch this job by its link. You can read it; only its owner can cancel or repeat it."
NO_JOB = "No training has run in this project yet."
NEXT_EVALUATE = "Next: evaluate it on the gold questions, in tab 3."

EMPTY_RUN = "No evaluation yet. Press **Evaluate** – every arm answers every gold question, then the verdict is here."
STALE = "This run is stale: {changed} changed since. Evaluate again before you rely on it."
RECORDED = "Recorded on {machine}, {created}. Reproduce it with `{command}`."
OPEN_ROW = "Click a question in the table to see what every arm answered."

EMPTY_CHAT = "Ask a question: both columns answer at once, each question on its own."
CHAT_PLACEHOLDER = "Ask about the documents of this project"
PRESETS = ("Same model: RAG or not", "Base or LoRA, with RAG", "Base or LoRA, no RAG", "Base or the promoted release")
COMPARE, QUESTION, ASK, STOP, CLEAR, EXPORT = "Compare", "Question", "Ask both", "Stop", "Clear", "Export {form}"
SIDES = ("Left", "Right")
WEIGHTS, PASSAGES, HOW_MANY = "{side}: weights", "{side}: passages", "{side}: how many passages (k)"
LONGEST, TEMPERATURE = "Longest answer, tokens", "Temperature (0: always the likeliest)"
THRESHOLD = "Relevance threshold"
CONTEXTS = ("without retrieval", "with retrieval", "router decides")
CUT = ("cut at the length limit", "cut at the time limit")
BLIND, BLIND_INFO = "Blind", "Hidden until you vote"
CHAT_SETTINGS = "Columns and settings"
SUGGESTED = "Try a gold question"
THRESHOLD_INFO = "Passages that hold less of the question's telling words are not read"
VOTES = ("Left is better", "Tie", "Right is better")
VOTE_NOW = "Which answer is better? Vote below to see which column it was."
CHOSE, TIE = "You chose: {column}.", "You called it a tie."
NO_SCORER = "This is no gold question, so the scorer has no view."
SCORER_AGREES = "The scorer agrees."
SCORER_DIFFERS = {
    "left": "The scorer prefers the left one.",
    "right": "The scorer prefers the right one.",
    "tie": "The scorer calls it a tie: both right or both wrong.",
}
AGAIN = "Again, by chance"
BASE_MODEL = "base model"
PROMOTED = " ★ promoted"
HIDDEN = "hidden until you vote"
SUPPORTS, ONLY_READ = "supports the answer", "read; no sentence of it is quoted"
SUPPORTED = "Statements that a passage supports: {supported} of {count}"
UNSUPPORTED, BY_PASSAGE = "No support found in what was read:", "passage {number}"
LEFT_OUT = "left out: over the budget of passages"
FORMS = {"md": "Markdown", "json": "JSON"}
NO_RELEASE = "no release of this project is promoted yet; promote a run in tab 3 first"
NO_LORA = "this project has no LoRA yet; train one in tab 2 first"
NO_QUESTION = "there is no question to ask again; ask one first"
NO_VOTE = "there is nothing to vote on; ask a question with the blind mode on"
LORA_OF, K = "LoRA of {when}", " (k {k})"
NO_PASSAGES, ONE_PASSAGE, MANY_PASSAGES = "no passages", "{count} passage read", "{count} passages read"
FIRST_TOKEN, RATE, TOKENS = "first token {seconds:.2f} s", "{rate:.0f} tokens/s", "{count} tokens"
CHARACTERS = "characters {start}–{end}"
ROUTED, LOOKED_UP, NOT_LOOKED_UP = "router: {did}, {why}", "looked up", "not looked up"
UNMEASURED = "Not measured: {reason}."
ROUTER = "The router looks a question up where the documents hold enough of its telling words."
STOPPED, READING, ANSWERING = "stopped", "reading…", "answering…"

DUPLICATE = "Duplicate this Space"
ZERO_TRAINING = "Answers come from ZeroGPU; training runs on the processor, in a process of its own, and is slower."
SPACE_LIMITS = "A workspace that is not used for {days} days is deleted. A job may run for {minutes} minutes."
NO_UPLOAD = "that is no file of yours; upload it first"

NOTHING_HERE, OWN_FILES = "there is nothing here", "only this app's own files are given out"
A_CALL, AN_UPLOAD, A_REQUEST = "a call", "an upload", "a request"
TOO_LARGE, TOO_MANY_FILES = "{what} may have {most} MB; send less", "an upload may have {files} files; zip them"
UPLOADS_FULL = "the upload folder is full; try again in an hour"
NOT_JSON = "the body of a call must be JSON"
NO_ADDRESS = "files are uploaded first; an address is not fetched"
TOO_MANY_ROWS = "{name} must be a list of at most {most:,} rows"
WRONG_K = "k is a whole number from 1 to {most}, not {given!r}"
