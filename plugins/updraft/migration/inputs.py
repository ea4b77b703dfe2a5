"""What a user names on the command line: files, folders, and pipelines in AWS."""

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from updraft.datapipeline.documents import encoding_of
from updraft.datapipeline.findings import Finding
from updraft.datapipeline.object_types import object_types
from updraft.datapipeline.reading import ReadResult, read_file
from updraft.errors import UpdraftError

_SUFFIXES = {".j2", ".json", ".template", ".tf", ".tftpl", ".tmpl", ".tpl", ".yaml", ".yml"}
_PIPELINE = re.compile(r"pipeline:(df-[A-Za-z0-9]+)")
_LARGEST_FILE = 16_000_000
_ACCOUNT = "aws"
# Reports of earlier runs name objects and types, too.
_OF_REPORTS = b'"activity_coverage":'


@dataclass(frozen=True)
class Inputs:
    """The files that a user means.

    :param files: files and pipelines, each once, in the order given, those of a folder by name.
    :param left_out: files of folders that hold no pipeline.
    """

    files: tuple[Path, ...]
    left_out: tuple[Path, ...] = ()


def find_inputs(inputs: Iterable[Path]) -> Inputs:
    """List the definitions that the user means.

    :param inputs: files, folders, pipelines such as ``pipeline:df-0123``, and ``aws``; a folder
        stands for all files below it that hold a pipeline, ``aws`` for all pipelines of the account
        unless there is a file or folder of this name.
    :returns: the files.
    :raises UpdraftError: when an input does not exist, a folder or the account has no pipeline, or
        AWS does not list them.
    """
    files: dict[Path, None] = {}
    left_out: dict[Path, None] = {}
    for one in inputs:
        if pipeline_id(one) is not None:
            files[one] = None
        elif _is_folder(one):
            found = sorted(path for path in one.rglob("*") if _may_be_definition(path))
            pipelines = [path for path in found if _holds_pipeline(path)]
            if not pipelines:
                raise UpdraftError(f"{shown_path(one)} has no file with a pipeline")
            files.update(dict.fromkeys(pipelines))
            left_out.update(dict.fromkeys(path for path in found if path not in pipelines))
        elif _exists(one):
            files[one] = None
        elif str(one) == _ACCOUNT:
            files.update(dict.fromkeys(_pipelines_of_account()))
        else:
            raise UpdraftError(f"{shown_path(one)} does not exist")
    return Inputs(tuple(files), tuple(one for one in left_out if one not in files))


def pipeline_id(path: Path) -> str | None:
    """Tell a pipeline in AWS from a file.

    :param path: what the user wrote.
    :returns: the id of the pipeline, none for a file.
    """
    match = _PIPELINE.fullmatch(str(path))
    return match[1] if match else None


def read_input(path: Path, given: Mapping[str, tuple[str, ...]]) -> ReadResult:
    """Read a file, or a pipeline in AWS.

    :param path: what the user wrote.
    :param given: values for what a template leaves open, by name.
    :returns: definitions and findings.
    :raises UpdraftError: when AWS does not give the pipeline.
    """
    identity = pipeline_id(path)
    if identity is None:
        return read_file(path, given=given)
    with _airflow_for(path):
        from updraft.migration.aws_pipelines import (  # noqa: PLC0415 brings Airflow along
            read_pipeline,
        )
    return read_pipeline(identity)


def _pipelines_of_account() -> list[Path]:
    with _airflow_for(Path(_ACCOUNT)):
        from updraft.migration.aws_pipelines import (  # noqa: PLC0415 brings Airflow along
            pipeline_ids,
        )
    found = [Path(f"pipeline:{one}") for one in pipeline_ids()]
    if not found:
        raise UpdraftError(
            "There is no pipeline in AWS: check the account and the region of the AWS_* variables"
        )
    return found


@contextmanager
def _airflow_for(path: Path) -> Iterator[None]:
    """Import Airflow quietly inside of the block, or say what needs it."""
    # Airflow reads this when it is imported, and would write its own messages to the output.
    os.environ.setdefault("AIRFLOW__LOGGING__LOGGING_LEVEL", "ERROR")
    try:
        yield
    except ModuleNotFoundError as error:
        raise UpdraftError(
            f"Reading {path} needs Airflow with its amazon provider, but there is no module "
            f"{error.name!r}. Install what requirements.txt names."
        ) from None


def placed(path: Path, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Leave out what line a finding is on, where nobody has a file to look it up in.

    :param path: what the user wrote.
    :param findings: the findings about it.
    :returns: the findings, those about a pipeline in AWS without lines.
    """
    if pipeline_id(path) is None:
        return tuple(findings)
    return tuple(one.model_copy(update={"position": None}) for one in findings)


def shown_path(path: Path) -> str:
    """Write a path so that a terminal can show it.

    :param path: any path.
    :returns: text; what is no character is written as an escape.
    """
    return str(path).encode(errors="backslashreplace").decode()


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError as error:
        raise UpdraftError(f"{shown_path(path)} can't be read: {error.strerror}") from None


def _exists(path: Path) -> bool:
    return path.exists() or path.is_symlink()


def _may_be_definition(path: Path) -> bool:
    return path.suffix.lower() in _SUFFIXES and path.is_file()


def _holds_pipeline(path: Path) -> bool:
    """Look for the words that no pipeline is without; whether it is sound shows when it is read.

    JSON that is broken may have been a pipeline.
    """
    try:
        if path.stat().st_size > _LARGEST_FILE:
            return False
        content = path.read_bytes()
    except OSError:
        # That it can't be read is worth an error.
        return True
    if _OF_REPORTS in content:
        return False
    encoding = encoding_of(content)
    if encoding is not None:
        content = content.decode(encoding, "replace").encode()
    words = (
        rb"objects[\"']?\s*:|[pP]ipelineObjects|AWS::DataPipeline::|aws_datapipeline_pipeline_def"
    )
    types = "|".join(object_types()).encode()
    typed = rb"[\"']?(?:type|stringValue)[\"']?\s*:\s*[\"']?(?:" + types + rb")\b"
    if re.search(words + b"|" + typed, content) is not None:
        return True
    return path.suffix.lower() == ".json" and not _is_json(content)


def _is_json(content: bytes) -> bool:
    try:
        json.loads(content)
    except (ValueError, RecursionError):
        return False
    return True
