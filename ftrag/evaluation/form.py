"""The measures behind the behaviour checks: patterns with a time limit, JSON schemas, language, reading level."""

from __future__ import annotations

import functools
import importlib
import json
import re
from collections.abc import Iterator
from typing import Any

from ftrag.errors import InputError
from ftrag.text import normalise, sentences, words

REGEX_SECONDS = 0.5  # one pattern on one answer; Python's re has no limit, and one bad pattern would hang a run
TONE_SHARE = 0.05  # by default an answer may be as unusual as the oddest twentieth of the training answers
MAX_SCHEMA_DEPTH = 32
UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")  # Thai, Khmer, kana, Han…
# what a short text is easily taken for -> the language it is close to
VARIETIES = {"pcm": "en", "wuu": "zh", "yue": "zh", "ary": "ar", "arz": "ar", "nn": "no", "ext": "es", "uzs": "uz"}


@functools.lru_cache(maxsize=256)
def compiled(pattern: str) -> Any:
    """A pattern of Python's syntax, in the engine that can be given a time limit. InputError if it is none."""
    regex = importlib.import_module("regex")  # ships no types
    try:
        return regex.compile(pattern)
    except (regex.error, RecursionError) as error:
        raise InputError(f"the pattern {pattern[:80]!r} is not a regular expression ({error})") from error


def search(pattern: str, text: str) -> bool | None:
    """Whether the pattern is found; None when that takes longer than REGEX_SECONDS, as (a+)+$ can."""
    try:
        return compiled(pattern).search(text.strip(), timeout=REGEX_SECONDS) is not None
    except TimeoutError:
        return None


def schema_problem(schema: Any) -> str:
    """What is wrong with a JSON schema, "" if nothing is."""
    import jsonschema

    if not isinstance(schema, (dict, bool)):
        return "needs a JSON schema (an object) as its value"
    if isinstance(schema, dict) and not isinstance(schema.get("$schema", ""), str):
        return 'has a bad schema: "$schema" must be a text'
    try:
        _validator(schema)
        for pattern in _patterns(schema):
            compiled(pattern)
    except (jsonschema.SchemaError, InputError) as error:
        return f"has a bad schema: {getattr(error, 'message', error)}"
    except RecursionError:
        return "has a schema that is nested too deeply"
    return ""


def _validator(schema: Any) -> Any:
    """A validator that fetches nothing and matches patterns under the time limit."""
    import jsonschema
    from referencing import Registry

    def pattern(validator: Any, wanted: str, value: Any, schema: Any) -> Iterator[Any]:
        if not isinstance(value, str):
            return
        if (found := search(wanted, value)) is None:
            raise TimeoutError(wanted)
        if not found:
            yield jsonschema.ValidationError(f"{value[:40]!r} does not match {wanted!r}")

    base = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
    base.check_schema(schema)
    kind = jsonschema.validators.extend(base, {"pattern": pattern})
    return kind(schema, registry=Registry())


def _patterns(schema: Any, depth: int = 0) -> Iterator[str]:
    """Every pattern of a schema; patternProperties run in an engine without a limit, so they are not taken."""
    if depth > MAX_SCHEMA_DEPTH:
        raise InputError("it is nested too deeply")
    if isinstance(schema, dict):
        if isinstance(schema.get("patternProperties"), dict):
            raise InputError("patternProperties cannot be checked safely; name the properties")
        if isinstance(schema.get("pattern"), str):
            yield schema["pattern"]
    for child in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from _patterns(child, depth + 1)


def fits_schema(answer: str, schema: Any) -> tuple[float | None, str]:
    """1.0 if the whole answer is JSON that fits, else 0.0, with the first thing that does not fit."""
    import referencing.exceptions

    try:
        value = json.loads(answer.strip(), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        fenced = " (it is wrapped in a code fence)" if answer.strip().startswith("```") else ""
        return 0.0, f"is not JSON: {error}{fenced}"
    try:
        problems = sorted(_validator(schema).iter_errors(value), key=lambda problem: list(map(str, problem.path)))
    except referencing.exceptions.Unresolvable as error:
        return None, f"the schema refers to something outside it ({error})"
    except TimeoutError as error:
        return None, f"the schema's pattern {error} took too long"
    except RecursionError:
        return None, "the schema refers to itself without end"
    except OverflowError as error:
        return None, f"the schema cannot be applied to so large a number ({error})"
    if not problems:
        return 1.0, "fits the schema"
    where = "/".join(map(str, problems[0].path)) or "the answer"
    return 0.0, f"{where}: {problems[0].message[:120]}"


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


@functools.cache
def _identifier() -> Any:
    langid = importlib.import_module("py3langid.langid")  # ships no types
    return langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE)


def languages() -> list[str]:
    """ISO 639-1 codes that can be told apart."""
    return sorted(map(str, _identifier().labels))


def language(text: str) -> str | None:
    """The most likely language, None below four words, or eight signs of a script without spaces."""
    if len(words(text)) < 4 and len(UNSPACED.findall(text)) < 8:
        return None
    return str(_identifier().classify(text)[0])


def is_in(text: str, wanted: str) -> tuple[bool, str] | None:
    """Whether a text is in a language, a variety close to it included, and what it was taken for; None if too short."""
    found = language(text)
    return None if found is None else (wanted in (found, VARIETIES.get(found)), found)


def reading_grade(text: str) -> float | None:
    """Flesch-Kincaid grade (Kincaid et al. 1975): 0.39 words per sentence + 11.8 syllables per word - 15.59."""
    tokens = [word for word in words(text) if not word.isdigit()]
    if not tokens:
        return None
    count = max(1, len(sentences(text)))
    return 0.39 * len(tokens) / count + 11.8 * sum(map(_syllables, tokens)) / len(tokens) - 15.59


def _syllables(word: str) -> int:
    """Groups of vowels, a silent final e not counted; within one of a dictionary for most English words."""
    groups = len(re.findall(r"[aeiouyäöüáéíóúàèìòù]+", word))
    silent = word.endswith("e") and not word.endswith(("le", "ee")) and groups > 1
    return max(1, groups - silent)


def has_citation(answer: str) -> bool:
    """A numbered mark, a link, or "source:" and its like."""
    return bool(
        re.search(
            r"\[\d+(?:\s*[,-]\s*\d+)*\]|https?://\S+|\b(?:source|see|reference)s?:\s*\S|"
            r"\(see [^)]+\)|\baccording to \S",
            answer,
            re.IGNORECASE,
        )
    )


def names_source(answer: str, name: str) -> bool:
    """The document's file name, with or without its ending, hyphens read as spaces."""
    said = normalise(answer).replace("-", " ").replace("_", " ")
    whole = normalise(name).replace("-", " ").replace("_", " ")
    return any(form and form in said for form in (whole, whole.rpartition(".")[0]))
