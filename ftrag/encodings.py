"""Bytes of any encoding to text."""

from __future__ import annotations

from ftrag.errors import InputError

SAMPLE_BYTES = 100_000  # enough to tell an encoding by


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
    if wide := _wide(data):
        return data.decode(wide, errors="replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return _guessed(data)


def _wide(data: bytes) -> str:
    """UTF-16 without a mark: nearly every other byte of a mostly western text is 0; "" for anything else."""
    even, odd = data[:20_000:2], data[1:20_000:2]
    for zeros, letters, encoding in ((odd, even, "utf-16-le"), (even, odd, "utf-16-be")):
        if len(data) >= 8 and zeros.count(0) > 0.8 * len(zeros) and letters.count(0) < 0.01 * len(letters):
            return encoding
    return ""


def _guessed(data: bytes) -> str:
    """By the alphabets of single languages, else by charset-normalizer, which takes Spanish for Polish.

    From the lines that are not ASCII alone: the others say nothing and take time.
    """
    from charset_normalizer import from_bytes

    telling = b"\n".join([line for line in data.split(b"\n") if not line.isascii()])
    sample = telling[:SAMPLE_BYTES].rpartition(b"\n")[0] or telling[:SAMPLE_BYTES]
    found = [name for name, alphabet in _ALPHABETS if _is_of(sample, name, alphabet)][:1]
    best = from_bytes(sample, cp_isolation=_IN_USE).best()
    for name in [*found, *([best.encoding] if best else [])]:
        try:
            return data.decode(name)
        except UnicodeDecodeError:
            continue
    best = from_bytes(data).best()
    if best is None:
        raise InputError("its text encoding is unknown, or it is binary data; save it as UTF-8 text")
    return str(best)


# The letters beside a to z of the languages of an encoding; the commonest encoding first, for some texts fit several.
_ALPHABETS = (
    ("cp1252", "äöüß"),  # German
    ("cp1252", "àâæçéèêëîïôœùûüÿ"),  # French
    ("cp1252", "áéíóúñüªº"),  # Spanish
    ("cp1252", "áâãàçéêíóôõúüªº"),  # Portuguese
    ("cp1252", "àèéìíîòóùúªº"),  # Italian
    ("cp1252", "åäöé"),  # Swedish, Finnish
    ("cp1252", "æøåé"),  # Danish, Norwegian
    ("cp1252", "ëïéèöüê"),  # Dutch
    ("cp1252", "àçèéíïòóúü"),  # Catalan
    ("cp1252", "áðéíóúýþæö"),  # Icelandic
    ("cp1250", "áčďéěíňóřšťúůýž"),  # Czech
    ("cp1250", "áäčďéíĺľňóôŕšťúýž"),  # Slovak
    ("cp1250", "ąćęłńóśźż"),  # Polish
    ("cp1250", "áéíóöőúüű"),  # Hungarian
    ("cp1250", "čćđšž"),  # Croatian, Slovene
    ("cp1250", "ăâîşţ"),  # Romanian
    ("cp1254", "çğıöşüâî"),  # Turkish
    ("cp1257", "ąčęėįšųūž"),  # Lithuanian
    ("cp1257", "āčēģīķļņšūž"),  # Latvian
    ("cp1257", "äõöüšž"),  # Estonian
    ("cp1255", "אבגדהוזחטיךכלםמןנסעףפץצקרשת"),  # Hebrew
    ("koi8_r", "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"),  # Russian
)
_FINAL = frozenset("ךםןףץ")  # letters that end words alone: bytes of other alphabets stand anywhere
_SIGNS = frozenset("€‚„…‰‹›‘’“”•–—™\xa0¡£§©«»®°±²³µ¶·¹¼½¾¿×÷№")  # good anywhere but inside a word, where only ’ is
_IN_USE = [  # without those of old computers, which charset-normalizer likes
    *(f"cp{number}" for number in (1250, 1251, 1252, 1253, 1254, 1255, 1256, 1257, 874, 932, 949)),
    *("koi8_r", "gb18030", "big5", "euc_jp"),
]
COVERED = 0.95  # of the signs beside ASCII; names and quotations may be of another language


def _is_of(sample: bytes, encoding: str, alphabet: str) -> bool:
    """Whether a text in that encoding is of a language with that alphabet, and not all in capitals."""
    text = sample.decode(encoding, errors="replace")
    strange = [i for i, sign in enumerate(text) if sign > "\x7f"]
    letters = [text[i] for i in strange if text[i].isalpha()]
    good = sum(text[i].lower() in alphabet and not _misplaced(text, i) for i in strange if text[i].isalpha())
    good += sum(text[i] in _SIGNS and (text[i] in "’–—" or not _inside(text, i)) for i in strange)
    capitals = sum(letter.isupper() for letter in letters)
    return good >= COVERED * len(strange) and 2 * capitals <= max(len(letters), 2)


def _misplaced(text: str, at: int) -> bool:
    """Whether a letter cannot stand there: a capital after a small letter, a final form before another letter."""
    if text[at] in _FINAL:
        return text[at + 1 : at + 2].isalpha()
    return text[at].isupper() and text[max(0, at - 1) : at].islower()


def _inside(text: str, at: int) -> bool:
    """Whether a sign stands between two letters."""
    return text[max(0, at - 1) : at].isalpha() and text[at + 1 : at + 2].isalpha()


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
