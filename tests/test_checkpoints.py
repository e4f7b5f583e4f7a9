"""Checkpoints under kill -9 and failing writes: never a corrupt resume, at most one save interval lost."""

import errno
import itertools
import json
import os
import resource
import signal
from pathlib import Path

import pytest

from ftrag.training import checkpoints
from tests.crash import report, suite

KILLS = int(os.environ.get("FTRAG_KILLS", "30"))  # benchmarks/crash.py is the long form


def files(text: str) -> dict[str, bytes]:
    return {"a.bin": text.encode() * 1000, "b.json": json.dumps(text).encode(), "card.json": b"{}"}


def test_a_commit_is_whole_or_not_there(tmp_path):
    checkpoints.commit(tmp_path / "step-1", files("one"), last="card.json")
    assert checkpoints.valid(tmp_path / "step-1")
    checkpoints.commit(tmp_path / "step-1", files("two"))
    assert (tmp_path / "step-1" / "b.json").read_bytes() == b'"two"'
    assert [path.name for path in tmp_path.iterdir()] == ["step-1"]


@pytest.mark.parametrize("spoil", ["cut", "missing", "no manifest", "bad manifest"])
def test_the_newest_whole_checkpoint_is_taken(tmp_path, spoil):
    for step in (3, 12, 111):
        checkpoints.commit(tmp_path / checkpoints.name(step), files(str(step)))
    newest = tmp_path / checkpoints.name(111)
    if spoil == "cut":
        (newest / "a.bin").write_bytes(b"111")
    elif spoil == "missing":
        (newest / "b.json").unlink()
    elif spoil == "no manifest":
        (newest / checkpoints.MANIFEST).unlink()
    else:
        (newest / checkpoints.MANIFEST).write_text("[]")
    assert checkpoints.newest(tmp_path) == tmp_path / checkpoints.name(12)
    assert checkpoints.newest(tmp_path / "nothing") is None


def test_sweeping_keeps_the_newest_and_removes_what_a_kill_left(tmp_path):
    for step in range(5):
        checkpoints.commit(tmp_path / checkpoints.name(step), files(str(step)))
    (tmp_path / ".partial-x").mkdir()
    checkpoints.sweep(tmp_path, keep=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == [checkpoints.name(3), checkpoints.name(4)]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES, errno.EIO])
def test_the_ith_write_failing_leaves_the_old_state_whole(tmp_path, code):
    """Every write of a commit fails in turn, before its first byte and half way through."""
    checkpoints.commit(tmp_path / "step-1", files("old"))
    tried = 0
    writes = len(files("")) + 1  # one more for the manifest
    for half, failing, target in itertools.product((False, True), range(writes), ("step-1", "step-2")):
        with pytest.raises(OSError, match=os.strerror(code)):
            checkpoints.commit(tmp_path / target, files("new"), write=failing_write(failing, half, code))
        tried += 1
        assert [path.name for path in tmp_path.iterdir()] == ["step-1"]
        assert checkpoints.valid(tmp_path / "step-1")
        assert (tmp_path / "step-1" / "b.json").read_bytes() == b'"old"'
    report(f"failing writes ({errno.errorcode[code]}): {tried} tried, {tried} left the old state whole")


def failing_write(failing: int, half: bool, code: int):
    """A writer whose call number `failing` raises, with nothing or half of the bytes written."""
    numbers = itertools.count()

    def write(path: Path, data: bytes) -> None:
        if next(numbers) == failing:
            if half:
                path.write_bytes(data[: len(data) // 2])
            raise OSError(code, os.strerror(code), str(path))
        checkpoints.write_synced(path, data)

    return write


def test_a_full_disk_in_a_real_training_leaves_the_old_checkpoints_whole(tmp_path):
    """The kernel refuses file bytes beyond a limit, a different one each time; afterwards the training goes on."""
    from tiny import rows, tiny

    from ftrag.training import lora
    from ftrag.training.settings import TrainSettings

    settings = TrainSettings(forgetting=False, rank=4, learning_rate=0.01, epochs=4, save_steps=4, patience=100)
    expected = lora.train(tiny(), rows(), tmp_path / "whole", settings)
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    previous = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    failed = 0
    try:
        for limit in (0, 1_000, 20_000, 40_000):
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, old[1]))
            said = []

            def stop(said=said) -> bool:
                return len(said) > 9

            try:
                lora.train(tiny(), rows(), tmp_path / "full", settings, said.append, stop)
            except OSError as error:
                assert error.errno == errno.EFBIG
                failed += 1
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, old)
            found = [p for p in tmp_path.glob("full/.unfinished-*/checkpoints/*") if not checkpoints.valid(p)]
            assert found == []
    finally:
        signal.signal(signal.SIGXFSZ, previous)
    value = lora.train(tiny(), rows(), tmp_path / "full", settings)
    assert value["losses"] == expected["losses"]
    assert failed == 4
    report(f"full disk in a real training: {failed} of 4 limits failed a write, the run then ended as if none had")


@pytest.mark.slow
def test_killed_at_random_moments_the_training_ends_as_if_uninterrupted(tmp_path, nursery):
    """Trainings are killed with SIGKILL at random moments and started again until they end."""
    found = suite(tmp_path, KILLS, seed=int(os.environ.get("FTRAG_SEED", "0")), nursery=nursery)
    assert found["kills"] >= KILLS
