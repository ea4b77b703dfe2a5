"""The files that decide what MWAA and a laptop install."""

import re
import tomllib
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
REQUIREMENTS = (PROJECT / "requirements.txt").read_text().splitlines()
NAMES = {
    "aiobotocore",
    "apache-airflow-providers-amazon",
    "apache-airflow-providers-common-compat",
    "apache-airflow-providers-openlineage",
    "apache-airflow-providers-standard",
    "orjson",
    "pendulum",
    "pyarrow",
    "pyiceberg",
    "sqlglot",
}
NOT_IN_THE_IMAGE = {"amazon.ion"}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(path: Path) -> dict[str, str]:
    found = {}
    for line in path.read_text().splitlines():
        name, separator, version = line.partition("==")
        if separator and not line.startswith("#"):
            found[normal(name)] = version.split()[0]
    return found


MWAA = pins(PROJECT / "constraints" / "mwaa-3.3.1.txt")
LOCK = pins(PROJECT / "requirements-dev.lock")


def test_requirements_are_these_unpinned() -> None:
    named = [line for line in REQUIREMENTS if line and not line.startswith(("#", "--"))]
    assert sorted(named) == sorted(NAMES | NOT_IN_THE_IMAGE)


def test_there_is_one_constraint_line_for_the_version_we_build_for() -> None:
    # MWAA looks for "-c " and "--constraint " even in comments.
    lines = [line for line in REQUIREMENTS if re.search(r"(-c|--constraint) ", line)]
    assert len(lines) == 1
    assert lines[0].startswith("--constraint ")
    assert f"constraints-{LOCK['apache-airflow']}/" in lines[0]


@pytest.mark.parametrize("name", sorted(NAMES | {"boto3", "openlineage-python"}))
def test_the_lock_has_what_mwaa_has(name: str) -> None:
    assert LOCK[name] == MWAA[name]


@pytest.mark.parametrize("name", sorted(NOT_IN_THE_IMAGE))
def test_the_lock_has_what_mwaa_installs_besides(name: str) -> None:
    assert normal(name) in LOCK
    assert normal(name) not in MWAA


def test_nothing_in_the_lock_differs_from_mwaas_image() -> None:
    both = LOCK.keys() & MWAA.keys()
    assert len(both) > 100
    assert {name: LOCK[name] for name in both} == {name: MWAA[name] for name in both}


def test_the_unmaintained_lineage_package_is_nowhere() -> None:
    assert "openlineage-airflow" not in LOCK


def test_the_version_is_the_same_everywhere() -> None:
    from updraft import __version__  # noqa: PLC0415  the package is what is under test

    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    assert project["version"] == __version__
    assert f"## {__version__}" in (PROJECT / "CHANGELOG.md").read_text()
