"""Decides whether a model on another server may be served: it is asked what it takes, and run on made-up inputs."""

import asyncio

from gateway.inference.errors import ModelFailed, ModelRefusedValues
from gateway.inference.probe import probe
from gateway.inference.report import AdmissionReport
from gateway.inference.samples import sample_feeds
from gateway.inference.told_signature import as_first_told
from gateway.inference.upstream_errors import UpstreamAnswerWrong, UpstreamSignatureWrong
from gateway.inference.upstream_session import UpstreamSession, open_upstream
from gateway.inference.upstreams import AllowedUpstreams, Upstream
from gateway.protocol.signature import Signature


async def admit_upstream(
    upstream: Upstream, allowed: AllowedUpstreams, first: Signature | None = None
) -> AdmissionReport:
    """The report about an upstream that may be served; `first` is what callers of the model were told at first.

    Raises: UpstreamNotAllowed, UpstreamUnavailable, UpstreamTooSlow, UpstreamSignatureWrong, MarginsAsProbabilities.
    """
    session = open_upstream(upstream, allowed)
    try:
        told = (await session.tell()).signature
        session.signature = told if first is None else as_first_told(first, told)
        await _require_kept(session)
        probed = await asyncio.to_thread(probe, session)
    finally:
        await session.end()
    return AdmissionReport(
        sha256="",
        bytes=0,
        signature=probed.signature if first is None else as_first_told(first, probed.signature),
        opsets=(),
        ir_version=0,
        producer=upstream.address,
        class_labels=(),
        probe=probed.probe,
        warnings=probed.warnings,
    )


async def _require_kept(session: UpstreamSession) -> None:
    """Return unless the server answers something else than it says. Raises: UpstreamSignatureWrong."""
    try:
        await session.infer(sample_feeds(session.signature, items=1))
    except UpstreamAnswerWrong as error:
        raise UpstreamSignatureWrong(fault="its answers are not what it says") from error
    except (ModelFailed, ModelRefusedValues):
        return  # made-up inputs are not to its taste
