"""One tree of errors. A message says what is wrong, where, and what to do next; only the CLI and the UI catch them."""


class FtragError(Exception):
    """Anything a user can put right. The command line prints it in one line and exits with 2."""


class InputError(FtragError):
    """What the user gave cannot be used: a file, a row, a question, a name."""


class NotFound(FtragError):
    """A project, document, adapter, run or job that is not there."""


class ModelError(FtragError):
    """Weights that cannot be fetched, verified, loaded or combined."""


class TrainingError(FtragError):
    """A training that cannot start or that failed on the way."""


class EvaluationBlocked(FtragError):
    """A trust check refused to let a run count: leaked answers, an adapter in a base arm, unequal templates."""
