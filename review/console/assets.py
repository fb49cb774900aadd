"""Style sheet, scripts and logo, under an address that names their content, so that browsers may keep them for ever."""

import hashlib
from pathlib import Path

from litestar import Response, get
from litestar.exceptions import NotFoundException

from review.api.guards import needs

FOLDER = Path(__file__).parent / "static"
MEDIA_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
FILES: dict[str, bytes] = {
    path.name: path.read_bytes() for path in sorted(FOLDER.iterdir()) if path.suffix in MEDIA_TYPES
}
VERSION = hashlib.sha256(b"".join(name.encode() + body for name, body in FILES.items())).hexdigest()[:16]


def asset_url(name: str) -> str:
    """The address of a file in this version."""
    assert name in FILES, f"{name} is not among the console's files"
    return f"/console/static/{VERSION}/{name}"


@get("/static/{version:str}/{name:str}", include_in_schema=False, **needs("public"))
async def show_asset(version: str, name: str) -> Response[bytes]:
    """A file; an address of another version gets the present one, which is not to be kept."""
    if name not in FILES:
        raise NotFoundException
    keep = "public, max-age=31536000, immutable" if version == VERSION else "no-store"
    return Response(FILES[name], media_type=MEDIA_TYPES[Path(name).suffix], headers={"cache-control": keep})
