"""The schema that was seen."""

from updraft.dynamodb.attributes import ObservedAttributes


def test_all_types_of_an_attribute_are_remembered_across_segments():
    first, second = ObservedAttributes(), ObservedAttributes()
    first.observe([{"b": {"S": "x"}, "a": {"N": "1"}}])
    second.observe([{"b": {"N": "1"}}, {"b": {"S": "y"}}])

    first.add_types(second.types())

    assert first.types() == {"a": ["N"], "b": ["N", "S"]}
    assert list(first.types()) == ["a", "b"]


def test_a_table_with_values_as_names_does_not_fill_the_memory():
    observed = ObservedAttributes(maximum=10)
    for number in range(1000):
        observed.observe([{f"name-{number:04d}": {"S": "x"}}])

    assert len(observed.types()) == 10
