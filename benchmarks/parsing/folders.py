"""Folders of DAGs to parse: the same workflows as Updraft, a person and dag-factory write them."""

import re
import shutil
from pathlib import Path

from updraft.migration.batch import convert_all, write_all
from updraft.migration.given_values import Given

PROJECT = Path(__file__).parents[2]
WORKFLOWS = Path(__file__).parent / "workflows"
NAMES = tuple(sorted(path.name for path in WORKFLOWS.iterdir()))
_LOADER = """from pathlib import Path

from airflow.sdk import DAG  # so that Airflow takes this for a file with DAGs
from dagfactory import load_yaml_dags

load_yaml_dags(globals_dict=globals(), {which})
"""


def _numbered(count: int) -> list[tuple[str, str]]:
    """Give the workflow of each DAG in turn, and its id."""
    return [(name, f"{name}_{n}") for n in range(count) for name in [NAMES[n % len(NAMES)]]]


def updraft_folder(folder: Path, count: int) -> None:
    """Convert the definitions of the workflows and write so many copies.

    :param folder: folder of its own.
    :param count: number of DAGs.
    :raises SystemExit: when a definition can't be converted.
    """
    made = folder.parent / "converted"
    golden = PROJECT / "tests" / "golden"
    for name in NAMES:
        definition = golden / name / f"{name}.json"
        conversions = convert_all([definition], None, Given(), lambda _: None)
        if any(one.failed for one in conversions):
            raise SystemExit(f"{definition} can't be converted")
        write_all(conversions, made, made / "reports", force=True)
    _copies(folder, count, {name: (made / f"{name}.py").read_text("utf-8") for name in NAMES})


def folder_by_hand(folder: Path, count: int) -> None:
    """Write so many copies of the workflows as a person writes them.

    :param folder: folder of its own.
    :param count: number of DAGs.
    """
    sources = {name: (WORKFLOWS / name / "by_hand.py").read_text("utf-8") for name in NAMES}
    _copies(folder, count, sources)


def dag_factory_folder(folder: Path, count: int) -> None:
    """Write so many copies as YAML, each with the file that loads it.

    :param folder: folder of its own.
    :param count: number of DAGs.
    """
    folder.mkdir(parents=True)
    for name, dag_id in _numbered(count):
        _write_yaml(folder, name, dag_id)
        which = "config_filepath=str(Path(__file__).with_suffix('.yaml'))"
        (folder / f"{dag_id}.py").write_text(_LOADER.format(which=which), "utf-8")


def dag_factory_in_one(folder: Path, count: int) -> None:
    """Write so many copies as YAML, with one file that loads all.

    :param folder: folder of its own.
    :param count: number of DAGs.
    """
    folder.mkdir(parents=True)
    for name, dag_id in _numbered(count):
        _write_yaml(folder, name, dag_id)
    which = "dags_folder=str(Path(__file__).parent)"
    (folder / "load_all.py").write_text(_LOADER.format(which=which), "utf-8")


def _write_yaml(folder: Path, name: str, dag_id: str) -> None:
    text = (WORKFLOWS / name / "dag_factory.yaml").read_text("utf-8")
    text = re.sub(rf"^{name}:$", f"{dag_id}:", text, count=1, flags=re.MULTILINE)
    (folder / f"{dag_id}.yaml").write_text(text, "utf-8")


def _copies(folder: Path, count: int, sources: dict[str, str]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, dag_id in _numbered(count):
        source = sources[name].replace(f'dag_id="{name}"', f'dag_id="{dag_id}"', 1)
        (folder / f"{dag_id}.py").write_text(source, "utf-8")
