"""What keeps a catalog's file from being loaded.

BadCatalog       (an OperatorError) the file, and everything that is wrong in it
ClashingCatalog  (an OperatorError) stations that are on the topic only have ids that the file gives to others
"""

from collections.abc import Sequence
from pathlib import Path

from infra.catalog.faults import Fault
from infra.errors import OperatorError


class BadCatalog(OperatorError):
    """The file is wrong; nothing was loaded. `faults` are the first of `count`."""

    def __init__(self, file: Path, faults: Sequence[Fault], count: int) -> None:
        lines = [f"{file}: {fault}" for fault in faults]
        if count > 1:
            lines.insert(0, f"{file} has {count} faults")
        if count > len(faults):
            lines.append(f"… and {count - len(faults)} more")
        super().__init__("\n".join(lines))
        self.faults = tuple(faults)
        self.count = count


class ClashingCatalog(OperatorError):
    """What would lie on the topic contradicts itself; nothing was loaded."""

    def __init__(self, clashes: Sequence[str], count: int) -> None:
        more = f"\n… and {count - len(clashes)} more" if count > len(clashes) else ""
        super().__init__(
            "ids of stations that are on station-catalog and not in the file: add these stations to the file, or take "
            "them out with --remove-missing\n" + "\n".join(clashes) + more
        )
