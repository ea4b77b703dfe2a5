"""Places of nodes: what follows stands further right, and nothing overlaps."""

from hypothesis import given, settings
from hypothesis import strategies as st

from updraft.lineage.graph_layout import lay_out


def _goes_right(boxes, edges):
    return all(boxes[one].x + boxes[one].width <= boxes[other].x for one, other in edges)


def test_a_node_that_two_lead_to_stands_right_of_both():
    edges = [("default", "alarm"), ("machine", "alarm"), ("machine", "task")]
    sizes = dict.fromkeys(("default", "alarm", "machine", "task"), (100.0, 40.0))
    assert _goes_right(lay_out(sizes, edges), edges)


@settings(max_examples=60, deadline=None)
@given(
    st.permutations(range(9)),
    st.sets(st.tuples(st.integers(0, 8), st.integers(0, 8)).filter(lambda pair: pair[0] < pair[1])),
)
def test_edges_without_circles_go_right_and_nodes_keep_apart(order, edges):
    boxes = lay_out({node: (50.0 + 10 * node, 30.0) for node in order}, sorted(edges), 20.0, 5.0)
    assert _goes_right(boxes, edges)
    places = sorted(boxes.values())
    for number, one in enumerate(places):
        for other in places[number + 1 :]:
            apart_across = one.x + one.width <= other.x or other.x + other.width <= one.x
            apart_down = (
                one.y + one.height <= other.y + 1e-6 or other.y + other.height <= one.y + 1e-6
            )
            assert apart_across or apart_down


def test_a_circle_is_drawn_all_the_same():
    sizes = dict.fromkeys("abc", (50.0, 30.0))
    boxes = lay_out(sizes, [("a", "b"), ("b", "c"), ("c", "a"), ("a", "a")])
    assert len({box.x for box in boxes.values()}) == 3
