"""Adds a model that runs on another server: admitted over the network, a version without a file, and its release."""

import msgspec

from gateway.inference.admit_upstream import admit_upstream
from gateway.inference.upstreams import AllowedUpstreams, Upstream, upstream_at
from gateway.protocol.signature import Signature
from gateway.registry.adding import Added, Adding, Admitted, check_name, insisting, write_admitted
from gateway.registry.card import Card, parse_card
from gateway.registry.fitting import require_fit
from gateway.store.ledger import Ledger
from gateway.store.models import find_model


async def add_upstream(ledger: Ledger, adding: Adding, address: str, allowed: AllowedUpstreams) -> Added:
    """Admit an upstream and make its version and release; the first one of a model serves from now on.

    Raises: ModelNameRefused, CardRefused, UpstreamAddressWrong, UpstreamNotAllowed, UpstreamUnavailable,
    UpstreamTooSlow, UpstreamSignatureWrong, AdmissionRefused, SignatureChanged. Nothing is written unless all is well.
    """
    check_name(adding.name)
    card, upstream = parse_card(adding.card), upstream_at(address, adding.name)
    admitted = await admitted_elsewhere(ledger, adding, card, upstream, allowed)
    return (await insisting(ledger, lambda w: write_admitted(w, admitted))).added


async def admitted_elsewhere(
    ledger: Ledger, adding: Adding, card: Card, upstream: Upstream, allowed: AllowedUpstreams
) -> Admitted:
    """An upstream that may be served, with the signature that callers know, or else the one that it was described with.

    Raises: CardRefused, UpstreamNotAllowed, UpstreamUnavailable, UpstreamTooSlow, UpstreamSignatureWrong,
    AdmissionRefused.
    """
    first = await _first_told(ledger, adding) or (upstream.signature if upstream.signature.inputs else None)
    report = await admit_upstream(upstream, allowed, first)
    require_fit(card, report)
    return Admitted(adding=adding, card=card, report=report, upstream=upstream.with_signature(report.signature))


async def _first_told(ledger: Ledger, adding: Adding) -> Signature | None:
    """The signature that callers of the model were told at first; None for a model that is new."""
    async with ledger.reading() as r:
        model = await find_model(r, adding.tenant_id, adding.name)
    return msgspec.json.decode(model.signature, type=Signature) if model is not None else None
