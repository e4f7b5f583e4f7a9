"""Commands that need no project and no model: decide, cost, classify, diagnose."""

from __future__ import annotations

import argparse
from typing import Any

from ftrag import project as projects
from ftrag.commands.arguments import add, existing, text_lines


def register(commands: Any) -> None:
    from ftrag.decision import cost, questionnaire

    decide = add(commands, "decide", _decide, "a first recommendation from a questionnaire", project=False)
    questionnaire.add_decide_arguments(decide)
    decide.add_argument("--keep", metavar="PROJECT", help="keep the answers with a project, for its verdicts")
    costs = add(commands, "cost", _cost, "what each route costs, line by line", project=False)
    cost.add_cost_arguments(costs)
    costs.add_argument("--project", metavar="PROJECT", help="count the tokens in this project's index")
    classify = add(commands, "classify", _classify, "does a capability need retrieval or fine-tuning?", project=False)
    classify.add_argument("capability", nargs="*", help="one sentence each; or use --file")
    classify.add_argument("--file", help="a text file with one capability per line")
    diagnose = add(commands, "diagnose", _diagnose, "causes and verdict from any system's answers", project=False)
    diagnose.add_argument("verdicts", metavar="VERDICTS.jsonl")
    diagnose.add_argument("--gold", help="gold questions, to score rows {id, arm, answer}")


def _decide(options: argparse.Namespace) -> Any:
    from ftrag.decision import plain, questionnaire

    answers = questionnaire.answers_from(options)
    if options.keep:
        from ftrag import conclusions

        conclusions.set_answers(projects.find(options.keep, projects.home()), answers)
    result = questionnaire.decide(answers)
    return result if options.json else plain.decision_text(result)


def _cost(options: argparse.Namespace) -> Any:
    from ftrag.decision import cost, plain

    given = cost.inputs_from(options)
    if options.project:
        from ftrag import costing

        given = {**costing.measured_inputs(projects.find(options.project, projects.home())), **given}
    result = cost.estimate(given)
    return result if options.json else plain.cost_text(result)


def _classify(options: argparse.Namespace) -> Any:
    from ftrag import workflows

    lines = list(options.capability)
    if options.file:
        lines += [line.strip() for line in text_lines(options.file)]
    return workflows.classify([line for line in lines if line.strip()])


def _diagnose(options: argparse.Namespace) -> Any:
    from ftrag import workflows

    return workflows.diagnose(existing(options.verdicts), existing(options.gold) if options.gold else None)
