"""The table of all object types and fields, and what becomes of each: ``make migration-table``."""

import sys
from pathlib import Path

from updraft.migration.reporting.probing import FieldFate, type_fates
from updraft.migration.reporting.template_files import markdown_template

# That a task reads a field is said by the argument that it goes into.
_SAID_BY_TARGET = ("read by the task ", "decides the order of tasks and is read by expressions")


def migration_table() -> str:
    """Measure what becomes of every field, and write it down.

    :returns: Markdown.
    """
    return markdown_template("migration_table.md.j2").render(types=type_fates(), words=_words)


def _words(fate: FieldFate) -> str:
    """Say what there is to say beside the target."""
    note = fate.note
    arguments = [target.partition(": ")[2] or target for target in fate.targets]
    if note in arguments or (fate.targets and note.startswith(_SAID_BY_TARGET)):
        return ""
    return note


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(migration_table(), "utf-8")
