"""The golden files: definitions in ``tests/golden`` and the DAGs and reports that were reviewed.

Each folder there holds one definition, named after its folder, or stands for the sample of that
name in ``include/definitions``. A file ``arguments`` has what else `updraft convert` is given.
`make golden` writes DAGs and reports anew; what has changed shows in the difference.
"""

import argparse
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import Path

from updraft.cli.definition_options import given_beside
from updraft.datapipeline.expression_values import as_instant
from updraft.errors import UpdraftError
from updraft.migration import batch
from updraft.migration.conversion import Conversion

PROJECT = Path(__file__).parents[3]
FOLDER = PROJECT / "tests" / "golden"
_SAMPLES = PROJECT / "include" / "definitions"
_SUFFIXES = (".json", ".yaml", ".tf")


class MissingDefinitionError(UpdraftError):
    """A folder of golden files has no definition."""


@dataclass(frozen=True)
class Case:
    """A definition and its golden files.

    :param name: name of the folder.
    :param definition: the definition, relative to the project.
    :param arguments: what the command is given beside the definition.
    """

    name: str
    definition: Path
    arguments: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """The folder of the golden files."""
        return FOLDER / self.name


def cases() -> tuple[Case, ...]:
    """List all definitions.

    :returns: the definitions by name.
    :raises MissingDefinitionError: when a folder has none.
    """
    folders = sorted(
        path for path in FOLDER.iterdir() if path.is_dir() and path.name[0] not in "._"
    )
    return tuple(_case(path) for path in folders)


def _case(folder: Path) -> Case:
    places = [folder / f"{folder.name}{suffix}" for suffix in _SUFFIXES]
    # The report of a definition in JSON is not mistaken for it, as it lies in a folder of its own.
    places.append(_SAMPLES / f"{folder.name.replace('_', '-')}.json")
    found = next((place for place in places if place.exists()), None)
    if found is None:
        raise MissingDefinitionError(f"{folder} has no definition, and no sample has its name")
    arguments = folder / "arguments"
    words = shlex.split(arguments.read_text("utf-8")) if arguments.exists() else []
    return Case(folder.name, found.relative_to(PROJECT), tuple(words))


def convert(case: Case) -> list[Conversion]:
    """Convert a definition as the command does, but for the import check.

    :param case: the definition.
    :returns: a conversion for each DAG.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--start-date")
    parser.add_argument("--dag-id")
    parser.add_argument("--compute", default="ec2")
    options = parser.parse_args(case.arguments)
    given, _ = given_beside(options.set, None, None)
    if options.start_date:
        given = replace(given, start_date=as_instant(options.start_date).astimezone(UTC))
    given = replace(given, compute=options.compute)
    with chdir(PROJECT):
        return batch.convert_all([case.definition], options.dag_id, given, lambda path: None)


def convert_all(folder: Path) -> Iterator[tuple[Case, Conversion]]:
    """Convert all definitions and load all DAGs in one Airflow.

    :param folder: where the files go, a folder for each definition.
    :returns: each conversion with its definition.
    """
    made = [(case, one) for case in cases() for one in convert(case)]
    checked = batch.check_all([one for _, one in made])
    for (case, _), one in zip(made, checked, strict=True):
        batch.write_all([one], folder / case.name, folder / case.name / "report", force=True)
        yield case, one


def golden_files(folder: Path) -> tuple[Path, ...]:
    """List DAGs and reports.

    :param folder: the golden files, or what was written in their place.
    :returns: paths relative to the folder.
    """
    patterns = ("*/*.py", "*/report/*.md")
    found = [path for pattern in patterns for path in folder.glob(pattern)]
    return tuple(sorted(path.relative_to(folder) for path in found))


def main() -> int:
    """Convert all definitions and put what comes of it in the place of the golden files.

    :returns: 0, or 1 when a definition can't be converted; then nothing is written.
    """
    with tempfile.TemporaryDirectory(prefix="updraft-golden-") as name:
        made = Path(name)
        failed = [(case, one) for case, one in convert_all(made) if one.failed]
        for case, one in failed:
            for finding in one.findings:
                place = f"{finding.place}: {finding.object_id}.{finding.field}"
                sys.stderr.write(f"{case.name}: {place}: {finding.message}. {finding.advice}\n")
        if failed:
            return 1
        for old in golden_files(FOLDER):
            (FOLDER / old).unlink()
        for new in golden_files(made):
            (FOLDER / new).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(made / new, FOLDER / new)
    return 0


if __name__ == "__main__":
    sys.exit(main())
