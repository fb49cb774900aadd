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
CONNECTIONS = 192
LOADS = (0.5, 0.9, 1.5, 2.0)
"""Offered, in parts of the peak, for the plot; three times the peak is the case."""
OVERLOAD = 3.0


def _goodput() -> Measured:
    with lockgate(wide()) as site:
        endpoint = site.endpoint(wide(), wide().json())
        peaks = [endpoint.press(16).rate for _ in range(FEW)]
        peak = sorted(peaks)[len(peaks) // 2]
        swept = [(load, _pressed(endpoint, load * peak)) for load in LOADS]
        over = [(OVERLOAD, _pressed(endpoint, OVERLOAD * peak)) for _ in range(FEW)]
    return Measured.middle(
        (pressed.rate / peak for _, pressed in over), peak=peak, loads=[_told(*each, peak) for each in swept + over]
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
