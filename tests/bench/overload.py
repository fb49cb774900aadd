"""Goodput under more than can be answered: requests leave at their times, whatever becomes of those before them.

The model takes some milliseconds, as models do whose line grows long; requests of the tabular one cost most of their
time before anybody could refuse them, so that `speed_overload` has three times the connections instead.
"""

from tests.bench.case import Case, Measured
from tests.bench.load import FEW, SECONDS, Endpoint
from tests.bench.press import Pressed
from tests.bench.site import lockgate
from tests.bench.subjects import wide

PATIENCE_S = 1.0
"""Who has no answer by then has left."""
CONNECTIONS, CLOSED = 192, 16
"""For requests that leave at their times, and for those of which each waits for the answer to the last."""
LOADS = (0.5, 0.9, 1.5, 2.0)
"""Offered, in parts of the peak, for the plot; three times the peak is the case."""
OVERLOAD = 3.0


def _goodput() -> Measured:
    """Good answers over those at the peak, in turn; the loads for the plot come before."""
    with lockgate(wide()) as site:
        endpoint = site.endpoint(wide(), wide().json())
        peak = endpoint.press(CLOSED).rate
        swept = [(load, _pressed(endpoint, load * peak)) for load in LOADS]
        both = [(endpoint.press(CLOSED).rate, _pressed(endpoint, OVERLOAD * peak)) for _ in range(FEW)]
    told = swept + [(OVERLOAD, over) for _, over in both]
    return Measured.middle(
        (over.rate / most for most, over in both), peak=peak, loads=[_told(*each, peak) for each in told]
    )


def _pressed(endpoint: Endpoint, rate: float) -> Pressed:
    return endpoint.press(CONNECTIONS, rate=rate, patience_s=PATIENCE_S)


def _told(load: float, pressed: Pressed, peak: float) -> dict[str, float]:
    """What came of a load, all in parts of the peak."""
    refused = pressed.statuses.get(503, 0)
    good, refused_s, late_s = pressed.rate, refused / SECONDS, pressed.late / SECONDS
    return {"offered": load, "good": good / peak, "refused": refused_s / peak, "late": late_s / peak}


CASES = (
    Case(
        name="overload_goodput",
        what="JSON at three times the peak rate, a model of some milliseconds: good answers within 1 s over the peak",
        better="higher",
        goal=0.9,
        measure=_goodput,
    ),
)
