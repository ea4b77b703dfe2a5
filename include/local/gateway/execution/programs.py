"""Programs that stand in for those of a machine or an image, first on its PATH."""

import shlex
import threading
from collections.abc import Mapping
from pathlib import Path

from include.local.bootstrap import LOCAL_ENVIRONMENT


def install(folder: Path, programs: Mapping[str, str]) -> Path:
    """Write programs, and the command line of AWS, which is that of the local stack's environment.

    :param folder: directory that they go to, which exists.
    :param programs: shell script by name, without its first line.
    :returns: the directory.
    """
    command_line = LOCAL_ENVIRONMENT / "bin" / "aws"
    found = {"aws": f'exec {shlex.quote(str(command_line))} "$@"\n'}
    for name, text in {**programs, **(found if command_line.is_file() else {})}.items():
        path = folder / name
        if not path.exists():
            temporary = folder / f".{name}.{threading.get_ident()}"
            temporary.write_text(f"#!/bin/sh\n{text}")
            temporary.chmod(0o755)
            temporary.replace(path)
    return folder
