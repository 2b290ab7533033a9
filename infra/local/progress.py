"""How a long start tells what it is doing: a spinner on a terminal, plain lines elsewhere, always on stderr."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

#: Takes one short sentence on what is being done now.
Progress = Callable[[str], None]


def quiet(_message: str) -> None:
    """Says nothing."""


@contextmanager
def shown_on_stderr() -> Iterator[Progress]:
    """A Progress for people: the last message beside a spinner, or every message on a line of its own."""
    console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    if not console.is_terminal:
        yield console.print
        return
    with console.status("") as status:
        yield status.update
