"""Memory that was freed and that the system does not have back yet. Who has read much at once decides when to call."""

import ctypes


def give_back() -> None:
    """Returns to the system what the allocator keeps for later; glibc only."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
