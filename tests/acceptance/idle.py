"""Connects to a port so many times, says nothing, and tells how many are connected and when all have been cut off.

`python idle.py PORT COUNT` in a process of its own, which has files of its own.
"""

import resource
import select
import socket
import sys


def main(port: int, count: int) -> None:
    """Print `open` once all are connected, and the number of those that were cut off once that is all."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    ends = select.poll()
    silent = {}
    for _ in range(count):
        one = socket.create_connection(("127.0.0.1", port), timeout=60)
        silent[one.fileno()] = one
        ends.register(one, select.POLLIN)
    print("open", flush=True)
    while silent:
        for descriptor, _ in ends.poll():
            ends.unregister(descriptor)
            silent.pop(descriptor).close()
    print(count, flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
