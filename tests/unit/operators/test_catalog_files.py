"""Files of declarations in the DAGs folder; those in S3 are read by the integration tests."""

import pytest

from updraft.errors import UpdraftError
from updraft.operators.catalog_files import load_declaration


@pytest.fixture
def folder(tmp_path, monkeypatch):
    folder = tmp_path / "dags"
    (folder / "catalog").mkdir(parents=True)
    (folder / "catalog" / "sales.yaml").write_text("project: Säles\n", encoding="utf-8-sig")
    (folder / "latin.yaml").write_bytes("project: Säles\n".encode("latin-1"))
    (folder / "large.yaml").write_text("#" * 1_000_001)
    (tmp_path / "outside.yaml").write_text("project: x\n")
    (folder / "link.yaml").symlink_to(tmp_path / "outside.yaml")
    monkeypatch.setenv("AIRFLOW__CORE__DAGS_FOLDER", str(folder))
    return folder


def test_a_file_below_the_dags_folder(folder):
    assert load_declaration("catalog/sales.yaml", {}).project == "Säles"
    assert load_declaration(str(folder / "catalog" / "sales.yaml"), {}).project == "Säles"


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("", "file: it is missing"),
        ("sales.yaml", r"can't be read .*: No such file.* There are: catalog/sales\.yaml, large"),
        ("catalog", "can't be read .*: Is a directory"),
        ("../outside.yaml", "is not below the DAGs folder"),
        ("/etc/hostname", "is not below the DAGs folder"),
        ("link.yaml", "is not below the DAGs folder"),
        ("latin.yaml", "is not UTF-8"),
        ("large.yaml", "has more than 1000000 bytes"),
        ("s3://bucket/", "names no object"),
        ("https://example.com/a.yaml", "is not an S3 URI"),
        ("a\0b.yaml", "can't be read"),
    ],
)
def test_what_can_not_be_read_is_said(folder, file, message):
    with pytest.raises(UpdraftError, match=message):
        load_declaration(file, {})
