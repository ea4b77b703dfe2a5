"""The import check loads files in a real Airflow."""

import pytest

from updraft.errors import UpdraftError
from updraft.migration import import_check
from updraft.migration.batch import check_all
from updraft.migration.import_check import check_imports


def test_good_and_bad_files(definition):
    conversion = definition.convert()
    outcomes = check_imports(
        {
            "export.py": conversion.dag_source,
            "broken.py": conversion.dag_source.replace("DynamoDBExportOperator", "NoSuchOperator"),
            "empty.py": "",
        }
    )
    assert outcomes["export.py"].dag_ids == ("export",)
    assert outcomes["export.py"].error is None
    assert not any("export.py:" in text for text in outcomes["export.py"].warnings)
    assert "NoSuchOperator" in outcomes["broken.py"].error
    assert outcomes["empty.py"].dag_ids == ()


def test_a_dag_that_does_not_load_has_failed(definition):
    conversion = definition.convert()
    broken = type(conversion)(
        conversion.path, conversion.dag_id, (), "import nothing_like_this", conversion.report
    )
    (checked,) = check_all([broken])
    assert checked.failed
    assert "nothing_like_this" in checked.findings[0].message


def test_without_airflow_one_sentence(monkeypatch):
    monkeypatch.setattr(import_check.sys, "executable", "/bin/false")
    with pytest.raises(UpdraftError, match="--no-import-check"):
        check_imports({"a.py": ""})
