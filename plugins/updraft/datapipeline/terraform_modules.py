"""The files of a Terraform module: all of one folder belong together."""

from pathlib import Path

_SUFFIXES = (".tf", ".tf.json")


def module_of(path: Path) -> list[Path]:
    """List the other files of the module that a file is part of.

    :param path: a file; only those with Terraform's suffixes have a module.
    :returns: paths in the order of their names, none for any other file.
    """
    if not path.name.endswith(_SUFFIXES):
        return []
    try:
        return [
            other
            for other in sorted(path.parent.iterdir())
            if other.name.endswith(_SUFFIXES) and other.name != path.name and other.is_file()
        ]
    except OSError:
        return []
