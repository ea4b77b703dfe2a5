"""Converting many definitions in one go: finding them, naming them, checking and writing them."""

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from updraft.datapipeline.file_checking import check_result, unknown_values
from updraft.datapipeline.findings import Finding, Severity
from updraft.datapipeline.model import Definition
from updraft.errors import UpdraftError
from updraft.migration.conversion import Conversion, convert_definition
from updraft.migration.given_values import Given
from updraft.migration.import_check import ImportOutcome, check_imports
from updraft.migration.inputs import pipeline_id, placed, read_input, shown_path
from updraft.migration.names import check_dag_id, dag_id_of, file_stems, unique
from updraft.migration.output_files import EditedFileError, check_overwrite, write_files
from updraft.migration.pipeline_schedule import run_times


class FileNameError(UpdraftError):
    """The name of a file is no text."""


@dataclass(frozen=True)
class Written:
    """A conversion and where it was written.

    :param conversion: the conversion.
    :param dag_file: the DAG file, none when none was written.
    :param report_file: the Markdown report, none when nothing was written.
    """

    conversion: Conversion
    dag_file: Path | None = None
    report_file: Path | None = None


class _SeveralDagsError(UpdraftError):
    """A DAG id is given for a file with several pipelines."""


def _check_file_name(path: Path) -> None:
    """Make sure that a file's name is text, for the report and the DAG name it.

    :raises FileNameError: when it is not.
    """
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise FileNameError("The file name is not UTF-8") from None


def convert_all(
    files: Sequence[Path],
    dag_id: str | None,
    given: Given,
    advance: Callable[[Path], None],
) -> list[Conversion]:
    """Convert files one after the other; nothing is written.

    :param files: files, and pipelines in AWS.
    :param dag_id: id for the DAG, for a single pipeline; else names of files and pipelines decide.
    :param given: what goes with the definitions.
    :param advance: called with each file when it is done.
    :returns: a conversion for each pipeline.
    :raises UpdraftError: when the DAG id is not valid, or given for several pipelines.
    """
    if dag_id is not None:
        check_dag_id(dag_id)
        if len(files) > 1:
            raise UpdraftError("One DAG id can't name several DAGs: leave out --dag-id")
    conversions: list[Conversion] = []
    taken: dict[str, Path] = {}
    definitions: list[Definition] = []
    stems = file_stems(files)
    for path in files:
        try:
            read, made = _convert_file(path, stems[path], dag_id, given, taken)
        except Exception as error:  # noqa: BLE001 of 500 pipelines, 499 have nothing to do with it
            read, made = (), [_crashed(path, error)]
        definitions += read
        conversions += [_placed(path, one) for one in made]
        advance(path)
    unknown = unknown_values(definitions, given.values, given.parameters)
    if unknown and conversions:
        # A value that no file takes is a mistake in the command: nothing is written for any.
        conversions = [
            replace(one.refused(), findings=(*unknown * (number == 0), *one.findings))
            for number, one in enumerate(conversions)
        ]
    return conversions


def _convert_file(
    path: Path, stem: str, dag_id: str | None, given: Given, taken: dict[str, Path]
) -> tuple[tuple[Definition, ...], list[Conversion]]:
    try:
        _check_file_name(path)
        result = read_input(path, given.by_name)
        names = _dag_ids(path, stem, result.pipelines, dag_id)
    except UpdraftError as error:
        return (), [_failed(Conversion(path, "", ()), str(error), _advice(path, error))]
    if not result.pipelines:
        findings = check_result(result, given.values, given.parameters)
        return result.pipelines, [Conversion(path, names[0], findings)]
    conversions: list[Conversion] = []
    # What concerns the whole file is said once, where it may keep a DAG from running.
    first = (*result.definitions, *result.pipelines)[0]
    for name, pipeline in zip(names, result.pipelines, strict=True):
        if name in taken and (identity := pipeline_id(path)) is not None:
            # Pipelines in AWS may have the same name, but not the same id.
            name = dag_id_of(f"{name}_{identity}")  # noqa: PLW2901 from here on it is its name
        if name in taken:
            message = f"The DAG id {name!r} is taken by {taken[name]}"
            advice = "Rename one of the files, or convert it by itself with --dag-id"
            conversions.append(_failed(Conversion(path, name, ()), message, advice))
            continue
        taken[name] = path
        found = result.about(pipeline, with_others=pipeline is first)
        for one in _convert_pipeline(pipeline, path, name, found, given):
            if taken.setdefault(one.dag_id, path) != path:
                message = f"The DAG id {one.dag_id!r} is taken by {taken[one.dag_id]}"
                conversions.append(_failed(one, message, "Rename one of the files"))
            else:
                conversions.append(one)
    return result.pipelines, _refused_if_wrong(conversions, given)


