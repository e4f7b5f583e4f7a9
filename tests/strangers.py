"""Visitors of one app, each with something of every kind that no other may see; and how an attacker would try."""

import inspect
import json
import shutil
from pathlib import Path
from types import SimpleNamespace

from ftrag import jobs, reporting, workflows
from ftrag import project as projects
from ftrag.ui import session, warm

RECORDED = {"arms": {}, "rows": [], "n": 1, "created": "2026-01-02T03:04:05Z", "recorded": True}


class Visitor:
    """A visitor with a project `mine` that holds a document, a run, an adapter and a job, each with a secret in it."""

    def __init__(self, home, number):
        self.visitor = session.new_visitor()
        self.secret = f"secret-of-{number}-{session.new_visitor()}"
        self.workspace = session.workspace(self.visitor)
        workflows.new(self.workspace, "mine")
        self.project = self.workspace / "projects" / "mine"
        projects.update(self.project, model="none")  # no weights: what an attack gets before a model is loaded
        self.document = f"note-{number}.md"
        path = home / self.document
        path.write_text(f"# Note\n\n{self.secret} is the word of the day.\n")
        workflows.ingest(self.project, [path])
        path.unlink()
        gold = {"id": 1, "question": f"What is {self.secret}?", "answers": ["a word"]}
        projects.write_jsonl(self.project / "gold.jsonl", [gold])
        self.run = projects.new_id()
        shown = RECORDED | {
            "title": self.secret,
            "run": self.run,
            "decision": {"route": "rag", "sentence": self.secret},
        }
        projects.write_json(self.project / "runs" / self.run / "run.json", shown | {"adapter": None})
        self.adapter = projects.new_id()
        projects.write_json(self.project / "adapters" / self.adapter / "card.json", {"id": self.adapter})
        owner = session.owner(self.visitor)
        folder = jobs.create(projects.home(), ["train", "mine"], owner, "mine", self.workspace)
        (folder / "output.log").write_text(self.secret)
        reporting.Report(folder).write(jobs.DONE, fraction=1.0, message=self.secret)
        self.job = folder.name

    def state(self):
        """Every byte of this visitor's, to see whether anything changed."""
        places = [self.workspace, projects.home() / "jobs" / self.job]
        files = [path for place in places for path in place.rglob("*") if path.is_file() and path.name != ".seen"]
        return {str(path): path.read_bytes() for path in sorted(files)}


def handlers(blocks):
    """(name, function) of every handler of the page that is given a visitor.

    `knowledge.measure` is left out: it loads an embedder first and is given nothing but a project's name.
    """
    warm._line["text"] = "no model"  # so that a question does not wait for the real one to load
    found = {}
    for entry in blocks.fns.values():
        function = entry.fn
        if function is not None and "visitor" in inspect.signature(function).parameters:
            found[f"{function.__module__.rsplit('.', 1)[-1]}.{function.__name__}"] = function
    found.pop("knowledge.measure", None)
    return found


def events(victim):
    """What a click can say about a job or a row of the victim's."""
    said = [f"{kind} {victim.job}" for kind in ("log", "cancel", "retry", "dismiss")]
    return [SimpleNamespace(value=value, index=[0, 0], row_value=[victim.run], selected=True) for value in said]


def aimed(function, attacker, victim, event):
    """Arguments of a call by the attacker that names what the victim owns, by the parameters' names."""
    target = {
        "event": event,
        "visitor": attacker.visitor,
        "name": "mine",
        "job": victim.job,
        "run": victim.run,
        "adapter": victim.adapter,
        "document": victim.document,
        "question": f"What is {victim.secret[:9]}?",
        "files": [str(victim.project / "documents" / victim.document)],
        "file": str(victim.project / "gold.jsonl"),
        "repo": "nobody/nothing",
        "what": "Adapter",
        "token": "hf_" + "x" * 30,
        "release": victim.run,
        "one": victim.run,
        "other": victim.run,
    }
    values = []
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is parameter.VAR_POSITIONAL:
            values += [victim.adapter, "none", "retrieved", "retrieved", 3, 3, 16, 0, 0, False, [], [], []]
        elif name in target:
            values.append(target[name])
        else:
            values.append(None)
    return values


def attempt(function, attacker, victim):
    """What an attack brought: all that was given back, or the words of the refusal."""
    items = []
    for event in events(victim) if "event" in inspect.signature(function).parameters else [None]:
        try:
            value = function(*aimed(function, attacker, victim, event))
            items += list(value) if inspect.isgenerator(value) else [value]
        except Exception as error:  # whatever is raised reaches the attacker as words
            items.append(f"{type(error).__name__}: {error}")
    return repr(items) + "".join(_downloads(items))


def _downloads(value):
    """The bytes of files that were given back."""
    text = json.dumps(value, default=str)
    for word in text.replace('\\"', '"').split('"'):
        path = Path(word)
        if len(word) < 500 and word.startswith("/") and path.is_file():
            yield path.read_bytes().decode(errors="replace")
            if path.parent.name.startswith("ftrag-"):
                shutil.rmtree(path.parent, ignore_errors=True)
