"""From each state of a cluster to each goal."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from updraft.errors import UpdraftError
from updraft.redshift.capacity_goal import IF_PAUSED, CapacityGoal, WantedSize
from updraft.redshift.clusters import AVAILABLE, PAUSED, Cluster, ClusterSize, require_identifier

STATES = st.sampled_from((AVAILABLE, PAUSED))
TYPES = st.sampled_from(("ra3.large", "ra3.xlplus"))
SIZES = st.builds(ClusterSize, TYPES, st.integers(1, 4))
WANTED = st.builds(WantedSize, st.none() | TYPES, st.none() | st.integers(1, 4))


@settings(max_examples=100)
@given(
    STATES,
    SIZES,
    st.builds(CapacityGoal, st.none() | STATES, st.none() | WANTED, st.sampled_from(IF_PAUSED)),
)
def test_each_goal_is_reached_without_detours(state, size, goal):
    wanted = goal.size.of(size) if goal.size else size
    try:
        actions = list(goal.actions(state, size))
    except UpdraftError:
        assert (state, goal.state, goal.if_paused) == (PAUSED, None, "fail")
        assert wanted != size
        return
    assert len(actions) == len(set(actions))
    assert ("resize" in actions) == (
        wanted != size
        and (state == AVAILABLE or goal.state is not None or goal.if_paused == "resume")
    )
    end = state
    for action in actions:
        assert action != "resize" or end == AVAILABLE
        end = {"pause": PAUSED, "resume": AVAILABLE}.get(action, end)
    if goal.state is not None:
        assert end == goal.state
    if wanted == size and goal.state in {None, state}:
        assert actions == []


@given(SIZES)
def test_a_size_survives_a_tag(size):
    assert ClusterSize.parse(size.code()) == size


@pytest.mark.parametrize(
    ("status", "is_settled", "settles_as", "is_trouble"),
    [
        ("available", True, "available", False),
        ("available, prep-for-resize", False, "available", False),
        ("available, resize-cleanup", False, "available", False),
        ("pausing", False, "paused", False),
        ("resuming", False, "available", False),
        ("storage-full", False, "available", True),
        ("final-snapshot", False, "available", True),
    ],
)
def test_states_of_a_cluster(status, is_settled, settles_as, is_trouble):
    description = {
        "ClusterIdentifier": "sales",
        "ClusterStatus": status,
        "NodeType": "ra3.large",
        "NumberOfNodes": 2,
        "PendingModifiedValues": {"NumberOfNodes": 4},
        "ClusterNamespaceArn": "arn:aws-cn:redshift:cn-north-1:123456789012:namespace:5a",
    }
    cluster = Cluster.of(description)
    found = (cluster.is_settled, cluster.settles_as, cluster.trouble is not None)
    assert found == (is_settled, settles_as, is_trouble)
    assert cluster.next_size == ClusterSize("ra3.large", 4)
    assert cluster.arn() == "arn:aws-cn:redshift:cn-north-1:123456789012:cluster:sales"


@pytest.mark.parametrize("name", ["", "Sales", "1a", "a--b", "a-", "a" * 64, "a\n", None, "ä"])
def test_names_that_no_cluster_has(name):
    with pytest.raises(UpdraftError, match="cluster_identifier"):
        require_identifier(name)
