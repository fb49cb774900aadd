"""The settings; `lockgate.environment` reads what they come from.

A setting comes from its default, then `lockgate.toml` (or the file that LOCKGATE_CONFIG names), then LOCKGATE_<NAME>,
then the command line; the last one counts. LOCKGATE_<NAME>_FILE names a file that holds the value of a secret. A name
with our prefix that is no setting is an error, so that a typing mistake is never a silent default.
"""

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

from flags.source import EMBEDDED, UNLEASH, FlagHome
from flags.unleash.place import Place, address_of
from flags.unleash.server import environment_of

MIB = 1 << 20
Address = Annotated[str, Meta(pattern=r"^(\[[0-9a-fA-F:]+\]|[^:\s]+):\d{1,5}$", extra={"expects": "HOST:PORT"})]
MaybeAddress = Annotated[
    str, Meta(pattern=r"^((\[[0-9a-fA-F:]+\]|[^:\s]+):\d{1,5})?$", extra={"expects": "HOST:PORT, or nothing"})
]
Bytes = Annotated[int, Meta(ge=1, extra={"expects": "a number of bytes"})]
Seconds = Annotated[float, Meta(gt=0, extra={"expects": "a number of seconds above 0"})]
SECRET = {"secret": True}


class Settings(Struct, frozen=True, kw_only=True):
    """How this Lockgate runs. Every setting has a default that works on one machine."""

    data_directory: Annotated[
        Path, Meta(description="Where the ledger, models, payloads and the traffic log are kept.")
    ] = Path("lockgate-data")
    database_url: Annotated[
        str,
        Meta(
            description="The ledger: `sqlite+aiosqlite:///FILE` or `postgresql+asyncpg://USER@HOST/NAME`. "
            "Empty: `ledger.db` in the data directory.",
            extra=SECRET,
        ),
    ] = ""
    redis_url: Annotated[
        str, Meta(description="Redis for the bell between machines, `redis://HOST:PORT/0`. Empty: none.", extra=SECRET)
    ] = ""
    objects_url: Annotated[
        str,
        Meta(description="Where payloads are kept, `file:///FOLDER`. Empty: in the data directory.", extra=SECRET),
    ] = ""
    flags_source: Annotated[
        Literal["embedded", "unleash"],
        Meta(description="Where flags are kept: `embedded`, in the ledger and changed here; `unleash`, on a server."),
    ] = "embedded"
    unleash_url: Annotated[
        str,
        Meta(
            description="The address of the Unleash server, such as `https://unleash.example.org`; `/api` may follow."
        ),
    ] = ""
    unleash_token: Annotated[
        str,
        Meta(
            description="A backend token of that server (before Unleash 7: a client token) for one environment.",
            extra=SECRET,
        ),
    ] = ""
    unleash_admin_token: Annotated[
        str,
        Meta(
            description="A token for Unleash's Admin API: with it flags are made and switched from here, and what was "
            "changed there is pulled into the history. Empty: flags are changed in Unleash alone.",
            extra=SECRET,
        ),
    ] = ""
    unleash_project: Annotated[str, Meta(description="The project in Unleash whose flags these are.")] = "default"
    unleash_environment: Annotated[
        str,
        Meta(description="The environment in Unleash in which flags are made and switched. Empty: the token's own."),
    ] = ""
    unleash_refresh_s: Annotated[
        int, Meta(description="How often each gateway asks that server for changes, in seconds.", ge=1, le=3600)
    ] = 15
    unleash_usage_s: Annotated[
        int,
        Meta(
            description="How often each gateway tells that server how its flags answered, in seconds; 0: never.", ge=0
        ),
    ] = 60
    internal_key: Annotated[
        str,
        Meta(
            description="What the processes of one installation know each other by. "
            "Empty: made in the data directory, which they then must share.",
            extra=SECRET,
        ),
    ] = ""
    http_address: Annotated[
        Address, Meta(description="The listener for callers, the API, the console and the docs.")
    ] = "127.0.0.1:8000"
    grpc_address: Annotated[MaybeAddress, Meta(description="The listener for callers who speak gRPC. Empty: none.")] = (
        "127.0.0.1:8001"
    )
    grpc_certificate: Annotated[
        str, Meta(description="The file with the certificate chain (PEM) of the gRPC listener. Empty: no TLS.")
    ] = ""
    grpc_private_key: Annotated[
        str, Meta(description="The file with the private key (PEM) that belongs to `grpc_certificate`.")
    ] = ""
    metrics_address: Annotated[Address, Meta(description="The listener for metrics and health.")] = "127.0.0.1:8002"
    console_address: Annotated[
        Address,
        Meta(
            description="Where `lockgate console` listens and `lockgate gateway` finds it. "
            "`lockgate serve` takes a free port of the loopback instead."
        ),
    ] = "127.0.0.1:8003"
    public_url: Annotated[
        str, Meta(description="The address people and callers use, for links. Empty: made from the HTTP address.")
    ] = ""
    gateways: Annotated[int, Meta(description="How many gateway processes `lockgate serve` runs.", ge=1, le=128)] = 1
    model_threads: Annotated[
        int, Meta(description="Threads of a model's session whose card says nothing.", ge=1, le=256)
    ] = 1
    execution_providers: Annotated[
        str,
        Meta(
            description="The execution providers that models may use, with options that outweigh the card's, such as "
            "`cuda:device_id=1 cpu`. Empty: all that onnxruntime brings here."
        ),
    ] = ""
    models_memory_max_bytes: Annotated[
        int,
        Meta(description="What the open models of one gateway process may take, in bytes; 0: no limit.", ge=0),
    ] = 0
    upstreams: Annotated[
        str,
        Meta(
            description="The servers that models may run on elsewhere, such as "
            "`grpc://triton:8001 http://:KEY@other:8000`; no other is ever called. Empty: none.",
            extra=SECRET,
        ),
    ] = ""
    upstream_s: Annotated[Seconds, Meta(description="How long a call to such a server may take.")] = 30.0
    upstream_evaluation_calls_per_s: Annotated[
        float,
        Meta(
            description="How many calls a second an evaluation makes of such a server at most, beside its callers.",
            gt=0,
            extra={"expects": "a number above 0"},
        ),
    ] = 50.0
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="The least level that is logged.")
    ] = "info"
    log_format: Annotated[
        Literal["auto", "json", "console"],
        Meta(description="How log lines look; `auto`: for people on a terminal, else JSON."),
    ] = "auto"
    body_max_bytes: Annotated[Bytes, Meta(description="The largest body of a prediction request.")] = 64 * MIB
    items_max: Annotated[
        int,
        Meta(
            description="The most items of one prediction request; each is decided for itself, and others wait.",
            ge=1,
            le=16 * MIB,
        ),
    ] = 4_096
    compress_min_bytes: Annotated[
        int, Meta(description="Answers from this size on are compressed for callers who accept it; 0: never.", ge=0)
    ] = 65_536
    body_s: Annotated[
        Seconds,
        Meta(
            description="How long the headers of a request may take, and then its body; of an upload, each part of it."
        ),
    ] = 30.0
    answer_s: Annotated[
        Seconds,
        Meta(description="How long a caller may leave unread what was written to it; then the connection ends."),
    ] = 60.0
    unread_max_bytes: Annotated[
        Bytes,
        Meta(
            description="What may lie unread by the callers of one process in all; beyond it the connection ends whose "
            "caller has not read for the longest."
        ),
    ] = 256 * MIB
    connections_max: Annotated[
        int,
        Meta(
            description="How many connections one process takes over HTTP, as far as it may open files, and over gRPC. "
            "Beyond, those without a request give way.",
            ge=16,
        ),
    ] = 10_000
    api_body_max_bytes: Annotated[Bytes, Meta(description="The largest body under `/api/v1` and `/console`.")] = MIB
    upload_max_bytes: Annotated[Bytes, Meta(description="The largest model file that is taken.")] = 2048 * MIB
    sync_interval_s: Annotated[
        Seconds, Meta(description="How often the traffic log is synced: what power loss may take of automated records.")
    ] = 1.0
    disk_reserve_bytes: Annotated[
        int, Meta(description="What the traffic log leaves free on its disk, in bytes.", ge=0)
    ] = 256 * MIB
    drain_s: Annotated[
        Seconds, Meta(description="How long a process that was told to end may finish its requests.")
    ] = 10.0
    session_s: Annotated[Seconds, Meta(description="How long a person stays signed in to the console.")] = 43_200.0
    invitation_s: Annotated[Seconds, Meta(description="How long an invitation link works.")] = 259_200.0
    payload_keep_s: Annotated[
        Seconds, Meta(description="How long payload objects are kept that nothing else holds.")
    ] = 7_776_000.0
    traffic_keep_s: Annotated[Seconds, Meta(description="How long sealed segments of the traffic log are kept.")] = (
        7_776_000.0
    )
    training_recipes: Annotated[
        str,
        Meta(
            description="The folder whose recipes operators may train models by; what it holds is run by the worker. "
            "Empty: no training runs here."
        ),
    ] = ""

    @property
    def unleash_place(self) -> Place | None:
        """Where the flags are in Unleash; none where no server is named."""
        if not self.unleash_url:
            return None
        return Place(
            url=address_of(self.unleash_url),
            project=self.unleash_project,
            environment=self.unleash_environment or environment_of(self.unleash_token),
            admin_token=self.unleash_admin_token,
        )

    @property
    def ledger_url(self) -> str:
        """The ledger's SQLAlchemy URL."""
        return self.database_url or f"sqlite+aiosqlite:///{self.ledger_file}"

    @property
    def ledger_file(self) -> Path:
        """Where the ledger lies, unless a URL says otherwise."""
        return self.data_directory.absolute() / "ledger.db"

    @property
    def embedded(self) -> bool:
        """Whether the ledger is a file that needs no server."""
        return self.ledger_url.startswith("sqlite")

    @property
    def flag_home(self) -> FlagHome:
        """Where flags are kept and changed; the address is the one that people open."""
        if self.flags_source == EMBEDDED:
            return FlagHome()
        return FlagHome(source=UNLEASH, url=address_of(self.unleash_url))

    @property
    def payloads_url(self) -> str:
        """The URL of the object store."""
        return self.objects_url or (self.data_directory.absolute() / "objects").as_uri()

    @property
    def artifacts(self) -> Path:
        """Where artifacts lie under their SHA-256."""
        return self.data_directory.absolute() / "artifacts"

    @property
    def traffic(self) -> Path:
        """The traffic log's folder."""
        return self.data_directory.absolute() / "traffic"

    @property
    def snapshots(self) -> Path:
        """Where gateways keep their plan, to boot from it while the ledger is away."""
        return self.data_directory.absolute() / "snapshots"

    @property
    def graphs(self) -> Path:
        """Where gateways keep optimised graphs; what is there can be made anew."""
        return self.data_directory.absolute() / "graphs"

    @property
    def recipes(self) -> Path | None:
        """The folder of recipes; none where no training runs."""
        return Path(self.training_recipes).absolute() if self.training_recipes else None

    @property
    def link_url(self) -> str:
        """The address that links begin with, without a slash at its end."""
        return (self.public_url or f"http://{_reachable(self.http_address)}").rstrip("/")

    @property
    def secure_cookies(self) -> bool:
        """Whether the console is reached over https only."""
        return self.link_url.startswith("https:")


def _reachable(address: str) -> str:
    """The address with a host that a browser on this machine can open."""
    host, _, port = address.rpartition(":")
    return f"127.0.0.1:{port}" if host in {"0.0.0.0", "[::]"} else f"{host}:{port}"  # noqa: S104 - compared, not bound
