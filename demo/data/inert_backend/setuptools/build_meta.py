"""The two answers that `pip download` wants of a build backend, given without running the archive's `setup.py`.

pip asks every source archive for its metadata before it saves it, and an old archive has that made by its own code.
"""

from pathlib import Path
from types import SimpleNamespace


def get_requires_for_build_wheel(config_settings: object = None) -> list[str]:  # noqa: ARG001 - PEP 517's signature
    """Nothing is needed, because nothing is built."""
    return []


def prepare_metadata_for_build_wheel(metadata_directory: str, config_settings: object = None) -> str:  # noqa: ARG001
    """The name of a metadata folder with the three lines that pip checks against the requirement."""
    folder = Path(metadata_directory) / "vaderSentiment-0.5.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: vaderSentiment\nVersion: 0.5\n", encoding="utf-8")
    return folder.name


# An archive without a pyproject.toml is given this object's hooks instead of the module's.
__legacy__ = SimpleNamespace(
    get_requires_for_build_wheel=get_requires_for_build_wheel,
    prepare_metadata_for_build_wheel=prepare_metadata_for_build_wheel,
)
