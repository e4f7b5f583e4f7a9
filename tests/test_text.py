"""Where sentences end."""

from __future__ import annotations

import pytest

from ftrag.text import sentences


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("Call 0471 55 26 08. Somebody answers.", ["Call 0471 55 26 08.", "Somebody answers."]),
        ("Go to door 9. Wear gloves.", ["Go to door 9.", "Wear gloves."]),
        ("1. Open it.\n2. Close it.", ["1. Open it.", "2. Close it."]),
        ("Das ist am 3. Mai im 2. Stock. Gut.", ["Das ist am 3. Mai im 2. Stock.", "Gut."]),
        ("Ask Mr. Braak, e.g. by phone. He knows.", ["Ask Mr. Braak, e.g. by phone.", "He knows."]),
    ],
)
def test_sentences(text: str, pieces: list[str]) -> None:
    assert [text[start:end] for start, end in sentences(text)] == pieces
