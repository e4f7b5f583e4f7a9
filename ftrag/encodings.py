"""Bytes of any encoding to text."""

from __future__ import annotations

import codecs
import math
import re
from collections import Counter
from functools import cache
from string import ascii_lowercase

from ftrag.alphabets import LANGUAGES
from ftrag.errors import InputError

SAMPLE_BYTES = 4_000  # enough to tell an encoding by


def decode(data: bytes) -> str:
    """Text of any encoding, line ends as \\n: a byte order mark, else UTF-8 or UTF-16, else the best guess."""
    return _checked(_decoded(data))


def _checked(text: str) -> str:
    """The text with \\n as line ends and without NULs. InputError if it is none."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    odd = sum(character < " " and character not in "\n\t\f\v" for character in text)
    if odd > len(text) / 100:
        raise InputError("it is not text but binary data; save it as UTF-8 text")
    return text.replace("\x00", "")


def _decoded(data: bytes) -> str:
    for mark, encoding in (
        (b"\xff\xfe\x00\x00", "utf-32"),
        (b"\x00\x00\xfe\xff", "utf-32"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
    ):
        if data.startswith(mark):
            return data.decode(encoding, errors="replace")
    try:
        if not _ODD.search(data, 0, SAMPLE_BYTES) or not (wide := _wide(data)):
            return data.decode("utf-8")
    except UnicodeDecodeError:
        return _guessed(data)
    return data.decode(wide, errors="replace")


_ODD = re.compile(rb"[\0-\b\x0e-\x19\x1c-\x1f]")  # signs of no text; UTF-16 has them in most of its words


def _wide(data: bytes) -> str:
    """UTF-16 without a mark: it gives signs of living scripts, most of them of few rows; "" for anything else."""
    found = []
    for encoding in ("utf-16-le", "utf-16-be"):
        text = data[: SAMPLE_BYTES & ~1].decode(encoding, errors="replace")
        if len(text) > 3 and len(_LIVING.findall(text)) > 0.95 * len(text):
            found.append((len({ord(sign) >> 8 for sign in text}), encoding))
    return min(found, default=(0, ""))[1]


_LIVING = re.compile(  # Latin to Thai, Georgian, accented Latin, Greek, signs, kana, ideographs, hangul, wide forms
    "[\t-\r -~\xa0-\u0e5b\u10a0-\u10ff\u1e00-\u1fff\u200e\u200f\u2010-\u203a\u20a0-\u22ff\u3000-\u30ff\u4e00-\u9fff"
    "\uac00-\ud7a3\uff01-\uffee\U0001f300-\U0001faff]"
)


def _guessed(data: bytes) -> str:
    """By the letters of single languages, else by charset-normalizer, which takes Spanish for Polish.

    From the lines that are not ASCII alone: the others say nothing and take time.
    """
    from charset_normalizer import from_bytes

    telling = b"\n".join([line for line in data.split(b"\n") if not line.isascii()])
    for name in _likely(telling[:SAMPLE_BYTES]):
        try:
            return data.decode(name)
        except UnicodeDecodeError:
            continue
    best = from_bytes(data).best()
    if best is None or _HIDING.decode(best.encoding, errors="replace") != _HIDING.decode():
        raise InputError("its text encoding is unknown, or it is binary data; save it as UTF-8 text")
    return str(best)


MOST_BITS = 13.0  # a sign; a text of a language with a row in LANGUAGES has fewer


def _likely(sample: bytes) -> list[str]:
    """The encodings in which the sample would be a text of some language, the likeliest first."""
    costs: dict[str, float] = {}
    for place, (names, letters) in enumerate(LANGUAGES):
        for name in names.split():
            try:
                text = codecs.getincrementaldecoder(name)().decode(sample)  # the last sign may be cut
            except UnicodeDecodeError:
                continue
            bits = _bits(text, letters)
            if sum(bits) <= MOST_BITS * len(bits):
                costs[name] = min(costs.get(name, math.inf), sum(bits) + _plain_bits(text, letters) + place / 20)
    return sorted(costs, key=costs.__getitem__)


def _bits(text: str, letters: str) -> list[float]:
    """How unlikely each sign beside ASCII is in a text of a language with these letters, frequent ones first."""
    known, script = _known(letters), _script(letters)
    bits: list[float] = []
    for found in _STRANGE.finditer(text):
        sign, before, after = found.group(), text[max(0, found.start() - 1) : found.start()], text[found.end() :][:1]
        if sign in _MARKS or sign in _SIGNS:
            bits.append(_sign_bits(sign, before, after))
        else:
            other = 13 if "\u3400" < sign < "\ud7a4" else 18
            bits.append(known.get(sign.lower(), other) + _misplaced(sign, before, after, script))
    return bits


def _sign_bits(sign: str, before: str, after: str) -> float:
    """Quotation marks and dashes stand around words, ’ also in them; of other signs few stand before a letter."""
    if sign in "’–—" and (before.isalpha() or not after.isalpha()):
        return 4
    if sign in _MARKS and sign != "’":
        return 14 if before.isalpha() and after.isalpha() else 4
    return 18 if after.isalpha() or (before.isalpha() and after > "\x7f") else 5


def _script(letters: str) -> str:
    return "latin" if letters[0] < "\u0370" else "letters" if letters[0] < "\u1100" else "syllables"


def _plain_bits(text: str, letters: str) -> float:
    """What the letters a to z say about a language: Polish has more z than others."""
    known = _known(letters) if _script(letters) == "latin" else {}
    counted = Counter(text.lower())
    return sum(known.get(letter, 0.0) * counted[letter] for letter in ascii_lowercase)


@cache
def _known(letters: str) -> dict[str, float]:
    """Bits of each letter, falling with its rank; those of a to z as against what they are in all Latin alphabets."""
    if _script(letters) == "latin":
        usual = _usual()
        return {letter: bits - usual.get(letter, 0.0) for letter, bits in _ranked(letters).items()}
    weights = [1 / (rank + 5) for rank in range(len(letters))]
    rest = float(_script(letters) == "syllables")
    return {letter: rest - math.log2(weight / sum(weights)) for letter, weight in zip(letters, weights, strict=True)}


def _ranked(letters: str) -> dict[str, float]:
    return {letter: 3 + rank / 5 for rank, letter in enumerate(letters)}


@cache
def _usual() -> dict[str, float]:
    """Mean bits of the letters a to z."""
    tables = [_ranked(letters) for _, letters in LANGUAGES if _script(letters) == "latin"]
    return {one: sum(table.get(one, 12.0) for table in tables) / len(tables) for one in ascii_lowercase}


def _misplaced(sign: str, before: str, after: str, script: str) -> float:
    """Bits more for a letter beside one of another alphabet, a capital in a word, a final form before a letter."""
    strangers = [one.isascii() != (script == "latin") for one in (before, after) if one.isalpha()]
    bits = {"latin": 2.0, "letters": 8.0, "syllables": 4.0}[script] * sum(strangers)
    if script != "syllables":
        bits += 4 * (before.isdigit() + after.isdigit())
    if sign.isupper() and before.isalpha():
        bits += 6 if before.islower() else 1
    return bits + 8 * (sign in _FINAL and after.isalpha())


_STRANGE = re.compile("[^\0-\x7f]")
_FINAL = frozenset("ךםןףץ")  # letters that end words alone: bytes of other alphabets stand anywhere
_MARKS = frozenset("€‚„…‰‹›‘’“”•–—™\xa0¡°«»¿״׳־")  # good anywhere but inside a word, where only ’ is
_SIGNS = frozenset("£§©®±²³µ¶·¹¼½¾×÷№")  # rarer, and before no letter


# What browsers take these names for (WHATWG's Encoding Standard): larger sets that hold the named one.
_WEB = {
    **dict.fromkeys(("iso-8859-1", "iso8859-1", "latin1", "latin-1", "us-ascii", "ascii"), "cp1252"),
    **dict.fromkeys(("gb2312", "gbk"), "gb18030"),
    **dict.fromkeys(("shift_jis", "shift-jis", "sjis", "x-sjis"), "cp932"),
    **dict.fromkeys(("euc-kr", "ks_c_5601-1987"), "cp949"),
}


def markup(data: bytes) -> str:
    """The text of a page in the encoding that it declares, else in the one that is found."""
    from bs4.dammit import EncodingDetector

    declared = EncodingDetector.find_declared_encoding(data, is_html=True) or ""
    marked = data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"))
    if not marked and not declared.startswith("utf-"):
        name = _WEB.get(declared, declared or "utf-8")
        try:
            if _HIDING.decode(name) == _HIDING.decode():
                return _checked(data.decode(name))
        except (LookupError, ValueError):
            pass  # a wrong declaration
    return decode(data)


_HIDING = b"<p> +ADw- ~{#<~} \\u003c"  # tags in encodings that no browser takes, in which they would not be counted
