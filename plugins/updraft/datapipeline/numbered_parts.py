"""Definitions in several files such as ``copy-0.json``, each with some of the objects.

Documents that explain a pipeline step by step are kept so: in files with numbers, or with words
for what they hold, such as ``copy-activity.json`` and ``copy-node.json``. A part alone refers to
objects that it does not have.
"""

import re
from collections.abc import Callable
from pathlib import Path

from updraft.datapipeline.findings import Finding, Position, Severity
from updraft.datapipeline.model import Definition, PipelineObject
from updraft.datapipeline.resolution import DEFAULT_ID

_SEPARATOR = re.compile(r"[-_.]")
_SUFFIX = ".json"
_KINDS = re.compile(
    r"actions?|activity|activities|clusters?|databases?|formats?|nodes?|preconditions?|resources?"
    r"|schedules?",
    re.IGNORECASE,
)
_MOST_PARTS = 100


def parts_beside(path: Path) -> list[Path]:
    """List the other parts of a definition.

    :param path: a file.
    :returns: the files of the same name but for a number at its end and words for kinds of
        objects; none for a file with neither.
    """
    own = _name_of_whole(path)
    if own is None:
        return []
    try:
        return [
            other
            for other in sorted(path.parent.iterdir())
            if _name_of_whole(other) == own and other.name != path.name and other.is_file()
        ][:_MOST_PARTS]
    except OSError:
        return []


def _name_of_whole(path: Path) -> tuple[str, ...] | None:
    """Give the words that the parts of a definition share, none for what is no part by its name."""
    if path.suffix.casefold() != _SUFFIX:
        return None
    words = _SEPARATOR.split(path.stem)
    shared = words[:-1] if words[-1].isdecimal() else words
    shared = [one for one in shared if not _KINDS.fullmatch(one)]
    return tuple(shared) if shared and len(shared) < len(words) else None


def is_part(definition: Definition) -> bool:
    """Tell whether a definition may be a part of another one.

    :param definition: what a file holds.
    :returns: true without an object ``Default``, which hardly any whole definition lacks.
    """
    # Templates and configurations have a name for a pipeline, and hold all of it.
    whole = definition.pipeline.key is not None
    return not whole and DEFAULT_ID not in definition.objects_by_id


def completed_by_parts(
    definition: Definition,
    parts: list[Path],
    read: Callable[[Path], tuple[Definition, ...]],
) -> tuple[Definition, list[Finding]]:
    """Add the objects that a part refers to and another part has.

    :param definition: what one part holds.
    :param parts: the other parts.
    :param read: reads a part; gives nothing for a file that is none.
    :returns: the definition, and a warning for each object that was added. What several parts
        have under one id is left to its reader.
    """
    if not parts or not _missing(definition.objects):
        return definition, []
    found: dict[str, list[tuple[Path, PipelineObject]]] = {}
    for path in parts:
        for other in read(path):
            for item in other.objects:
                found.setdefault(item.id, []).append((path, item))
    findings: list[Finding] = []
    objects = definition.objects
    while True:
        added = [found[one] for one in _missing(objects) if len(found.get(one, ())) == 1]
        if not added:
            return definition.with_objects(objects), findings
        for ((path, item),) in added:
            # Lines of another file would mislead.
            objects = (*objects, _placed(item, definition.objects[0].position))
            findings.append(
                Finding(
                    severity=Severity.WARNING,
                    file=definition.source,
                    position=definition.objects[0].position,
                    object_id=item.id,
                    message=f"The object is taken from {path.name}, which seems to be another part "
                    "of the same definition",
                    advice="Put the parts into one file",
                )
            )


def _placed(item: PipelineObject, position: Position) -> PipelineObject:
    here = {"position": position}
    fields = tuple(
        field.model_copy(
            update={
                **here,
                "values": tuple(value.model_copy(update=here) for value in field.values),
            }
        )
        for field in item.fields
    )
    return item.model_copy(update={**here, "fields": fields})


def _missing(objects: tuple[PipelineObject, ...]) -> list[str]:
    known = {item.id for item in objects}
    return [
        one
        for one in dict.fromkeys(
            reference for item in objects for field in item.fields for reference in field.references
        )
        if one not in known
    ]
