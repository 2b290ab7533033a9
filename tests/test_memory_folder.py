"""Folders in memory are gone behind their use, also behind a kill."""

import os
from pathlib import Path

from tests.memory_folder import folder_in_memory, has_room_in_memory


def test_what_killed_processes_left_is_deleted_and_nothing_else(tmp_path: Path) -> None:
    killed, alive, others = (tmp_path / name for name in ("evcs-tests-999999999-a", f"evcs-tests-{os.getpid()}-b", "c"))
    for folder in (killed, alive, others):
        (folder / "data").mkdir(parents=True)
    with folder_in_memory(tmp_path) as folder:
        (folder / "kafka").mkdir()
        assert {entry.name for entry in tmp_path.iterdir()} == {alive.name, others.name, folder.name}
    assert {entry.name for entry in tmp_path.iterdir()} == {alive.name, others.name}


def test_a_machine_without_a_file_system_in_memory_has_no_room(tmp_path: Path) -> None:
    assert not has_room_in_memory(tmp_path / "missing")
