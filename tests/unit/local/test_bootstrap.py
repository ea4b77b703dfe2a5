import shutil
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from include.local import bootstrap

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "updraft"\n[tool.ruff]\n')
    airflow, local = tmp_path / "airflow.lock", tmp_path / "local.lock"
    airflow.write_text("apache-airflow==3.3.1\n    # via us\nuv==0.12.3 ; sys_platform != 'x'\n")
    local.write_text("moto==5.2.5\n")
    for name, value in (
        ("ROOT", tmp_path),
        ("AIRFLOW_ENVIRONMENT", tmp_path / ".venv"),
        ("LOCAL_ENVIRONMENT", tmp_path / ".venv-local"),
        ("AIRFLOW_LOCK", airflow),
        ("LOCAL_LOCK", local),
    ):
        monkeypatch.setattr(bootstrap, name, value)
    monkeypatch.setattr(sys, "argv", ["bootstrap.py"])
    return tmp_path


def finish(project: Path) -> None:
    for environment, lock, metadata in (
        (project / ".venv", bootstrap.AIRFLOW_LOCK, bootstrap.project_metadata()),
        (project / ".venv-local", bootstrap.LOCAL_LOCK, ""),
    ):
        environment.mkdir()
        bootstrap.write_stamp(*bootstrap.stamp_of(environment, lock, metadata))


def test_versions_come_from_the_lock(project: Path) -> None:
    assert bootstrap.locked_version(bootstrap.AIRFLOW_LOCK, "uv") == "0.12.3"
    assert bootstrap.count_packages(bootstrap.AIRFLOW_LOCK) == 2
    with pytest.raises(bootstrap.SetupError, match="does not pin ruff; run `make lock`"):
        bootstrap.locked_version(bootstrap.AIRFLOW_LOCK, "ruff")


def test_another_python_is_one_sentence(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    assert bootstrap.main() == 1
    said = capsys.readouterr().err
    assert "needs Python 3.12 or 3.11, this is 3.9" in said
    assert said.count("\n") == 1


def test_a_full_disk_is_one_sentence_and_nothing_is_begun(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(9, 9, 300 * 1024**2))
    assert bootstrap.main() == 1
    said = capsys.readouterr().err
    assert "needs 2 GB of free disk" in said
    assert "0.3 GB are left" in said
    assert said.count("\n") == 1
    assert not (project / ".venv").exists()


def test_a_failed_installer_is_told_with_its_last_lines(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(bootstrap.SetupError, match="failed with exit code 3"):
        bootstrap.run([sys.executable, "-c", "print('no route to host'); raise SystemExit(3)"])
    assert "no route to host" in capsys.readouterr().err


def test_nothing_is_done_when_all_is_up_to_date(project: Path) -> None:
    assert bootstrap.steps()
    finish(project)
    assert bootstrap.steps() == []
    assert bootstrap.main() == 0


def test_a_full_disk_does_not_matter_when_nothing_is_to_be_done(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish(project)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(9, 9, 0))
    assert bootstrap.main() == 0


@pytest.mark.parametrize(
    ("file", "text", "again"),
    [
        ("airflow.lock", "apache-airflow==3.3.2\nuv==1\n", "Installing Airflow 3.3.2"),
        ("local.lock", "moto==6\n", "Installing the servers"),
        ("pyproject.toml", '[project]\nname = "updraft"\nversion = "2"\n', "Installing Updraft"),
    ],
)
def test_a_changed_input_is_installed_anew(project: Path, file: str, text: str, again: str) -> None:
    finish(project)
    (project / file).write_text(text)
    assert any(title.startswith(again) for title, _ in bootstrap.steps())


def test_settings_of_tools_install_nothing(project: Path) -> None:
    finish(project)
    (project / "pyproject.toml").write_text('[project]\nname = "updraft"\n[tool.mypy]\n')
    assert bootstrap.steps() == []


def test_make_says_which_python_is_missing(tmp_path: Path) -> None:
    make = shutil.which("make")
    shell = shutil.which("sh")
    assert make
    assert shell
    (tmp_path / "sh").symlink_to(shell)
    done = subprocess.run(
        [make, "-C", str(Path(__file__).parents[3]), "setup"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "Updraft needs Python 3.12 or 3.11 and found neither on the PATH" in done.stderr
