"""What the application's handlers may ask for."""

from pathlib import Path

import msgspec

from flags.unleash.place import Place
from gateway.inference.machine import Machine
from gateway.inference.upstreams import AllowedUpstreams
from gateway.record.payloads import ObjectStore
from gateway.store.ledger import Ledger
from review.people.sessions import Attempts
from review.timeline.streaming import Streams


class ApiSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings that the application reads."""

    link_url: str
    secure_cookies: bool
    session_s: float
    invitation_s: float
    body_max_bytes: int
    upload_max_bytes: int
    data_directory: Path
    artifacts: Path
    payloads_url: str
    traffic: Path
    internal_key: str
    """What gateways show when they ask this process for something."""
    recipes: Path | None
    """The folder of recipes; none where no training runs."""
    unleash: Place | None = None
    """Where the flags are in an Unleash server; none where no server is named."""
    upstreams: AllowedUpstreams = AllowedUpstreams()
    """The servers that models may run on elsewhere."""
    machine: Machine = Machine()
    """What this machine has for models."""


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """The opened parts that handlers work with."""

    settings: ApiSettings
    ledger: Ledger
    objects: ObjectStore
    attempts: Attempts
    streams: Streams = msgspec.field(default_factory=Streams)
