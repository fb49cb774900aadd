"""Which records train a model and which are kept back for the traffic of the demo: a pure function of their key.

No random state is involved, so that the split is the same on every machine and stays so when records are added.
"""

import hashlib

WHOLE = 1 << 64


def is_held_out(data: str, key: str, share: float) -> bool:
    """Whether the record `key` of the set `data` is kept from training; true of about `share` of all keys.

    `key` names the group that must not be torn apart: two records that know of each other get the same key.
    """
    digest = hashlib.sha256(f"{data}:{key}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * WHOLE
