"""Converting many definitions in one go: finding them, naming them, checking and writing them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from updraft.datapipeline.findings import Finding, Severity
from updraft.datapipeline.model import ParameterValue
from updraft.errors import UpdraftError
from updraft.migration.conversion import Conversion, convert_file
from updraft.migration.import_check import check_imports
from updraft.migration.names import check_dag_id, dag_id_of
from updraft.migration.output_files import EditedFileError, check_overwrite, write_files


class FileNameError(UpdraftError):
    """The name of a file is no text."""


@dataclass(frozen=True)
class Written:
    """A conversion and where it was written.

    :param conversion: the conversion.
    :param dag_file: the DAG file, none when nothing was written.
    :param report_file: the Markdown report, none when nothing was written.
    """

    conversion: Conversion
    dag_file: Path | None = None
    report_file: Path | None = None


def definition_files(inputs: Iterable[Path]) -> list[Path]:
    """List the definition files that the user means.

    :param inputs: files and folders; a folder stands for all JSON files below it.
    :returns: files, each once, in the order given, those of a folder by name.
    :raises UpdraftError: when an input does not exist, or a folder has no JSON file.
    """
    files: dict[Path, None] = {}
    for one in inputs:
        if _is_folder(one):
            found = sorted(path for path in one.rglob("*.json") if path.is_file())
            if not found:
                raise UpdraftError(f"{one} has no JSON file")
            files.update(dict.fromkeys(found))
        elif one.exists():
            files[one] = None
        else:
            raise UpdraftError(f"{one} does not exist")
    return list(files)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError as error:
        raise UpdraftError(f"{_shown_path(path)} can't be read: {error.strerror}") from None


def _check_file_name(path: Path) -> None:
    """Make sure that a file's name is text, for the report and the DAG name it.

    :raises FileNameError: when it is not.
    """
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise FileNameError("The file name is not UTF-8") from None


def convert_all(
    files: list[Path],
    dag_id: str | None,
    values: tuple[ParameterValue, ...],
    advance: Callable[[Path], None],
    compute: str = "ec2",
) -> list[Conversion]:
    """Convert files one after the other; nothing is written.

    :param files: the definition files.
    :param dag_id: id for the DAG, for a single file; else the file's name decides.
    :param values: parameter values that go before those in the files.
    :param advance: called with each file when it is done.
    :param compute: where shell commands run, ``ec2``, ``ssm`` or ``bash``.
    :returns: a conversion for each file.
    :raises UpdraftError: when the DAG id is not valid, or given for several files.
    """
    if dag_id is not None:
        check_dag_id(dag_id)
        if len(files) > 1:
            raise UpdraftError("One DAG id can't name several DAGs: leave out --dag-id")
    conversions: list[Conversion] = []
    taken: dict[str, Path] = {}
    for path in files:
        try:
            _check_file_name(path)
            name = dag_id or dag_id_of(path.stem)
        except UpdraftError as error:
            advice = "Convert it by itself with --dag-id, or rename the file"
            if isinstance(error, FileNameError):
                advice = "Rename the file, or its folder"
            conversions.append(_failed(Conversion(path, "", ()), str(error), advice))
            advance(path)
            continue
        if name in taken:
            message = f"The DAG id {name!r} is taken by {taken[name]}"
            advice = "Rename one of the files, or convert it by itself with --dag-id"
            conversions.append(_failed(Conversion(path, name, ()), message, advice))
        else:
            taken[name] = path
            conversions.append(convert_file(path, name, values, compute))
        advance(path)
    return conversions


def check_all(conversions: list[Conversion]) -> list[Conversion]:
    """Load all converted DAGs in Airflow.

    :param conversions: the conversions.
    :returns: the conversions; those whose DAG does not load have failed.
    :raises UpdraftError: when Airflow can't be started.
    """
    sources = {
        f"{one.dag_id}.py": one.dag_source
        for one in conversions
        if not one.failed and one.dag_source is not None
    }
    outcomes = check_imports(sources)
    checked: list[Conversion] = []
    for one in conversions:
        outcome = outcomes.get(f"{one.dag_id}.py")
        if one.failed or outcome is None:
            checked.append(one)
        elif outcome.error is not None or one.dag_id not in outcome.dag_ids:
            error = outcome.error or "the DAG is not in it"
            message = f"Airflow can't load the generated DAG: {error}"
            advice = "Please report this; --no-import-check writes the file nevertheless"
            checked.append(_failed(one, message, advice))
        else:
            checked.append(one)
    return checked


def write_all(
    conversions: list[Conversion], output: Path, report_folder: Path, *, force: bool
) -> list[Written]:
    """Write the DAGs and reports of all conversions that did not fail.

    :param conversions: the conversions.
    :param output: folder for the DAG files.
    :param report_folder: folder for the reports.
    :param force: whether to replace files that were edited by hand.
    :returns: for each conversion what was written.
    """
    return [_write(one, output, report_folder, force=force) for one in conversions]


def _write(one: Conversion, output: Path, report_folder: Path, *, force: bool) -> Written:
    if one.failed or one.dag_source is None or one.report is None:
        return Written(one)
    dag_file = output / f"{one.dag_id}.py"
    try:
        if not force:
            check_overwrite(dag_file)
        report_file = write_files(dag_file, one.dag_source, report_folder, one.report)
    except EditedFileError as error:
        return Written(_failed(one, str(error), "Rename your file, or overwrite it with --force"))
    except UpdraftError as error:
        return Written(_failed(one, str(error), "Check folder, permissions and free space"))
    return Written(one, dag_file, report_file)


def _shown_path(path: Path) -> str:
    return str(path).encode(errors="backslashreplace").decode()


def _failed(conversion: Conversion, message: str, advice: str) -> Conversion:
    finding = Finding(
        severity=Severity.ERROR, file=_shown_path(conversion.path), message=message, advice=advice
    )
    return replace(
        conversion, findings=(*conversion.findings, finding), dag_source=None, report=None
    )
