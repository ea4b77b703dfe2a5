"""A wrong choice is answered with the nearest right one."""

import pytest

from updraft.choices import choose
from updraft.errors import UpdraftError

CHOICES = {"worker": 1, "native": 2}


def test_a_choice_is_taken_by_its_name():
    assert choose("engine", "native", CHOICES) == 2


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("nativ", "engine: 'nativ' is unknown; did you mean 'native'? Known: native, worker."),
        ("WORKER", "engine: 'WORKER' is unknown; did you mean 'worker'? Known: native, worker."),
        ("spark", "engine: 'spark' is unknown. Known: native, worker."),
        (None, "engine: None is unknown. Known: native, worker."),
        (["worker"], "engine: ['worker'] is unknown"),
    ],
)
def test_another_one_is_refused(value, message):
    with pytest.raises(UpdraftError) as error:
        choose("engine", value, CHOICES)

    assert str(error.value).startswith(message)
