"""Writing: whole files or none, and never over somebody's work."""

import errno

import pytest

from updraft.errors import UpdraftError
from updraft.migration.output_files import (
    EditedFileError,
    check_overwrite,
    write_files,
    write_together,
)
from updraft.migration.rendering import is_untouched


@pytest.fixture
def conversion(definition):
    return definition.convert()


def test_writes_dag_and_report(conversion, tmp_path):
    dag_file = tmp_path / "dags" / "export.py"
    markdown = write_files(dag_file, conversion.dag_source, tmp_path / "reports", conversion.report)
    assert dag_file.read_text() == conversion.dag_source
    assert markdown.read_text() == conversion.report.to_markdown()
    assert {path.name for path in (tmp_path / "reports").iterdir()} == {"export.md", "export.json"}
    assert [path.name for path in (tmp_path / "dags").iterdir()] == ["export.py"]
    assert dag_file.stat().st_mode & 0o777 == 0o644


def test_an_edited_file_is_noticed(conversion, tmp_path):
    dag_file = tmp_path / "export.py"
    check_overwrite(dag_file)
    dag_file.write_text(conversion.dag_source)
    check_overwrite(dag_file)
    dag_file.write_text(conversion.dag_source + "# mine\n")
    with pytest.raises(EditedFileError, match="edited by hand"):
        check_overwrite(dag_file)


@pytest.mark.parametrize("content", [b"", b"print(1)\n", b"\xff"])
def test_a_foreign_file_is_noticed(tmp_path, content):
    dag_file = tmp_path / "export.py"
    dag_file.write_bytes(content)
    with pytest.raises(EditedFileError):
        check_overwrite(dag_file)


def test_a_folder_that_is_a_file_is_one_error_and_leaves_nothing(conversion, tmp_path):
    (tmp_path / "dags").write_text("in the way")
    with pytest.raises(UpdraftError, match="can't be written"):
        write_files(
            tmp_path / "dags" / "export.py",
            conversion.dag_source,
            tmp_path / "r",
            conversion.report,
        )
    assert (tmp_path / "dags").read_text() == "in the way"
    assert not (tmp_path / "r").exists()


def test_a_folder_that_takes_no_files_is_an_error_that_names_the_file(tmp_path, monkeypatch):
    def refuse(**_options):
        raise PermissionError(errno.EACCES, "Permission denied", str(tmp_path / ".x.py.abcd"))

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    with pytest.raises(UpdraftError, match=r"/x\.py can't be written: Permission denied"):
        write_together({tmp_path / "x.py": "print(1)"})


@pytest.mark.parametrize("blocked", ["dags/export.py", "r/export.md", "r/export.json"])
def test_a_file_that_can_not_be_replaced_leaves_the_others_as_they_were(
    conversion, tmp_path, blocked
):
    (tmp_path / blocked).mkdir(parents=True)
    with pytest.raises(UpdraftError, match="can't be written"):
        write_files(
            tmp_path / "dags" / "export.py",
            conversion.dag_source,
            tmp_path / "r",
            conversion.report,
        )
    assert [
        path for path in tmp_path.rglob("*") if path.is_file() and path.parent != tmp_path
    ] == []


def test_hash_covers_every_byte(conversion):
    assert is_untouched(conversion.dag_source)
    assert not is_untouched(conversion.dag_source.replace("owner", "Owner"))
    assert not is_untouched(conversion.dag_source.split("\n", 1)[1])
