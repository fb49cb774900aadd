"""Becomes a command under limits: `python -I -S confined.py MEMORY CPU_S FILE PROGRAM ARGUMENT…`, in bytes and seconds.

Limits are set between two programs and not between fork and exec of a process with threads, where Python may lock up.
The file is run by its path and imports nothing of ours, so that the command inherits no path of ours either.
"""

import os
import resource
import sys
from contextlib import suppress

NOT_FOUND = 127
"""What shells say of a program that is not there."""


def main(memory_bytes: str, cpu_s: str, file_bytes: str, *command: str) -> int:
    """The exit status when the command cannot be run; else this never returns."""
    for kind, value, hard in (
        (resource.RLIMIT_AS, int(memory_bytes), 0),
        (resource.RLIMIT_CPU, int(cpu_s), 1),  # the hard limit just behind the one that tells its reason
        (resource.RLIMIT_FSIZE, int(file_bytes), 0),
        (resource.RLIMIT_CORE, 0, 0),
    ):
        with suppress(OSError, ValueError):  # macOS refuses to lower some
            resource.setrlimit(kind, (value, value + hard))
    try:
        os.execvp(command[0], command)  # noqa: S606 - no shell on purpose
    except OSError as error:
        os.write(2, f"{command[0]}: {error.strerror}\n".encode())
    return NOT_FOUND


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
