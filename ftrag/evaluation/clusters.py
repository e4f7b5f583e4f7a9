"""Failures of one cause -> groups of alike questions, if there are any, each with its words, examples and what to do.

Vectors of question and answer are reduced to a few principal components and merged by Ward's method. The number of
groups is the one with the best silhouette, and it counts only if points without groups (a Gaussian with the same
variances, as in SigClust, Liu et al. 2008) hardly ever look as well separated. What fits no group is returned as such.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ftrag.evaluation.attribution import ADVICE, CAUSES
from ftrag.evaluation.shopping import shopping
from ftrag.text import words

if TYPE_CHECKING:
    from numpy import ndarray

SMALLEST = 3  # failures that make a group
MOST = 8  # groups within one cause
FEWEST = 8  # failures of one cause below which no split is looked for
LARGEST = 1000  # failures of one cause that are looked at; more are sampled evenly
COMPONENTS = 10
REFERENCES = 60  # draws without groups
SURE = 0.95  # share of those draws that the data have to exceed
EXAMPLES = 3
LABEL_WORDS = 4

Failure = Mapping[str, Any]  # {id, question, answer?, slice?, cause, axis?, evidence?: see shopping}
Embed = Callable[[list[str]], Any]  # texts -> array (n, d)


def cluster(failures: Sequence[Failure], embed: Embed | None = None) -> list[dict[str, Any]]:
    """[{axis, cause, label, grouped, size, of, ids, slices, examples, advice, points}], by axis, cause, then size.

    grouped: False for the rest that shows no pattern. of: failures of this axis and cause. points: [{id, x, y}] in one
    plane for all, [-1, 1]. Without an embedding, words alone are compared (TF-IDF). Equal input gives equal output.
    """
    if not failures:
        return []
    vectors = _vectors(failures, embed)
    plane = _plane(vectors)
    found = []
    for axis, cause in _kinds(failures):
        members = [i for i, row in enumerate(failures) if (row.get("axis", "content"), row["cause"]) == (axis, cause)]
        kept = members[:: -(-len(members) // LARGEST)]
        for group, grouped in _groups(vectors, kept):
            found.append(_described(failures, group, grouped, len(members), vectors, plane))
    return found


def _kinds(failures: Sequence[Failure]) -> list[tuple[str, str]]:
    """The axes and causes that occur, content first, causes in the order of the table."""
    kinds = {(row.get("axis", "content"), row["cause"]) for row in failures}
    return sorted(kinds, key=lambda kind: (kind[0] != "content", kind[0], CAUSES.index(kind[1])))


def text_of(failure: Failure) -> str:
    return f"{failure['question']}\n{failure.get('answer') or ''}"


def _vectors(failures: Sequence[Failure], embed: Embed | None) -> ndarray:
    """(n, d), rows of length 1 or 0."""
    import numpy as np

    texts = [text_of(row) for row in failures]
    vectors = _tfidf(texts) if embed is None else np.asarray(embed(texts), dtype=np.float64)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1.0)


def _tfidf(texts: Sequence[str]) -> ndarray:
    import numpy as np
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, TfidfVectorizer

    tokens = [[word for word in words(text) if word not in ENGLISH_STOP_WORDS] or ["–"] for text in texts]
    model = TfidfVectorizer(analyzer=list, sublinear_tf=True, max_features=4000)
    return np.asarray(model.fit_transform(tokens).toarray(), dtype=np.float64)


def _principal(vectors: ndarray, components: int) -> ndarray:
    """Coordinates (n, components) along the directions of largest variance, signs fixed by the largest coordinate."""
    import numpy as np

    centred = vectors - vectors.mean(axis=0)
    left, scale, _ = np.linalg.svd(centred, full_matrices=False)
    scores = left[:, :components] * scale[:components]
    largest = scores[np.abs(scores).argmax(axis=0), np.arange(scores.shape[1])]
    return np.asarray(scores * np.where(largest < 0, -1.0, 1.0))


def _plane(vectors: ndarray) -> ndarray:
    """(n, 2) in [-1, 1]."""
    import numpy as np

    scores = _principal(vectors, 2)
    padded = np.zeros((len(vectors), 2))
    padded[:, : scores.shape[1]] = scores
    return np.asarray(np.round(padded / max(float(np.abs(padded).max()), 1e-12), 4))


def _groups(vectors: ndarray, members: Sequence[int]) -> list[tuple[list[int], bool]]:
    """(members, grouped), largest group first, the rest without a pattern last."""
    if len(members) < FEWEST:
        return [(list(members), False)]
    names = _split(_principal(vectors[list(members)], min(COMPONENTS, len(members) // 4 + 1)))
    sizes = Counter(name for name in names if name >= 0)
    groups = [([i for i, own in zip(members, names, strict=True) if own == name], True) for name, _ in ranked(sizes)]
    rest = [i for i, own in zip(members, names, strict=True) if own < 0]
    return groups + ([(rest, False)] if rest else [])


def ranked(counts: Mapping[Any, int]) -> list[tuple[Any, int]]:
    """Most frequent first, ties in their own order."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _split(points: ndarray) -> list[int]:
    """A group's number for every point, -1 for none."""
    import numpy as np

    score, names, fit = _best_cut(points)
    generator = np.random.default_rng(0)
    spread = points.std(axis=0)
    references = [_best_cut(generator.normal(size=points.shape) * spread)[0] for _ in range(REFERENCES)]
    if score <= np.quantile(references, SURE):
        return [-1] * len(points)
    names = np.where(fit > 0, names, -1)  # nearer to another group than to their own
    sizes = Counter(names.tolist())
    return [name if sizes[name] >= SMALLEST else -1 for name in names.tolist()]


