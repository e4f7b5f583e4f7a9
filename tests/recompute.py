"""Every number of a stored run, computed again from its rows alone: python tests/recompute.py RUN.json; exit 1 if not.

Shares, times and tokens per arm, causes, regressions, differences, interaction, smallest effect, costs, group sizes and
the route. Sums are written out here and not taken from the code that made the run; the interval and p of a difference
and the prices are.
"""

import json
import math
import sys
from collections import Counter
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ftrag.decision.cost import input_rows
from ftrag.evaluation.attribution import cause
from ftrag.evaluation.diagnose import diagnose
from ftrag.evaluation.stats import compare, minimum_detectable_effect
from ftrag.types import Verdict

AXES = ("content", "behaviour")


def verdict_of(said, axis):
    if axis != "both":
        return said[axis]
    return None if None in (said["content"], said["behaviour"]) else said["content"] and said["behaviour"]


TIMES = ("seconds", "first_token_s")


def mean(values):
    return sum(values) / len(values) if values else None


def ranked(values, share):
    """Nearest rank: the smallest value that at least this share does not exceed."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def arms(rows):
    found = {}
    for arm in dict.fromkeys(arm for row in rows for arm in row["answers"]):
        said = [row["answers"][arm] for row in rows if arm in row["answers"]]
        known = {axis: [v for one in said if (v := verdict_of(one, axis)) is not None] for axis in (*AXES, "both")}
        found[arm] = {axis: mean(values) for axis, values in known.items()}
        found[arm] |= {f"{axis}_n": len(values) for axis, values in known.items()} | {"n": len(said)}
        found[arm] |= waits(said) | {"batch_p95_s": ranked([one["seconds"] for one in said], 0.95)}
        found[arm] |= {key: mean([one[key] for one in said]) for key in ("tokens", "prompt_chars")}
    return found


def waits(said):
    """Seconds of the two questions asked alone; where none was, the percentiles of all answers as batches gave them."""
    alone = {p: one["alone"][f"p{p}"] for p in (50, 95) for one in said if f"p{p}" in one.get("alone", {})}
    if not alone:
        alone = {p: {key: ranked([one[key] for one in said], p / 100) for key in TIMES} for p in (50, 95)}
    first = [alone[p]["first_token_s"] for p in (50, 95)]
    return {
        "latency_p50_s": alone[50]["seconds"],
        "latency_p95_s": max(alone[p]["seconds"] for p in (50, 95)),
        "first_token_p50_s": min(first),
        "first_token_p95_s": max(first),
        "alone": sum(len(one.get("alone", {})) for one in said),
    }


def difference(rows, a, b, axis):
    pairs = [
        (verdict_of(row["answers"][a], axis), verdict_of(row["answers"][b], axis))
        for row in rows
        if {"base", a, b} <= row["answers"].keys()
    ]
    return compare([pair for pair in pairs if None not in pair])


def interaction(rows, axis):
    four = [
        [verdict_of(row["answers"][arm], axis) for arm in ("base", "base+rag", "lora", "lora+rag")]
        for row in rows
        if {"base", "base+rag", "lora", "lora+rag"} <= row["answers"].keys()
    ]
    return mean([(both - lora) - (rag - base) for base, rag, lora, both in four if None not in (base, rag, lora, both)])


def causes(rows, axis):
    right = [{arm: said[axis] for arm, said in row["answers"].items() if said[axis] is not None} for row in rows]
    return Counter(cause(one) for one in right if "base" in one)


def cost(row):
    price = {one["key"]: one["value"] for one in input_rows()}
    kind = "tuned" if row["arm"].startswith("lora") else "llm"
    tokens = row["inputs"]["prompt_tokens"], row["inputs"]["answer_tokens"]
    return (tokens[0] * price[f"{kind}_input_usd"] + tokens[1] * price[f"{kind}_output_usd"]) / 1e6


def wrong(run):
    """Names of what does not follow from the rows; [] is what a run should give."""
    rows, found = run["rows"], []
    again = arms(rows)
    for arm, numbers in run["arms"].items():
        found += [f"{arm} {key}" for key, value in again[arm].items() if not same(value, numbers[key])]
    for row in run["differences"]:
        value = difference(rows, row["a"], row["b"], row["axis"])
        found += [f"{row['b']} - {row['a']} {row['axis']} {key}" for key in value if not same(value[key], row[key])]
    for axis in AXES:
        counted = causes(rows, axis)
        found += [f"{axis} {name}" for name, count in run["causes"][axis].items() if counted[name] != count]
        for arm, counts in run["regressions"].items():
            broken = sum(
                row["answers"]["base"][axis] is True and row["answers"][arm][axis] is False
                for row in rows
                if {"base", arm} <= row["answers"].keys()
            )
            found += [f"regressions {arm} {axis}"] * (counts.get(axis, 0) != broken)
    for axis, value in run["interaction"].items():
        found += [f"interaction {axis}"] * bool(value and not same(value["difference"], interaction(rows, axis)))
    axis = run["decision"]["axis"]
    asked = sum(verdict_of(row["answers"]["base"], axis) is not None for row in rows if "base" in row["answers"])
    found += ["smallest effect"] * (run["minimum_detectable_effect"] != minimum_detectable_effect(asked))
    return found + [name for part in (_costs, _groups, _route) for name in part(run, again)]


def _costs(run, again):
    for row in run["costs"]:
        numbers, base = again[row["arm"]], again["base"]
        axis = run["decision"]["axis"]
        gain = (numbers[axis] or 0) - (base[axis] or 0)
        expected = {"prompt_tokens": numbers["prompt_chars"] / 4, "answer_tokens": numbers["tokens"]}
        wanted = (row["usd"] - run["costs"][0]["usd"]) / gain if gain > 0 else None
        if not all(same(row["inputs"][key], value) for key, value in expected.items()) or not same(
            cost(row), row["usd"]
        ):
            yield f"cost of {row['arm']}"
        if not same(wanted, row["usd_per_additional"]):
            yield f"cost of one more under {row['arm']}"


def _groups(run, again):
    for axis in AXES:
        failed = {row["id"] for row in run["rows"] if row["cause"].get(axis, "solved") != "solved"}
        grouped = [id_ for one in run["clusters"] if one["axis"] == axis for id_ in one["ids"]]
        if len(grouped) != len(set(grouped)) or set(grouped) != failed:
            yield f"groups of {axis}"
    yield from (f"size of {one['label']}" for one in run["clusters"] if one["size"] != len(one["ids"]))
    said = [one for row in run["rows"] for one in row["answers"].values()]
    counts = {
        axis: sum(one[axis] is None and one["why"].get(axis) != "no behaviour checks" for one in said) for axis in AXES
    }
    yield from (f"unscored {axis}" for axis, count in run["unscored"].items() if count != counts[axis])


def _route(run, again):
    if run["gates"]["set"]:
        return  # gates that bind need more than rows
    verdicts = [
        Verdict(row["id"], arm, said["content"], said["behaviour"])
        for row in run["rows"]
        for arm, said in row["answers"].items()
    ]
    if diagnose(verdicts)["route"] != run["decision"]["route"]:
        yield "route"


def same(one, other):
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)


if __name__ == "__main__":
    bad = wrong(json.loads(Path(sys.argv[1]).read_text()))
    print("every number follows from the rows" if not bad else "\n".join(bad))
    sys.exit(bool(bad))
