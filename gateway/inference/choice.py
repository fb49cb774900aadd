"""Which threads and how many rows together suit a model best, by what was measured. PURE: paces in, a choice out.

| which rows together | are compared |
|---|---|
| one | always |
| more, where requests are never joined (admission, the card) | never |
| more, where a further row is hardly cheaper than the first | never: the gateway joins none |
| more, where a run with one row stays on the event loop | while half of the runs are short enough for the loop |
| more, elsewhere | while half of the runs keep the bound |

The best of these is the one with the most rows a second. Whatever comes within 5 % of it is as good; of that the fewest
threads are chosen, and then the fewest rows.
"""

from typing import Literal

import msgspec

from gateway.inference.pace import Measured, Pace

AS_GOOD = 0.95
"""This part of the best rows a second is as good: it is less than a noisy machine shows from run to run."""

Joining = Literal["pays", "does_not_pay", "never"]


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """What suits the model best."""

    pace: Pace
    """The runs with what was chosen."""
    alone: Pace
    """The runs with one row on the same threads: what a single request waits for."""
    fastest: Pace
    """The most rows a second of what was compared."""
    beyond: Pace | None
    """More rows a second than that, by runs that the gateway would not make; None if there are none."""
    on_loop: bool
    """Whether the gateway runs a single row on its event loop, or in a thread of the model's own."""
    joining: Joining
    """Whether the gateway runs requests together: it pays, it does not, or nobody may."""
    keeps_bound: bool
    """Whether half of the runs take no longer than the bound."""


def choose(measured: Measured, *, joined: bool, run_max_ms: float) -> Choice:
    """The fewest threads, and then the fewest rows, that are as good as the best."""
    compared = [each for each in measured.paces if _compared(each, measured, run_max_ms, joined=joined)]
    keeping = [each for each in compared if each.p50_ms <= run_max_ms]
    fastest = max(keeping or compared, key=lambda pace: pace.rows_s)
    as_good = [each for each in keeping or compared if each.rows_s >= AS_GOOD * fastest.rows_s]
    most = max(measured.paces, key=lambda pace: pace.rows_s)
    chosen = min(as_good, key=lambda pace: (pace.threads, pace.rows))
    opened, alone = measured.opened_with(chosen.threads), measured.pace(chosen.threads, 1)
    assert alone is not None
    return Choice(
        pace=chosen,
        alone=alone,
        fastest=fastest,
        beyond=most if AS_GOOD * most.rows_s > fastest.rows_s else None,
        on_loop=opened.on_loop,
        joining=_joining(joined=joined, pays=opened.pays),
        keeps_bound=bool(keeping),
    )


def _joining(*, joined: bool, pays: bool) -> Joining:
    if not joined:
        return "never"
    return "pays" if pays else "does_not_pay"


def _compared(pace: Pace, measured: Measured, run_max_ms: float, *, joined: bool) -> bool:
    """Whether a gateway would run so many rows together."""
    opened = measured.opened_with(pace.threads)
    if pace.rows == 1:
        return True
    if _joining(joined=joined, pays=opened.pays) != "pays":
        return False
    return pace.p50_ms <= (min(run_max_ms, measured.loop_max_ms) if opened.on_loop else run_max_ms)