def _convert_pipeline(
    pipeline: Definition, path: Path, name: str, found: tuple[Finding, ...], given: Given
) -> tuple[Conversion, ...]:
    """Convert a pipeline to its DAGs; of one without objects there are the findings only."""
    if not pipeline.objects:
        return (Conversion(path, name, found),)
    conversion = convert_definition(
        pipeline,
        path,
        name,
        read_findings=found,
        values=given.values,
        parameters=given.parameters,
        start_date=given.start_date,
        compute=given.compute,
        airflow=given.airflow,
    )
    return (conversion, *conversion.others)


def _refused_if_wrong(conversions: list[Conversion], given: Given) -> list[Conversion]:
    """Leave nothing to write of a file with errors that do not let it be converted in part."""
    errors = [
        finding
        for one in conversions
        for finding in one.findings
        if finding.severity is Severity.ERROR
    ]
    # A file is a whole: what is wrong in one place may concern all of its pipelines. And what is
    # wrong with the command, its user can put right at once.
    if (given.strict and errors) or any(one.file in given.sources for one in errors):
        return [one.refused() for one in conversions]
    return conversions


def _crashed(path: Path, error: Exception) -> Conversion:
    """Keep a mistake of Updraft to the file that shows it."""
    words = "".join(traceback.format_exception(error))
    last = words.strip().splitlines()[-1]
    return _failed(
        Conversion(path, "", (), crash=words),
        f"Updraft has a mistake that this file shows: {last}",
        "Please report it, with the definition",
    )


def _placed(path: Path, one: Conversion) -> Conversion:
    report = one.report
    if report is not None:
        report = report.model_copy(update={"findings": placed(path, report.findings)})
    return replace(one, findings=placed(path, one.findings), report=report)


def _advice(path: Path, error: UpdraftError) -> str:
    """Say what to do about what can't be read or named."""
    if isinstance(error, FileNameError):
        return "Rename the file, or its folder"
    if isinstance(error, _SeveralDagsError):
        return "Leave out --dag-id: each is named after the file and its pipeline"
    if pipeline_id(path) is not None:
        return "Check its id, the region and the rights of the AWS environment"
    return "Convert it by itself with --dag-id, or rename the file"


def _dag_ids(
    path: Path, stem: str, definitions: Sequence[Definition], dag_id: str | None
) -> tuple[str, ...]:
    """Name the DAGs of a file: after the file, and after the pipeline where it has several.

    :raises UpdraftError: when there is nothing to make a name of.
    """
    if dag_id is not None and len(definitions) > 1:
        raise _SeveralDagsError(f"One DAG id can't name the {len(definitions)} DAGs of this file")
    if dag_id is not None:
        return (dag_id,)
    if pipeline_id(path) is not None:
        # An id says nothing to people, if the pipeline has a name.
        stem = next((one.pipeline.name for one in definitions if one.pipeline.name), None) or stem
    if len(definitions) <= 1:
        return (dag_id_of(stem),)
    taken: set[str] = set()
    keys = [one.pipeline.key or "" for one in definitions]
    return tuple(unique(dag_id_of(f"{stem}_{key}"), taken) for key in keys)


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
            checked.append(_with_runs(one, outcome))
    return checked


def _with_runs(one: Conversion, outcome: ImportOutcome) -> Conversion:
    """Note in the report when Airflow runs the DAG, which is when the pipeline ran."""
    if one.schedule is None or one.schedule.timetable is None or one.report is None:
        return one
    airflow = run_times([one.schedule.scheduled_run(*run) for run in outcome.runs])
    rows = tuple(row.model_copy(update={"airflow": airflow}) for row in one.report.runs)
    noted = replace(one, report=one.report.model_copy(update={"runs": rows}))
    if any(row.legacy != airflow for row in rows):
        message = "Airflow would run the generated DAG at other times than the pipeline ran"
        return _failed(noted, message, "Please report this, with the definition")
    return noted


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
    if one.report is None:
        return Written(one)
    dag_file = output / f"{one.dag_id}.py" if one.dag_source is not None else None
    try:
        if not force and dag_file is not None:
            check_overwrite(dag_file)
        report_file = write_files(dag_file, one.dag_source, report_folder, one.report)
    except EditedFileError as error:
        return Written(_failed(one, str(error), "Rename your file, or overwrite it with --force"))
    except UpdraftError as error:
        return Written(_failed(one, str(error), "Check folder, permissions and free space"))
    return Written(one, dag_file, report_file)


def _failed(conversion: Conversion, message: str, advice: str) -> Conversion:
    finding = Finding(
        severity=Severity.ERROR, file=shown_path(conversion.path), message=message, advice=advice
    )
    return replace(conversion.refused(), findings=(*conversion.findings, finding))
