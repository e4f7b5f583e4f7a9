"""Chat in the real page with a scripted model: streaming, sources, again, export, and blind votes."""

import json
import time
from contextlib import ExitStack

import pytest

from ftrag import project as projects
from ftrag import votes, workflows
from ftrag.llm import ScriptedLLM
from ftrag.types import Generation
from ftrag.ui import chat_turn
from tests.browser import Visit, served, wait_until

QUESTION = "How long should I press the Bobber's button for pairing?"


# --- without a browser


class Watched(ScriptedLLM):
    """Says 200 words, a hundred a second, and knows whether it was told to stop."""

    def __init__(self):
        super().__init__(lambda prompt: "word " * 200)
        self.stopped = False

    def stream(self, prompts, settings):
        try:
            for deltas in super().stream(prompts, settings):
                time.sleep(0.01)
                yield deltas
        finally:
            self.stopped = True


@pytest.fixture
def watched(home, monkeypatch):
    workflows.new(home, "support", "support")
    model = Watched()
    monkeypatch.setattr(workflows, "model", lambda name: model)
    columns = [{"adapter": None, "context": context, "k": 3} for context in ("none", "retrieved")]
    return model, chat_turn.streamed(
        home / "projects" / "support", QUESTION, columns, Generation(), False, [], [[], []]
    )


def test_at_most_twelve_updates_a_second(watched):
    began = time.monotonic()
    updates = sum(1 for _ in watched[1])
    assert 5 < updates <= 12 * (time.monotonic() - began) + 3  # the question, the first words, the end


def test_many_conversations_at_once_are_drawn_less_often_and_one_alone_is_not(watched):
    _, stream = watched
    with ExitStack() as others:
        for _ in range(7):
            others.enter_context(chat_turn._answering())
        began = time.monotonic()
        updates = sum(1 for _ in stream)  # eight at once: 24 / 8 = 3 a second
        assert updates <= 3 * (time.monotonic() - began) + 3
    assert chat_turn.pause() == chat_turn.UPDATE_SECONDS


def test_to_ask_for_no_more_ends_the_model_at_once(watched):
    model, stream = watched
    for _ in range(4):
        next(stream)
    assert not model.stopped
    stream.close()
    assert model.stopped


def test_a_newer_question_of_the_same_page_ends_the_older_answer(watched, monkeypatch):
    model, stream = watched
    monkeypatch.setattr(chat_turn, "_session", lambda: "one page")
    for _ in range(4):
        next(stream)
    with chat_turn._answering() as replaced:
        assert not replaced()
        assert list(stream) == [] and model.stopped  # what it said so far stays
    assert not chat_turn._newest


# --- in the page


@pytest.fixture(scope="module")
def scripted(tmp_path_factory):
    """The app with a model that repeats what it read, a word in 20 ms: (address, its home)."""
    home = tmp_path_factory.mktemp("home")
    with served(home, ("-m", "tests.scripted"), SCRIPT_STEP="0.02", FTRAG_SHARED_HOME="1") as (address, _):
        yield address, home


@pytest.fixture
def visit(chromium, scripted):
    context = chromium.new_context(viewport={"width": 1440, "height": 1000})
    visit = Visit(context, scripted[0])
    wait_until(lambda: visit.page.locator("#project input").input_value() == "support", 60)
    visit.tab("Chat")
    visit.page.locator("#chat_questions button").first.wait_for(timeout=60_000)
    yield visit
    assert not visit.errors and not visit.foreign
    context.close()


def ask(visit, question=QUESTION):
    visit.page.locator("#chat_question textarea, #chat_question input").fill(question)
    visit.page.locator("#chat_ask").click()


def saved(visit, button):
    with visit.page.expect_download() as download:
        visit.page.locator(button).click()
    return download.value.suggested_filename, download.value.path().read_text()


