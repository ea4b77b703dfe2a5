"""Short form of `make soak`: real tasks and the forwarder under fire lose and repeat nothing."""

import os

import pytest

from include.local.soak.report import failures
from include.local.soak.run import Plan, Soak

pytestmark = [pytest.mark.integration, pytest.mark.thorough]


@pytest.mark.timeout(1_200)
def test_each_task_run_has_one_start_and_one_end(tmp_path, monkeypatch):
    # The forwarders' processes inherit what the soak adds to the environment.
    monkeypatch.setattr(os, "environ", os.environ.copy())
    outcome = Soak(tmp_path, Plan(runs=20, kills=8, seed=3), lambda _: None).run()
    assert failures(outcome) == []
    assert len(outcome.comparison.figures) == 5
    assert outcome.forwarders_killed == 8
    assert outcome.tasks_killed > 0
    assert outcome.faults
