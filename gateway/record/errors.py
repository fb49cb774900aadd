"""What can go wrong while traffic is recorded or payloads are kept."""

from gateway.errors import GatewayError, Unavailable


class DiskReserveReached(Unavailable):
    """The disk of the traffic log is down to its declared reserve; try again."""

    code = "disk-reserve-reached"
    retry_after_s = 5.0


class TrafficLogUnavailable(Unavailable):
    """The traffic log cannot be written; try again."""

    code = "traffic-log-unavailable"
    retry_after_s = 2.0


class TrafficLogUnreadable(GatewayError):
    """Segment '{segment}' holds at byte {offset} an entry that this release of Lockgate cannot read."""

    code = "traffic-log-unreadable"


class InvalidDigest(GatewayError):
    """An object is named by its SHA-256 in 64 lower-case hexadecimal digits."""

    code = "invalid-digest"


class UnknownObject(GatewayError):
    """No object with the SHA-256 {sha256} is kept here."""

    code = "unknown-object"


class DamagedObject(GatewayError):
    """The object kept under the SHA-256 {sha256} has other bytes than were put there."""

    code = "damaged-object"


class ObjectsUnavailable(Unavailable):
    """The store of payload objects cannot be reached; try again."""

    code = "objects-unavailable"
    retry_after_s = 2.0


class UnsupportedObjects(GatewayError):
    """No object store is known for URLs that begin with '{scheme}:'."""

    code = "unsupported-objects"
