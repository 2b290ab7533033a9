"""The end of a log, as an error message shows it."""

from pathlib import Path

from infra.local.log_tail import set_aside, tail_of


def test_the_tail_is_the_last_lines_that_tell_something(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    frames = "\tat kafka.Kafka.main\n" * 50
    log.write_text("".join(f"line {n}\n\n" for n in range(30)) + "ERROR boom\n" + frames)
    assert tail_of(log) == [*(f"line {n}" for n in range(11, 30)), "ERROR boom"]


def test_several_logs_are_read_one_after_the_other_and_may_be_missing(tmp_path: Path) -> None:
    (tmp_path / "console").write_text("WARNING: Unsafe\nOutOfMemoryError")
    (tmp_path / "server").write_bytes(b"started\n\xff\n")
    tail = tail_of(tmp_path / "server", tmp_path / "console", tmp_path / "none")
    assert tail == ["started", "\ufffd", "OutOfMemoryError"]


def test_a_start_begins_an_empty_log_and_keeps_the_one_before(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    set_aside(log)
    log.write_text("old")
    set_aside(log)
    assert not log.exists()
    assert (tmp_path / "server.log.previous").read_text() == "old"
