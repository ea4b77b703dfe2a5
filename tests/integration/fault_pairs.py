"""Which operations meet which faults."""

from collections.abc import Iterable
from itertools import cycle, product
from typing import Any

import pytest

from tests.chaos.crash_sweep import IS_FULL


def some_pairs(subjects: Iterable[Any], faults: Iterable[str]) -> list[Any]:
    """Pair subjects with faults: all with all in ``make chaos``, otherwise each at least once.

    :param subjects: operations by name, or classes.
    :param faults: names of the faults.
    :returns: parameters for a test.
    """
    several, kinds = list(subjects), list(faults)
    if IS_FULL:
        pairs = list(product(several, kinds))
    elif len(several) < len(kinds):
        pairs = list(zip(cycle(several), kinds, strict=False))
    else:
        pairs = list(zip(several, cycle(kinds), strict=False))
    return [
        pytest.param(subject, fault, id=f"{getattr(subject, '__name__', subject)}-{fault}")
        for subject, fault in pairs
    ]
