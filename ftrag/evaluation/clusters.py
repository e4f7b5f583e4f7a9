"""Failures of one cause -> groups of alike questions, if there are any, each with its words, examples and what to do.

Vectors of question and answer are reduced to a few principal components and merged by Ward's method. The number of
groups is the one that one half of the failures predicts best for the other (prediction strength, Tibshirani and Walther
2005, at least 0.8), and a group counts only if it is set apart better than 95 % of what points without groups show (a
Gaussian with the same variances, as in SigClust, Liu et al. 2008). What fits no group is returned as such. The best
silhouette alone was tried for the number: it cut one topic of 24 questions into seven.
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
    from numpy.random import Generator

SMALLEST = 3  # failures that make a group
MOST = 8  # groups within one cause
FEWEST = 12  # failures of one cause below which no split is looked for
LARGEST = 1000  # failures of one cause that are looked at; more are sampled evenly
COMPONENTS = 10
STRONG = 0.8  # prediction strength, the authors' own bar
HALVINGS = 20
REFERENCES = 40  # draws without groups
SURE = 0.95  # share of those draws that a group has to exceed
CLOSER = 0.1  # mean cosine by which members are nearer to each other than to the rest: noise beside outliers is not
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
    close = _close(vectors[list(members)], names)
    names = [name if name in close else -1 for name in names]
    sizes = Counter(name for name in names if name >= 0)
    groups = [([i for i, own in zip(members, names, strict=True) if own == name], True) for name, _ in ranked(sizes)]
    rest = [i for i, own in zip(members, names, strict=True) if own < 0]
    return groups + ([(rest, False)] if rest else [])


def _close(vectors: ndarray, names: Sequence[int]) -> set[int]:
    """The groups whose members are alike; what only lies apart from a few outliers shares nothing."""
    import numpy as np

    own = np.array(names)
    kept = set()
    for name in set(names) - {-1}:
        inside, outside = vectors[own == name], vectors[own != name]
        pairs = len(inside) * (len(inside) - 1)
        within = (float((inside.sum(axis=0) ** 2).sum()) - float((inside**2).sum())) / pairs
        between = float(inside.mean(axis=0) @ outside.mean(axis=0)) if len(outside) else 0.0
        if within - between >= CLOSER:
            kept.add(name)
    return kept


def ranked(counts: Mapping[Any, int]) -> list[tuple[Any, int]]:
    """Most frequent first, ties in their own order."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _split(points: ndarray) -> list[int]:
    """A group's number for every point, -1 for none."""
    import numpy as np

    generator = np.random.default_rng(0)
    strengths = _strengths(points, generator)
    count = max(strengths, key=lambda count: strengths[count])
    if strengths[count] < STRONG or not points.any():
        return [-1] * len(points)
    names, fit = _cut(points, count)
    spread = points.std(axis=0)
    draws = [_cut(generator.normal(size=points.shape) * spread, count)[1].mean() for _ in range(REFERENCES)]
    bar = np.quantile(draws, SURE)
    good = [
        name
        for name in set(names.tolist())
        if (names == name).sum() >= SMALLEST and fit[names == name].mean() > max(0.0, bar)
    ]
    return [name if name in good and own > 0 else -1 for name, own in zip(names.tolist(), fit.tolist(), strict=True)]


def _cut(points: ndarray, count: int) -> tuple[ndarray, ndarray]:
    """(group of every point, silhouette of every point) of Ward's tree cut into so many groups."""
    import numpy as np
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import pdist, squareform
    from sklearn.metrics import silhouette_samples

    distances = pdist(points)
    names = fcluster(linkage(distances, "ward"), count, "maxclust")
    if not 2 <= len(set(names.tolist())) < len(points):
        return names, np.zeros(len(points))
    return names, silhouette_samples(squareform(distances), names, metric="precomputed")


def _strengths(points: ndarray, generator: Generator) -> dict[int, float]:
    """Number of groups -> prediction strength: of two points that one half puts together, how often the centres found
    in the other half put them together too; the mean over groups and random halvings."""
    import numpy as np
    from scipy.cluster.hierarchy import fcluster, linkage

    found: dict[int, list[float]] = {count: [] for count in range(2, min(MOST, len(points) // 6) + 1)}
    for _ in range(HALVINGS):
        order = generator.permutation(len(points))
        one, two = points[order[: len(points) // 2]], points[order[len(points) // 2 :]]
        trees = linkage(one, "ward"), linkage(two, "ward")
        for count, strengths in found.items():
            names, other = (fcluster(tree, count, "maxclust") for tree in trees)
            centres = np.array([one[names == name].mean(axis=0) for name in sorted(set(names.tolist()))])
            predicted = np.linalg.norm(two[:, None] - centres[None], axis=2).argmin(axis=1)
            strengths.append(float(np.mean([_together(predicted[other == name]) for name in set(other.tolist())])))
    return {count: float(np.mean(strengths)) for count, strengths in found.items()}


def _together(names: ndarray) -> float:
    """Share of pairs with the same name; 0 for a single point, which nothing can confirm."""
    pairs = len(names) * (len(names) - 1)
    return float(((names[:, None] == names[None]).sum() - len(names)) / pairs) if pairs else 0.0


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
        "label": label(rows, failures) if grouped else rest_label(rows, failures),
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


def rest_label(rest: Sequence[Failure], failures: Sequence[Failure]) -> str:
    """What is to be said of failures without groups: a slice that is over-represented among those of the axis
    (hypergeometric test, 5 % over all slices), else that there are too few of them or that nothing unites them."""
    from scipy.stats import hypergeom

    axis = [row for row in failures if row.get("axis", "content") == rest[0].get("axis", "content")]
    everywhere = Counter(row.get("slice") for row in axis if row.get("slice"))
    here = Counter(row.get("slice") for row in rest if row.get("slice"))
    for name, count in ranked(here):
        chance = float(hypergeom.sf(count - 1, len(axis), everywhere[name], len(rest)))
        if count >= SMALLEST and chance * len(everywhere) < 0.05:
            return f"mostly {name}"
    return "too few to group" if len(rest) < FEWEST else "no common pattern"


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
