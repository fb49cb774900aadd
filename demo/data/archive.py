"""The archive with the rated sentences: fetched once by pip under its locked hash, then read in place.

Nothing of it is unpacked to disk and none of its code runs: members are read by their exact names, in memory, so that
a name with `..`, a link or a huge member in it has nothing to act on.
"""

import hashlib
import io
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

from demo.errors import DataAltered, DataUnreachable, DataUnreadable

PACKAGE = "vaderSentiment==0.5"
ARCHIVE_NAME = "vaderSentiment-0.5.zip"
INNER = "vaderSentiment-0.5/additional_resources/hutto_ICWSM_2014.tar.gz"
FOLDER = "hutto_ICWSM_2014"
MEMBER_MAX_BYTES = 8 << 20

LOCK = Path(__file__).parents[2] / "requirements" / "demo-data.txt"
INERT_BACKEND = Path(__file__).parent / "inert_backend"


def fetch_archive(cache: Path, lock: Path = LOCK) -> Path:
    """Where the verified archive lies in `cache`, after asking the package index for it if it is not there yet.

    Raises `DataUnreachable` when pip cannot get it, `DataAltered` when the file in `cache` is not the locked one.
    """
    path = cache / ARCHIVE_NAME
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        _download(cache, lock)
    if _sha256(path) not in _locked_digests(lock):
        raise DataAltered(package=PACKAGE, path=path)
    return path


def read_members(archive: Path, names: tuple[str, ...]) -> tuple[bytes, ...]:
    """The bytes of the regular files `names` of the inner archive, in that order."""
    with zipfile.ZipFile(archive) as outer:
        inner = outer.read(INNER)
    with tarfile.open(fileobj=io.BytesIO(inner), mode="r:gz") as tar:
        members = {member.name: member for member in tar.getmembers()}
        return tuple(_read(tar, members, f"{FOLDER}/{name}") for name in names)


def _read(tar: tarfile.TarFile, members: dict[str, tarfile.TarInfo], name: str) -> bytes:
    member = members.get(name)
    # Links are refused: `extractfile` would follow one to a member that nobody asked for.
    if member is None or not member.isreg() or member.size > MEMBER_MAX_BYTES:
        raise DataUnreadable(part=name, problem="it is missing, not a regular file, or larger than 8 MiB")
    stream = tar.extractfile(member)
    assert stream is not None  # a regular file has a stream
    return stream.read()


def _download(cache: Path, lock: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check"]
    command += ["--no-deps", "--no-binary", ":all:", "--require-hashes", "--no-build-isolation", "--use-pep517"]
    command += ["--dest", str(cache), "--requirement", str(lock)]
    environment = os.environ | {"PYTHONPATH": str(INERT_BACKEND)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0:
        raise DataUnreachable(package=PACKAGE, said=_last_error(done.stderr))


def _last_error(said: str) -> str:
    """The last line that pip marks as an error, which names the cause; earlier ones repeat its attempts."""
    errors = [line for line in said.splitlines() if line.startswith("ERROR:")]
    return errors[-1].removeprefix("ERROR:").strip() if errors else said.strip()[-300:] or "nothing"


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _locked_digests(lock: Path) -> list[str]:
    return re.findall(r"--hash=sha256:([0-9a-f]{64})", lock.read_text(encoding="utf-8"))
