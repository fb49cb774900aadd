"""Becomes a command that ends with whoever started it, even if that is killed: `tied.py PARENT COMMAND…`.

The kernel of Linux sends SIGTERM when the parent is gone. Elsewhere the command simply runs; the next play then finds
its ports taken and uses others.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Turn into the command, unless the parent is gone already."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606 - the command is ours


if __name__ == "__main__":
    main()
