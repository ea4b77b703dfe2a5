import gc

import pytest

from updraft.dynamodb.garbage_collection import rare_garbage_collection


@pytest.fixture
def thresholds():
    before = gc.get_threshold()
    gc.set_threshold(701, 11, 12)
    yield
    gc.set_threshold(*before)


def test_within_it_is_rare_and_afterwards_as_before(thresholds):
    with rare_garbage_collection():
        assert gc.get_threshold()[0] > 10_000
        assert gc.get_threshold()[1:] == (11, 12)
        assert gc.get_freeze_count() > 0

    assert gc.get_threshold() == (701, 11, 12)
    assert gc.get_freeze_count() == 0


def test_an_error_ends_it_too(thresholds):
    with pytest.raises(ZeroDivisionError), rare_garbage_collection():
        _ = 1 / 0

    assert gc.get_threshold() == (701, 11, 12)
    assert gc.get_freeze_count() == 0


@pytest.mark.parametrize("settings", [(0, 10, 10), (900_000, 10, 10)])
def test_rarer_settings_stay(thresholds, settings):
    gc.set_threshold(*settings)

    with rare_garbage_collection():
        assert gc.get_threshold() == settings

    assert gc.get_threshold() == settings


def test_cycles_of_the_block_are_collected_in_it(thresholds):
    class Node:
        alive = 0

        def __init__(self):
            Node.alive += 1
            self.own = self

        def __del__(self):
            Node.alive -= 1

    most = 0
    with rare_garbage_collection():
        for _ in range(200_000):
            Node()
            most = max(most, Node.alive)

    assert 1_000 < most < 150_000
