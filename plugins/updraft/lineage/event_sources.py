"""Opens what events are read from: files, pipes and standard input."""

import shutil
import sys
import tempfile
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO

STANDARD_INPUT = "-"
"""The path that means standard input."""

_MOST_IN_MEMORY = 16 << 20  # bytes of a pipe; more of it goes into a file


def opened(path: Path) -> AbstractContextManager[IO[bytes]]:
    """Open a file for one reading from its beginning to its end.

    :param path: its path; ``-`` for standard input, which stays open.
    :returns: a context manager that gives it.
    :raises OSError: when it cannot be opened.
    """
    if str(path) != STANDARD_INPUT:
        return path.open("rb")
    if sys.stdin is None:  # the shell has closed it
        raise OSError("standard input is closed")
    return nullcontext(sys.stdin.buffer)


def opened_to_seek(path: Path) -> AbstractContextManager[IO[bytes]]:
    """Open a file that is read more than once.

    :param path: its path; ``-`` for standard input. A pipe gives its content only once, so that
        it is kept.
    :returns: a context manager that gives a file which can be sought in.
    :raises OSError: when it cannot be read.
    """
    if path.is_file():
        return path.open("rb")
    with opened(path) as source:
        kept = tempfile.SpooledTemporaryFile(_MOST_IN_MEMORY)  # noqa: SIM115 the caller closes it
        shutil.copyfileobj(source, kept)
    kept.seek(0)
    return kept
