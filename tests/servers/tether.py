"""Runs a command that does not outlive whoever started it: `tether.py SIGNAL PARENT USER COMMAND…`, with a pipe
as standard input.

PARENT is the number of whoever started it. The command runs as USER (a number; `-` is whoever we are), which only root
may choose.

On Linux the kernel sends the signal when the parent is gone, however it went. Elsewhere this process stays, and sends
it when the pipe closes, which a killed parent cannot prevent either.
"""

import ctypes
import os
import pwd
import signal
import subprocess
import sys
import threading

PR_SET_PDEATHSIG = 1


def main() -> None:
    ending, parent = signal.Signals[sys.argv[1]], int(sys.argv[2])
    user, command = sys.argv[3], sys.argv[4:]
    if user != "-":
        drop_to(int(user))
    if sys.platform == "linux":
        become(ending, parent, command)
    sys.exit(watch(ending, command))


def drop_to(user: int) -> None:
    """Be that user from here on, with the user's own group and no other."""
    os.setgroups([])
    os.setgid(pwd.getpwuid(user).pw_gid)
    os.setuid(user)


def become(ending: signal.Signals, parent: int, command: list[str]) -> None:
    """Turn into the command, with the kernel told to end it together with its parent, unless that is gone already."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, ending.value)
    if os.getppid() != parent:
        sys.exit(1)
    os.execvp(command[0], command)


def watch(ending: signal.Signals, command: list[str]) -> int:
    """Run the command as a child and pass signals on to it, the end of our standard input being one of them."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    for passed_on in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        signal.signal(passed_on, lambda number, _frame: child.send_signal(number))

    def end_with_the_pipe() -> None:
        sys.stdin.buffer.read()
        child.send_signal(ending)

    threading.Thread(target=end_with_the_pipe, daemon=True).start()
    return child.wait()


if __name__ == "__main__":
    main()