def _best_cut(points: ndarray) -> tuple[float, ndarray, ndarray]:
    """(mean silhouette, group of every point, silhouette of every point) of the best number of groups.

    Groups that are too small count as a silhouette of 0, so that setting outliers apart earns nothing.
    """
    import numpy as np
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import pdist, squareform
    from sklearn.metrics import silhouette_samples

    distances = pdist(points)
    none = (0.0, np.full(len(points), -1), np.zeros(len(points)))
    if not distances.any():
        return none
    tree, square, best = linkage(distances, "ward"), squareform(distances), none
    for count in range(2, min(MOST, len(points) // SMALLEST) + 1):
        names = fcluster(tree, count, "maxclust")
        if len(set(names.tolist())) < 2:
            continue
        large = np.bincount(names)[names] >= SMALLEST
        fit = np.where(large, silhouette_samples(square, names, metric="precomputed"), 0.0)
        if large.any() and fit.mean() > best[0]:
            best = (float(fit.mean()), np.where(large, names, -1), fit)
    return best


def _described(
    failures: Sequence[Failure], group: list[int], grouped: bool, of: int, vectors: ndarray, plane: ndarray
) -> dict[str, Any]:
    import numpy as np

    rows = [failures[i] for i in group]
    centre = vectors[group].mean(axis=0)
    nearest = np.argsort(np.linalg.norm(vectors[group] - centre, axis=1), kind="stable")[:EXAMPLES]
    cause = rows[0]["cause"]
    return {
        "axis": rows[0].get("axis", "content"),
        "cause": cause,
        "label": label(rows, failures) if grouped else "no common pattern",
        "grouped": grouped,
        "size": len(rows),
        "of": of,
        "ids": [row["id"] for row in rows],
        "slices": dict(ranked(Counter(str(row["slice"]) for row in rows if row.get("slice")))),
        "examples": [_example(rows[i]) for i in nearest.tolist()],
        "advice": advice(cause, rows, grouped),
        "points": [{"id": failures[i]["id"], "x": float(plane[i, 0]), "y": float(plane[i, 1])} for i in group],
    }


def _example(row: Failure) -> dict[str, Any]:
    return {"id": row["id"], "question": row["question"], "answer": row.get("answer") or ""}


def label(group: Sequence[Failure], failures: Sequence[Failure]) -> str:
    """The words of the questions that tell this group from the other failures, e.g. "deposit, damage, hull".

    Ranked by the z-score of the log odds of a word's document frequency (Monroe et al. 2008), among words in at least
    two questions of the group; words of the answers stand in where the questions share none.
    """
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    inside = {id(row) for row in group}
    for read in (lambda row: row["question"], text_of):
        mine = _frequencies([read(row) for row in group])
        rest = _frequencies([read(row) for row in failures if id(row) not in inside])
        scores = {
            word: _log_odds(count, len(group), rest[word], len(failures) - len(group))
            for word, count in mine.items()
            if count >= 2 and word not in ENGLISH_STOP_WORDS and len(word) > 1
        }
        best = sorted((word for word in scores if scores[word] > 0), key=lambda word: (-scores[word], word))
        if best:
            return ", ".join(best[:LABEL_WORDS])
    return "alike in no single word"


def _frequencies(texts: Sequence[str]) -> Counter[str]:
    return Counter(word for text in texts for word in set(words(text)))


def _log_odds(count: int, n: int, other: int, others: int) -> float:
    """z-score of the difference of two log odds, half a count added to each cell."""
    cells = (count + 0.5, n - count + 0.5, other + 0.5, others - other + 0.5)
    return (math.log(cells[0] / cells[1]) - math.log(cells[2] / cells[3])) / math.sqrt(sum(1 / cell for cell in cells))


def advice(cause: str, rows: Sequence[Failure], grouped: bool) -> str:
    """What to do about these failures; names the evidence that was lost on its way, where that is known."""
    if cause == "behaviour":
        shape = "of this shape, starting from these" if grouped else "of these shapes"
        return f"fine-tuning repairs it: write about {examples_wanted(len(rows))} examples {shape}"
    wanted = shopping(rows) if cause in ("retrieval bound", "unresolved", "reading") else []
    return "; ".join([ADVICE[cause], *wanted])


def examples_wanted(size: int) -> int:
    """Five examples per failing question, between 20 and 100: a rule of thumb, since 104 rows taught one house voice to
    the built-in model."""
    return min(100, max(20, 5 * size))
