"""Keeps Python's garbage collector from walking over an Airflow that does not change.

Items are trees of small dictionaries, so millions of them come and go while a table is copied.
They have no cycles and are freed without the collector. It counts them nevertheless, and looks for
garbage among everything that Airflow has loaded each time their number has grown: measured, a third
of the CPU time of an import.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_MANY = 50_000
"""Objects after which the young ones are looked at; some ten megabytes of items."""


@contextmanager
def rare_garbage_collection() -> Iterator[None]:
    """Collect garbage less often, and only among objects that are younger than the block.

    :returns: nothing; afterwards everything is as it was.
    """
    thresholds = gc.get_threshold()
    gc.freeze()
    if 0 < thresholds[0] < _MANY:
        gc.set_threshold(_MANY, *thresholds[1:])
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()
