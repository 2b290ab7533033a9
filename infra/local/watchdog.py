"""Runs a command and kills it once the process that asked for it is gone, even if that was killed itself.

Run as `python -m infra.local.watchdog COMMAND…` with a pipe as standard input. The pipe closes when its holder
dies; should some child of the holder have inherited it, the change of our parent tells as well.
"""

import os
import select
import subprocess
import sys

_POLL_S = 0.25


def main(command: list[str]) -> int:
    """Starts `command`, prints its pid, and waits for either end. Returns the command's exit code."""
    asker = os.getppid()
    # Our standard output carries the pid; the command's own goes where our errors go.
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sys.stderr, stderr=sys.stderr)
    os.write(sys.stdout.fileno(), f"{child.pid}\n".encode())
    while child.poll() is None:
        readable, _, _ = select.select([sys.stdin], [], [], _POLL_S)
        closed = bool(readable) and not os.read(sys.stdin.fileno(), 1)
        if closed or os.getppid() != asker:
            child.kill()
            child.wait()
    return child.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
