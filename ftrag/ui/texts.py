"""Every sentence of the page's own, in one place: a second language is a second file like this."""

TITLE = "ftrag"
PITCH = "Retrieve, fine-tune, both or neither? Measured on your own questions."
THESIS = "Fine-tuning teaches behaviour. Retrieval supplies facts. See which of the two repairs which failure."

NO_VISITOR = "this page has lost its visitor id; reload it"
NO_PROJECT = "choose a project at the top of the page, or open an example"
UNKNOWN_PROJECT = "there is no project of that name; choose one at the top of the page"
PLEASE = "Please check"
SORRY = "That is our fault"
OUR_FAULT = "Something went wrong on our side; nothing of yours is lost. Try again, or reload the page."
PORT_TAKEN = "port {port} is in use; stop the other program or choose another: GRADIO_SERVER_PORT=7861 python app.py"

MODEL_LOADING = "{model} is loading – you can already decide, upload and read"
MODEL_FAILED = "The model could not be loaded: {reason}"
KEPT = "Your projects are kept on this machine."
NOT_KEPT = "Your projects are in a temporary folder and will be gone after a restart: export what you need."

DECIDE_TAB, TRAIN_TAB, EVALUATE_TAB, CHAT_TAB = "1 · Decide", "2 · Train", "3 · Evaluate", "4 · Chat"

EMPTY_TRAIN = "Nothing here yet. Upload documents, training examples and gold questions – or open an example above."
TRAIN_HELP = (
    "**Documents** are what retrieval reads. **Training examples** show how to answer. **Gold questions** are held "
    "out to measure; they must not be among the examples."
)
NO_JOB = "No training has run in this project yet."
TRAIN_STARTED = "Training has started. You can close this tab; it goes on."
NEXT_EVALUATE = "Next: evaluate it on the gold questions, in tab 3."
NEXT_TRAIN = "Next: train it on the project's examples, in tab 2."

EMPTY_RUN = "No evaluation yet. Press **Evaluate** – every arm answers every gold question, then the verdict is here."
STALE = "This run is stale: {changed} changed since. Evaluate again before you rely on it."
RECORDED = "Recorded on {machine}, {created}. Reproduce it with `{command}`."
OPEN_ROW = "Click a question in the table to see what every arm answered."

EMPTY_CHAT = "Ask a question: both columns answer at once, from the same weights."
CHAT_PLACEHOLDER = "Ask about the documents of this project"
STOPPED = "(stopped)"
