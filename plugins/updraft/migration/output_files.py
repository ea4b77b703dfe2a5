"""Writing what a conversion made: whole files or none, and never over somebody's work."""

import contextlib
import errno
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from updraft.errors import UpdraftError
from updraft.migration.rendering import is_untouched
from updraft.migration.reporting.model import Report
from updraft.migration.reporting.overview import (
    JSON,
    MARKDOWN,
    PAGE,
    Overview,
    report_file_name,
)
from updraft.migration.reporting.page import page


class EditedFileError(UpdraftError):
    """A DAG file was edited by hand, or was never written by Updraft."""


def check_overwrite(dag_file: Path) -> None:
    """Make sure that no work is lost by writing a DAG file.

    :param dag_file: the file to be written.
    :raises EditedFileError: when it exists and is not as Updraft left it.
    """
    text = current_text(dag_file)
    if text is not None and not is_untouched(text):
        raise EditedFileError(f"{dag_file} was edited by hand, or is not from Updraft")


def current_text(dag_file: Path) -> str | None:
    """Read a DAG file that may be there.

    :param dag_file: the file.
    :returns: its text, none when there is no such file.
    :raises EditedFileError: when it is there and can't be read as a text.
    """
    try:
        return dag_file.read_bytes().decode("utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise EditedFileError(f"{dag_file} exists and can't be read: {error}") from None


def write_files(
    dag_file: Path | None, dag_source: str | None, report_folder: Path, report: Report
) -> Path:
    """Write a DAG file and its report: all of them whole, or nothing at all.

    :param dag_file: where the DAG goes, none when there is none.
    :param dag_source: its text.
    :param report_folder: where the report goes, as Markdown and JSON.
    :param report: the report.
    :returns: the Markdown report.
    :raises UpdraftError: when a file can't be written.
    """
    markdown = report_folder / report_file_name(report.dag_id, ".md")
    # It appears last: once it is there, Airflow takes it up, and its report is there too.
    dag = {dag_file: dag_source} if dag_file is not None and dag_source is not None else {}
    write_together(
        {
            **dag,
            report_folder / report_file_name(report.dag_id, ".json"): report.to_json(),
            markdown: report.to_markdown(),
        }
    )
    return markdown


def write_overview(report_folder: Path, overview: Overview) -> Path:
    """Write the report over all pipelines: a page, JSON and Markdown.

    :param report_folder: where they go.
    :param overview: the report.
    :returns: the page.
    :raises UpdraftError: when a file can't be written.
    """
    html = report_folder / PAGE
    write_together(
        {
            html: page(overview),
            report_folder / JSON: overview.to_json(),
            report_folder / MARKDOWN: overview.to_markdown(),
        }
    )
    return html


def write_together(texts: Mapping[Path, str]) -> None:
    """Write files: all of them whole, or nothing at all.

    :param texts: the texts by file; the first one appears last.
    :raises UpdraftError: when a file can't be written.
    """
    try:
        with contextlib.ExitStack() as leftovers:
            temporaries = [(_stage(path, text, leftovers), path) for path, text in texts.items()]
            for temporary, path in reversed(temporaries):
                temporary.replace(path)
    except OSError as error:
        reason = error.strerror or str(error)
        name = error.filename or next(iter(texts))
        raise UpdraftError(f"{name} can't be written: {reason}") from None


def _stage(path: Path, text: str, leftovers: contextlib.ExitStack) -> Path:
    """Write a text beside the file that it is for, where renaming can hardly fail any more."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:  # it names a file that nobody has asked for
        raise OSError(error.errno, error.strerror, str(path)) from None
    temporary = Path(name)
    leftovers.callback(temporary.unlink, missing_ok=True)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    # mkstemp makes files that only their owner can read; Airflow may be another user.
    temporary.chmod(0o644)
    return temporary
