"""`updraft package`: build plugins.zip for Amazon MWAA, and the library of Spark jobs."""

import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Annotated

import typer
from rich.console import Console

from updraft.cli.shell_report import reported
from updraft.errors import UpdraftError
from updraft.paths import include_directory

_LEFT_OUT = frozenset({"__pycache__", "updraft.egg-info"})
_SPARK_PACKAGES = ("aws", "dynamodb", "spark")
_SPARK_MODULES = (
    "__init__.py",
    "choices.py",
    "errors.py",
    "lineage/__init__.py",
    "lineage/naming.py",
    "s3_uri.py",
)
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The oldest time stamp that a zip file can hold; a constant one keeps the bytes the same."""


def contents(plugins: Path, include: Path) -> Iterator[tuple[PurePosixPath, Path]]:
    """List what goes into plugins.zip.

    MWAA deploys no ``include/``, so it travels inside the plugins folder; the local stack stays
    at home.

    :param plugins: the project's ``plugins/``.
    :param include: the project's ``include/``.
    :returns: name in the archive and file, in a stable order.
    """
    for folder, inside in ((plugins, PurePosixPath()), (include, PurePosixPath("include"))):
        for path in sorted(folder.rglob("*")):
            relative = path.relative_to(folder)
            local_stack = folder == include and relative.parts[0] == "local"
            if path.is_file() and not _LEFT_OUT.intersection(relative.parts) and not local_stack:
                yield inside / relative.as_posix(), path


def spark_contents(plugins: Path) -> Iterator[tuple[PurePosixPath, Path]]:
    """List what Spark jobs need of the library: the part that knows nothing of Airflow.

    :param plugins: the project's ``plugins/``.
    :returns: name in the archive and file, in a stable order.
    """
    library = plugins / "updraft"
    folders = [path for name in _SPARK_PACKAGES for path in (library / name).rglob("*.py")]
    modules = [library / name for name in _SPARK_MODULES]
    for path in sorted([*folders, *modules]):
        yield PurePosixPath(path.relative_to(plugins).as_posix()), path


def package(
    output: Annotated[
        Path | None,
        typer.Option(help="Archive to write; plugins.zip by default.", show_default=False),
    ] = None,
    spark: Annotated[
        bool,
        typer.Option("--spark", help="Build updraft_spark.zip, the library of Spark jobs."),
    ] = False,
) -> None:
    """Build plugins.zip for Amazon MWAA: the plugins folder with include/ in it."""
    include = include_directory()
    plugins = include.parent / "plugins"
    output = output or Path("updraft_spark.zip" if spark else "plugins.zip")
    with reported():
        count = _write(output, spark_contents(plugins) if spark else contents(plugins, include))
    Console().print(f"{output}: {count} files, {output.stat().st_size:,} bytes")


def _write(output: Path, files: Iterable[tuple[PurePosixPath, Path]]) -> int:
    count = 0
    try:
        with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, path in files:
                archive.writestr(
                    zipfile.ZipInfo(str(name), _EPOCH), path.read_bytes(), zipfile.ZIP_DEFLATED
                )
                count += 1
    except OSError as error:
        raise UpdraftError(f"--output: {output} cannot be written: {error.strerror}") from None
    return count
