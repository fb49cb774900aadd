"""The runs beside plain answers that wait to be joined, and how much of the loop's time they may take."""

from contextlib import ExitStack

from gateway.express.companion import Companion, Joint
from gateway.express.finished import Finished

LINE_MAX = 256
"""Runs of one release that may wait; beyond, they are dropped and counted."""
TOGETHER_MAX = 64
"""Answers beside which one run is made: a run has its price, whoever it is for."""
COMPARED_TOGETHER = 16
"""Answers that are compared and recorded at once: some 150 µs, for which the loop is held up."""
GATHER_S = 0.02
"""How long answers gather before a run that is not full: nobody waits for it."""
SHARE = 1 / 12
"""What the runs beside answers may take of the loop's time.

Joined they cost an eighth of the answers themselves. At half load a sixteenth of the time is enough for all of them,
and where no time is left over they take no more from the answers than this.
"""
ALONE_S = 400e-6
"""What a run that has to be looked at by itself takes of the loop, roughly."""


class Line:
    """Runs that can be joined, with their hold on the live plan."""

    def __init__(self, first: Finished) -> None:
        self.waiting: list[Finished] = []
        self.hold = ExitStack()
        self.hold.enter_context(first.waiting.target.live.in_use())

    def take(self, most: int, companion: Companion) -> list[Finished]:
        """The first of them, `most` at most and no more items than one run takes."""
        items = taken = 0
        for each in self.waiting[:most]:
            items += each.waiting.request.items
            if taken and items > companion.most:
                break
            taken += 1
        first, self.waiting = self.waiting[:taken], self.waiting[taken:]
        return first


class Lines:
    """The lines of all releases, which take turns."""

    def __init__(self) -> None:
        self._by_joint: dict[Joint, Line] = {}

    def __bool__(self) -> bool:
        return bool(self._by_joint)

    @property
    def one_is_full(self) -> bool:
        """Whether some run would be as large as it may be."""
        return any(len(line.waiting) >= TOGETHER_MAX for line in self._by_joint.values())

    def put(self, companion: Companion, run: Finished) -> bool:
        """Stand at the end of the line; False where it has no room."""
        line = self._by_joint.get(companion.joint)
        if line is None:
            line = self._by_joint[companion.joint] = Line(run)
        elif len(line.waiting) >= LINE_MAX:
            return False
        line.waiting.append(run)
        return True

    def pop(self) -> Line:
        """The line whose turn it is, taken out."""
        return self._by_joint.pop(next(iter(self._by_joint)))

    def put_back(self, line: Line, companion: Companion) -> None:
        """Behind the others, where somebody still waits in it; else its live plan is given back."""
        if line.waiting:
            self._by_joint[companion.joint] = line
        else:
            line.hold.close()


def rest_after(spent_s: float) -> float:
    """The seconds for which the loop belongs to answers after so many were spent beside them. Pure."""
    return spent_s * (1 / SHARE - 1)