@pytest.mark.browser
def test_a_suggested_question_is_answered_in_both_columns_with_its_sources(visit):
    visit.page.get_by_text(QUESTION).first.click()
    wait_until(lambda: "3 passages read" in visit.text("#chat_note_b") and "tokens/s" in visit.text("#chat_note_b"), 30)
    visit.page.locator("#chat_cards_b mark").first.wait_for()  # the parrot repeats its passages, so they support it
    assert "hold its button for 8 seconds" in " ".join(visit.page.locator("#chat_cards_b mark").all_inner_texts())
    assert "without retrieval" in visit.text("#chat_head_a") and "no passages" in visit.text("#chat_note_a")
    assert visit.page.locator("#chat_cards_a details, #chat_cards_a .ft-support").count() == 0
    support = visit.page.locator("#chat_cards_b .ft-support")
    support.locator("summary").click()
    assert "✓ Statements that a passage supports: " in support.inner_text() and "passage 1" in support.inner_text()
    card = visit.page.locator("#chat_cards_b .ft-source").filter(has_text="hold its button for 8 seconds").first
    head = card.locator("summary").inner_text()
    assert "1 · bobber-key-fob.md" in head and "The Bobber key fob > " in head and "characters" not in head
    name, text = saved(visit, "#chat_md")
    assert name == "ftrag-chat.md" and f"## {QUESTION}" in text and "bobber-key-fob.md" in text
    visit.page.locator("#chat_again").click()
    wait_until(lambda: "tokens/s" in visit.text("#chat_note_b"), 30)
    assert len(json.loads(saved(visit, "#chat_json")[1])["turns"]) == 1  # again replaces its turn
    ask(visit, "Hello!")
    wait_until(lambda: visit.text("#chat_a").count("Hello!") >= 2, 30)
    box = "#chat_b [role=log]"
    wait_until(lambda: visit.page.evaluate(f"(e => e.scrollTop + e.clientHeight >= e.scrollHeight - 40)"
                                           f"(document.querySelector('{box}'))"), 10)  # fmt: skip


@pytest.mark.browser
def test_a_blind_vote_reveals_the_columns_and_is_kept(visit, scripted):
    visit.page.locator("#chat_blind input").check()
    ask(visit)
    visit.page.locator("#vote_left").wait_for(timeout=30_000)
    page = visit.page.inner_text("#chat_head_a") + visit.page.inner_text("#chat_head_b")
    assert "retrieval" not in page and "hidden until you vote" in page
    assert "tokens/s" not in visit.text("#chat_note_a") + visit.text("#chat_note_b")
    assert visit.page.locator("#chat_cards_a details, #chat_cards_b details").count() == 0
    assert json.loads(saved(visit, "#chat_json")[1])["turns"][0]["answers"][0]["column"] == "left"  # not which
    visit.page.locator("#vote_tie").click()
    wait_until(lambda: "retrieval" in visit.text("#chat_head_a"), 20)
    wait_until(lambda: not visit.page.locator("#vote_left").is_visible(), 10)
    found = votes.agreement(projects.find("support", scripted[1]))
    assert (found["votes"], found["ties"], found["gold"]) == (1, 1, 1)
    turn = json.loads(saved(visit, "#chat_json")[1])["turns"][0]
    assert turn["vote"] == "tie" and "retrieval" in turn["answers"][0]["column"]


@pytest.mark.browser
def test_an_empty_question_is_one_sentence(visit):
    visit.page.locator("#chat_ask").click()
    visit.page.get_by_text("the question is empty; type one").wait_for(timeout=20_000)


WRITTEN = """Prices, from **low** to *high*:

| boat | a day |
|---|---|
| Ripple | €8 |

1. Book it
2. Row it

```html
<b>bold</b>
```

<details><summary>More</summary>hidden</details> <img src=http://example.invalid/a.png>
![a picture](http://example.invalid/b.png) and `<i>` in code, $5 to $9$$x$$"""


@pytest.mark.browser
def test_an_answer_in_markdown_is_drawn_and_its_tags_read_as_text(visit, chromium):
    visit.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    ask(visit, WRITTEN)
    bubble = visit.page.locator("#chat_a .bot").last
    wait_until(lambda: "$9" in bubble.inner_text(), 60)  # its last words: before them it is still being written
    visit.page.wait_for_timeout(1000)
    assert bubble.locator("td").all_inner_texts() == ["Ripple", "€8"]
    assert bubble.locator("ol li").all_inner_texts() == ["Book it", "Row it"]
    assert bubble.locator("strong").all_inner_texts() == ["low"]
    assert bubble.locator("details, summary, img, .katex, i").count() == 0
    said = bubble.inner_text().replace("\u2060", "")
    assert "<b>bold</b>" in bubble.locator("pre code").inner_text().replace("\u2060", "")
    assert "<details><summary>More</summary>hidden</details>" in said and "!a picture" in said and "<i> in code" in said
    visit.page.locator("#chat_a button[aria-label='Copy message'], #chat_a .bot button[title*='opy']").last.click()
    copied = visit.page.evaluate("navigator.clipboard.readText()")
    assert "<details>" in copied and "![a picture]" in copied and "\u2060" not in copied
    assert not visit.foreign
