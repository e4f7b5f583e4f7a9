"""`python -m tests.screenshot`: the README's picture, the Evaluate tab of the recorded support example."""

import tempfile
from pathlib import Path

from tests.browser import Visit, chromium, served, wait_until
from tests.conftest import ROOT


def main():
    home = Path(tempfile.mkdtemp())
    with served(home, ("-m", "tests.scripted")) as (address, _), chromium() as browser:
        visit = Visit(browser.new_context(viewport={"width": 1280, "height": 1180}, color_scheme="light"), address)
        wait_until(lambda: "questions" in visit.text("#verdict"), 90)
        visit.page.add_style_tag(content="#status, #jobs { display: none; }")  # what is this machine's, not the run's
        wait_until(lambda: "recorded run" in visit.text("#tabs"), 90)
        visit.page.wait_for_timeout(2000)
        visit.page.screenshot(path=ROOT / "screenshot.png")
        assert not visit.errors


if __name__ == "__main__":
    main()
