"""Named parameters: every one is used, and every name has one.

Values come as text and are bound, never written into the SQL; the database gives each the type
that its place asks for.

.. seealso:: https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html
"""

from collections.abc import Mapping, Sequence

from include.local.gateway.errors import AwsError
from include.local.gateway.services.redshift_engine.tokens import PARAMETER, SqlError, tokenize


def read_parameters(given: Sequence[Mapping[str, str]], texts: Sequence[str]) -> dict[str, str]:
    """Check parameters against the statements that use them.

    :param given: the parameters of the call.
    :param texts: the statements.
    :returns: value by name.
    :raises AwsError: when one is given twice, not used, or missing.
    """
    values: dict[str, str] = {}
    for one in given:
        if one["name"] in values:
            raise _invalid(f"Parameter {one['name']} is given more than once")
        values[one["name"]] = one["value"]
    used = {name for text in texts for name in names_in(text)}
    unused = [name for name in values if name not in used]
    if unused:
        raise _invalid(
            f"Parameters list contains unused parameters. Unused parameters: [{', '.join(unused)}]"
        )
    missing = sorted(used - set(values))
    if missing and given:
        raise _invalid(
            f"Cannot find parameters: [{', '.join(missing)}]; the statement names them and the "
            "call does not give them"
        )
    return values


def names_in(text: str) -> list[str]:
    """List the parameters that a statement names.

    :param text: the statement.
    :returns: the names, in order; empty for what can't be read, which fails when it runs.
    """
    try:
        return [token.text[1:] for token in tokenize(text) if token.kind == PARAMETER]
    except SqlError:
        return []


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)
