"""Names in the DAG: ids of the DAG and of tasks."""

import keyword
import os
import re
from collections.abc import Sequence
from pathlib import Path

from updraft.errors import UpdraftError

RESERVED = frozenset({"UTC", "datetime", "fail_when_late", "timedelta"})
"""Names that a DAG file imports, and that are no names of its variables therefore."""

_LONGEST_ID = 200
_DAG_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def snake_case(name: str) -> str:
    """Turn any name into an id as Airflow and Python like it.

    :param name: for example ``TableBackupActivity`` or ``DynamoDB-export``.
    :returns: lower case words with underscores, ``unnamed`` when no letter or digit is left.
    """
    ascii_name = name.encode("ascii", "ignore").decode()
    # DynamoDB, MySQL and their like are one word.
    whole = re.sub(r"DynamoDB|MySQL|OpenSearch", lambda match: match[0].capitalize(), ascii_name)
    words = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", whole)
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", words)
    return re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")[:_LONGEST_ID] or "unnamed"


def check_dag_id(dag_id: str) -> str:
    """Check a DAG id, which names the file too.

    :param dag_id: the id.
    :returns: the same id.
    :raises UpdraftError: when it can't be the name of a Python module.
    """
    if not _DAG_ID.fullmatch(dag_id) or keyword.iskeyword(dag_id) or len(dag_id) > _LONGEST_ID:
        raise UpdraftError(
            f"{dag_id!r} can't be a DAG id: use letters, digits and underscores, a letter first, "
            f"at most {_LONGEST_ID} characters"
        )
    return dag_id


def dag_id_of(file_stem: str) -> str:
    """Derive a DAG id from the name of a definition file.

    :param file_stem: file name without suffix.
    :returns: a valid DAG id.
    :raises UpdraftError: when the name has nothing to make one of.
    """
    if not re.search(r"[A-Za-z0-9]", file_stem):
        raise UpdraftError(
            f"No DAG id can be made of the file name {file_stem!r}: no letter from A to Z, no digit"
        )
    words = snake_case(file_stem)
    return words if _DAG_ID.fullmatch(words) and not keyword.iskeyword(words) else f"dag_{words}"


def file_stems(files: Sequence[Path]) -> dict[Path, str]:
    """Name files, so that files of the same name in several folders get different names.

    :param files: the files of one conversion.
    :returns: for each file its name without suffix; behind the names of its folders where files in
        several folders share it.
    """
    groups: dict[str, list[Path]] = {}
    for path in files:
        groups.setdefault(snake_case(_stem(path)), []).append(path)
    names: dict[Path, str] = {}
    for group in groups.values():
        folders = [path.absolute().parent for path in group]
        common = Path(os.path.commonpath(folders))
        for path, folder in zip(group, folders, strict=True):
            names[path] = "_".join([*folder.relative_to(common).parts, _stem(path)])
    return names


def _stem(path: Path) -> str:
    stem = path.name.removesuffix(".json").removesuffix(".tf")
    return Path(stem).stem if stem == path.name else stem


def unique(name: str, taken: set[str]) -> str:
    """Make a name differ from those already given, and remember it.

    :param name: the wished name.
    :param taken: names already given; the result is added.
    :returns: the name, with a number behind it when it was taken.
    """
    candidate, number = name, 2
    while candidate in taken:
        candidate, number = f"{name}_{number}", number + 1
    taken.add(candidate)
    return candidate
