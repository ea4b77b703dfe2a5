"""Carries errors from the executors to the driver.

Spark hands the driver a text: Python's traceback inside of Java's. The message that a person
should read, and the class that says what can be done about it, stand in there behind a mark.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager

from updraft.dynamodb.table_import import RejectedRecordError
from updraft.errors import UpdraftError

_MARK = "updraft-error:"
_MARKED = re.compile(rf"{_MARK}(\{{.*\}})")
_CLASSES = {kind.__name__: kind for kind in (RejectedRecordError, UpdraftError)}


class TaskFailedError(Exception):
    """A task cannot be done; its text is for :func:`errors_of_tasks`."""


@contextmanager
def marked_errors() -> Iterator[None]:
    """Mark the errors of a task; for the executor.

    :raises TaskFailedError: in place of an error of Updraft's.
    """
    try:
        yield
    except UpdraftError as error:
        kind = next(kind.__name__ for kind in _CLASSES.values() if isinstance(error, kind))
        content = json.dumps({"kind": kind, "text": str(error)})
        raise TaskFailedError(f"{_MARK}{content}") from error


@contextmanager
def errors_of_tasks() -> Iterator[None]:
    """Turn what Spark raises back into the error of the task; for the driver.

    :raises UpdraftError: the error of the task, where there was one.
    """
    try:
        yield
    except UpdraftError:
        raise
    except Exception as error:
        marked = _MARKED.search(str(error))
        if marked is None:
            raise
        content = json.loads(marked[1])
        raise _CLASSES[content["kind"]](content["text"]) from None
