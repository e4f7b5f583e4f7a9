"""What a first visitor sees and when: python benchmarks/first_visit.py

Starts the app on an empty home, opens the page in headless Chromium and clicks on to both answers in Chat. Times are
seconds from opening the page; weights are in the cache, as after a first start. Exit 1 if it takes over 30 s.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.browser import Visit, chromium, served, wait_until

BAR = 30.0  # seconds


def visited(visit: Visit, begin: float) -> dict[str, float]:
    """Seconds since begin at which each thing could be seen."""
    seen = {}

    def now(what: str) -> None:
        seen[what] = time.monotonic() - begin

    visit.tab("Evaluate")
    visit.page.wait_for_selector("#verdict .ft-route", timeout=60_000)
    now("the recorded verdict")
    wait_until(lambda: "Expected:" in visit.text("#row"), 60)
    now("one failure, opened")
    visit.tab("Chat")
    visit.page.locator("#chat_questions button").first.click()
    for side in "ab":
        wait_until(lambda side=side: "first token" in visit.text(f"#chat_note_{side}"), 60)
    now("both columns answering")
    for side in "ab":
        wait_until(lambda side=side: "tokens/s" in visit.text(f"#chat_note_{side}"), 60)
    wait_until(lambda: visit.page.locator("#chat_cards_b details").count() > 0, 60)
    now("both answers, with sources")
    return seen


def main() -> None:
    home = Path(tempfile.mkdtemp(prefix="ftrag-"))
    with served(home) as (address, answered), chromium() as browser:
        print(f"the page answers {answered:.1f} s after `python app.py`")
        begin = time.monotonic()
        seen = visited(Visit(browser.new_context(viewport={"width": 1440, "height": 1000}), address), begin)
    for what, seconds in seen.items():
        print(f"{seconds:6.1f} s  {what}")
    sys.exit(seen["both columns answering"] > BAR)


if __name__ == "__main__":
    main()
