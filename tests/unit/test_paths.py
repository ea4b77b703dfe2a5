from pathlib import Path

import pytest

from updraft.errors import UpdraftError
from updraft.paths import include_directory


def test_checkout() -> None:
    assert include_directory() == Path(__file__).resolve().parents[2] / "include"


def test_packaged_copy_wins(tmp_path: Path) -> None:
    library = tmp_path / "plugins" / "updraft"
    packaged = tmp_path / "plugins" / "include"
    for directory in (library, packaged, tmp_path / "include"):
        directory.mkdir(parents=True)
    assert include_directory(library) == packaged


def test_absent(tmp_path: Path) -> None:
    with pytest.raises(UpdraftError, match="'include' is missing"):
        include_directory(tmp_path / "plugins" / "updraft")
