"""The sentences of the knowledge panel in the Train tab: cuts, search, retrievers, freshness."""

TITLE = "Knowledge: documents and retrieval"
CHUNKS_TAB, SEARCH_TAB, SETTINGS_TAB = "Chunks", "Search", "Settings"
QUALITY_TAB, COMPARE_TAB, FRESHNESS_TAB = "Which retriever?", "Is retrieval worth it?", "Freshness"

DOCUMENT, CHUNKING, SIZE, OVERLAP = "Document", "Chunking", "Tokens at most", "Overlap in tokens"
CUTTING, INDEXING, SEARCHING = "cutting the document", "indexing", "searching"
USE_CUTS = "Use this for the project"
NO_DOCUMENTS = "There are no documents yet. Drop files into Documents above."
DOCUMENT_HEADERS = ("document", "chunks", "characters", "nearly the same as")
NOT_READ, NO_TEXT = "Not read:", "This document has no text."
CHUNKS = "{count} chunks, {least} to {most} tokens, {middle} in the middle."
MORE, TOKENS, CHARACTERS = "… and {count} more.", "{tokens} tokens", "characters {start:,}–{end:,}"
CHANGED = "Changed: {what}; {how}, {chunks} chunks in {milliseconds:.0f} ms."
NOTHING, REBUILT, NOT_REBUILT = "nothing", "cut and indexed anew", "the index stays"

QUERY, RETRIEVER, PASSAGES = "Search the documents", "Retriever", "Passages"
RERANK, RERANK_INFO, SEARCH = "Rerank", "this search alone, by a cross-encoder from the Hub", "Search"
NO_HITS = "Nothing is found: no passage shares a word with it, or none passes the threshold."
FOUND, SCORE = "{count} passages in {milliseconds:.0f} ms", "score {score:.3g}"

OF_ANSWERS = "Retriever for answers"
OF_ANSWERS_INFO = (
    "what Chat and evaluations read; dense and hybrid need sentence embeddings. Measured: Which retriever?"
)
RERANKED, RERANKED_INFO = "Rerank for answers", "a cross-encoder from the Hub reads the best 20 again"
LANGUAGE, LANGUAGE_INFO = "Language", "of stemming and stop words"
STEMMING, STEMMING_INFO = "Stemming", "boats finds boat"
STOP_WORDS, STOP_WORDS_INFO = "Leave out stop words", "the, of, what …"
EXPANSION, EXPANSION_INFO = "Query expansion", "terms added from the best hits; 0: off"
WORD_THRESHOLD, WORD_THRESHOLD_INFO = "Relevance threshold, bm25", "least share of the query's weight"
COSINE_THRESHOLD, COSINE_THRESHOLD_INFO = "Relevance threshold, dense", "least cosine"
WHOLE, WHOLE_INFO = "Whole documents up to", "tokens of all together; 0: off"
PER_QUESTION, PER_QUESTION_INFO = "Passages per question", "k in chat and evaluation"
BUDGET, BUDGET_INFO = "Budget of passages", "tokens; the rest is left out whole"
BEST_LAST, BEST_LAST_INFO = "Best passage last", "nearest to the question"
KEEP_SETTINGS = "Keep these settings"

QUALITY_NOTE = "How often each retriever finds the evidence of the gold questions. No language model is asked."
MEASURE = "Measure the retrievers"
QUALITY_HEADERS = ("setting", "MRR below the best", "MRR", "nDCG", "found in the first k")
WITH_EVIDENCE, LEFT_OUT = "{count} gold questions with evidence in the documents", "; {count} are left out"
QUALITY_LEGEND = ". ★ is the best MRR at this k. [95 % interval]. p: permutation test, Holm-adjusted."
REAL, NOT_SHOWN, FOUND_IN_FIRST = "yes, {p}", "not shown, {p}", "Found in the first {k}"

KS, RETRIEVERS, COMPARE = "Passages k", "Retrievers", "Compare with and without retrieval"
CHOOSE_BOTH = "choose at least one number of passages and one retriever"
BUSY = "{command} is going on in this project already; wait for it or cancel it"
NO_COMPARISON = "No comparison yet. It asks every gold question without and with retrieval, on the same model."
COMPARISON_HEADERS = (
    *("setting", "difference [95 %]", "p"),
    *("without", "with", "wins", "losses"),
)
SETTING = "{star}{retriever}, k {k}"
MADE, WITH_ADAPTER, WITHOUT_ADAPTER = "Made {when}", "adapter {id}", "no adapter"
OUTDATED = "Made before the documents, the gold questions or the settings changed; run it again."
ARMS, AGAINST = ("with", "without"), " against "
COMPARED = "{n} gold questions, {arms}, right answers by {axis}."
HOLM = " p is adjusted for the number of settings (Holm). ★ is the largest difference."
NO_SCORES = "nothing to score"

FRESHNESS_NOTE = "Change a fact, keep it, and ask: retrieval gives the new one, the weights alone cannot."
TEXT, KEEP_TEXT = "Its text", "Keep the text and index it"
QUESTION, ASK, EDITS = "Question about the fact", "Ask in both columns", "Edits of the drill"
DRILL = "Run the drill on the gold questions"
NO_DOCUMENT = "choose a document first"
UNCHANGED, INDEXED = "nothing changed", "{chunks} chunks indexed"
EDITED = "{document}: {said} in {milliseconds:.0f} ms. Ask now."
LORA, BASE, ALONE, READING = "LoRA", "base model", "{weights} alone", "{weights} with retrieval"
NO_DRILL = "No drill yet. It edits facts in a copy of the documents, asks again, and counts who noticed."
COUNT_OF, FOLLOWED = "{count} of {all}", " The index followed in {milliseconds:.0f} ms."
WHO_KNOWS, WHO_HEADERS = "Who gives the new fact?", ("arm", "new fact given")
EVERY_ANSWER, ANSWER_HEADERS = "Every answer", ("question", "new fact", "arm", "answer")
