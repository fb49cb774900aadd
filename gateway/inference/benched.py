"""What a bench found out about a model, in sentences and in lines for its card. Pure."""

from collections.abc import Iterator

import msgspec

from gateway.inference.choice import AS_GOOD, Choice
from gateway.inference.pace import Measured, Pace
from gateway.inference.report import AdmissionReport
from gateway.inference.samples import has_free_batch
from gateway.registry.card import Card

UNSTEADY = 0.2
"""Rounds that lie further apart than this part of their median say little."""
_WHY_ALONE = {
    "mixed": "an item is answered differently alone and together",
    "fixed": "the model takes just the number of items that it declares",
    "unknown": "admission could not run it on made-up inputs",
}


class Benched(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured, where, and what follows."""

    model: str
    """The file's name, or the release, such as `sentiment@7`."""
    sha256: str
    processors: int
    """How many processors the measuring process might use."""
    seconds: float
    run_max_ms: float
    why_alone: str
    """Why requests are never joined; empty where they may be."""
    measured: Measured
    choice: Choice

    @property
    def card_lines(self) -> tuple[str, ...]:
        """What to write into the card; of rows nothing where the gateway joins no requests whatever it says."""
        session = ("[session]", f"threads = {self.choice.pace.threads}")
        if self.choice.joining != "pays":
            return session
        return ("[batching]", f"max_rows = {self.choice.pace.rows}", *session)


def why_alone(report: AdmissionReport, card: Card | None) -> str:
    """Why requests for the model are never joined; empty where they may be."""
    if card is not None and card.batch_axis is None:
        return 'the card says batch_axis = "none"'
    if report.probe.batching != "independent":
        return _WHY_ALONE[report.probe.batching]
    fixed = [spec.name for spec in report.signature.inputs if not has_free_batch(spec)]
    if fixed:
        return f"input '{fixed[0]}' has no items along the batch axis"
    return "the card says join = false" if card is not None and not card.batching.join else ""


def sentences(benched: Benched) -> Iterator[str]:
    """What the figures say, for people."""
    choice = benched.choice
    pace, alone = choice.pace, choice.alone
    yield f"{_of(pace)}: {pace.rows_s:,.0f} rows a second of the model alone, {pace.p50_ms:.3g} ms a run."
    if choice.fastest != pace:
        most = choice.fastest
        yield f"That is within {1 - AS_GOOD:.0%} of the most, {most.rows_s:,.0f} rows a second with {_of(most)}."
    if choice.beyond is not None:
        yield _of_beyond(benched, choice.beyond)
    place = "on its event loop" if choice.on_loop else "in a thread of the model's own"
    yield f"One row takes {alone.p50_ms:.3g} ms: the gateway runs it {place}."
    yield _of_joining(benched)
    if not choice.keeps_bound:
        yield f"No run takes less than {benched.run_max_ms:g} ms; a larger bound is --run-max-ms."
    spread = (pace.rows_s_high - pace.rows_s_low) / pace.rows_s
    if spread > UNSTEADY:
        yield f"The rounds lie {spread:.0%} apart: something else ran here, so measure again when it is quiet."


def _of(pace: Pace) -> str:
    threads = "1 thread" if pace.threads == 1 else f"{pace.threads} threads"
    return f"{threads} and {'1 row' if pace.rows == 1 else f'{pace.rows} rows'} a run"


def _of_beyond(benched: Benched, beyond: Pace) -> str:
    """Why the gateway would not make the runs that were the fastest."""
    opened, measured = benched.measured.opened_with(beyond.threads), benched.measured
    if benched.why_alone or not opened.pays:
        why = "it joins no requests there"
    elif opened.on_loop and beyond.p50_ms <= benched.run_max_ms:
        why = f"one row is short enough for its event loop there, and that is held up for {measured.loop_max_ms:g} ms"
    else:
        why = f"they take longer than {benched.run_max_ms:g} ms"
    return f"{_of(beyond)} would be {beyond.rows_s:,.0f} rows a second, but the gateway makes no such runs: {why}."


def _of_joining(benched: Benched) -> str:
    choice = benched.choice
    if choice.joining == "never":
        return f"Requests are never joined: {benched.why_alone}."
    opened = benched.measured.opened_with(choice.pace.threads)
    if opened.first_us is None or opened.further_us is None:
        return "What a further row costs is not known: the model's warm-up fails, and requests are joined."
    share = opened.further_us / opened.first_us
    if choice.joining == "pays":
        return f"A further row costs {share:.0%} of the first: requests that meet are run together."
    return f"A further row costs {share:.0%} of the first: joining does not pay, and the gateway joins none."
