"""Connects to a port so many times, says nothing, and tells how many are connected and when all have been cut off.

`python idle.py PORT COUNT` in a process of its own, which has files of its own.
"""

import resource
import selectors
import socket
import sys


def main(port: int, count: int) -> None:
    """Print `open` once all are connected, and the number of those that were cut off once that is all."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    ends = selectors.DefaultSelector()  # one that does not look at all of them each time
    for _ in range(count):
        ends.register(socket.create_connection(("127.0.0.1", port), timeout=60), selectors.EVENT_READ)
    print("open", flush=True)
    while ends.get_map():
        for key, _ in ends.select():
            ended = key.fileobj
            assert isinstance(ended, socket.socket)
            ends.unregister(ended)
            ended.close()
    print(count, flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
