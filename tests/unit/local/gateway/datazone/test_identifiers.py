import re

from hypothesis import given
from hypothesis import strategies as st

from include.local.gateway.services.datazone.identifiers import (
    derived_identifier,
    random_identifier,
)

FORM = re.compile("[a-z0-9]{14}")


@given(st.lists(st.text(), max_size=4))
def test_form_and_stability(parts: list[str]) -> None:
    assert FORM.fullmatch(derived_identifier(*parts))
    assert derived_identifier(*parts) == derived_identifier(*parts)


def test_limits_between_parts_matter() -> None:
    assert derived_identifier("a", "bc") != derived_identifier("ab", "c")


def test_random_identifiers_differ() -> None:
    made = {random_identifier() for _ in range(1000)}
    assert len(made) == 1000
    assert all(FORM.fullmatch(one) for one in made)
