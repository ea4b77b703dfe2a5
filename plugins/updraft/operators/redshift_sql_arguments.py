"""What the arguments of an operator for SQL mean: statements, their values, and where rows go."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self

from updraft.choices import choose, unknown_choice
from updraft.errors import UpdraftError
from updraft.redshift.literals import literal
from updraft.redshift.script import for_transaction, read_script
from updraft.redshift.statement import RedshiftStatement, inlined
from updraft.s3_uri import parse_s3_uri
from updraft.sql_lineage.scanning import Statement
from updraft.sql_parameters import named_places, positional_places, with_names

FORMATS = {"CSV": "CSV HEADER", "JSON": "JSON", "PARQUET": "PARQUET"}
_QUERIES = frozenset({"SELECT", "WITH", "("})
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+", re.ASCII)


@dataclass(frozen=True)
class Result:
    """Where the rows of the last query go.

    :param max_rows: most rows that go to XCom, 0 for none.
    :param truncate: whether more are left out.
    :param uri: where they are unloaded to instead.
    :param form: ``CSV``, ``JSON`` or ``PARQUET``.
    :param overwrite: whether what is there is removed first.
    :param role: role that writes to S3.
    """

    max_rows: int
    truncate: bool
    uri: str | None
    form: str
    overwrite: bool
    role: str

    @classmethod
    def parse(
        cls,
        *,
        max_rows: int | str,
        truncate: bool,
        uri: str | None,
        form: str,
        overwrite: bool,
        role: str,
    ) -> Self:
        """Check the arguments; they are the fields.

        :raises UpdraftError: when one is wrong.
        """
        if not re.fullmatch(r"\d{1,9}", str(max_rows)):
            raise UpdraftError(f"max_rows: {max_rows!r} is no number of rows, such as 1000")
        choose("result_format", form, FORMATS)
        roles = role.split(",")
        if role != "default" and not all(map(_ROLE.fullmatch, roles)):
            raise UpdraftError(
                f"iam_role: {role!r} is neither 'default' nor like "
                "arn:aws:iam::123456789012:role/redshift"
            )
        if uri is not None and not parse_s3_uri(uri).key.strip("/"):
            raise UpdraftError(
                f"result_uri: {uri!r} has no prefix; a result needs one of its own, such as "
                "s3://bucket/results/orders"
            )
        return cls(int(max_rows), truncate, uri, form, overwrite, role)

    def unload(self, query: RedshiftStatement) -> RedshiftStatement:
        """Make the statement that writes the rows of a query to S3.

        No parameter is bound in what UNLOAD takes in quotes, so values become literals there.

        :param query: the query.
        :returns: the statement.
        :raises UpdraftError: when values and parameters don't match.
        """
        role = "default" if self.role == "default" else literal(self.role)
        prefix = f"{str(self.uri).rstrip('/')}/"
        words = [
            f"UNLOAD ({literal(inlined(query))})",
            f"TO {literal(prefix)}",
            f"IAM_ROLE {role}",
            f"FORMAT {FORMATS[self.form]}",
            *(["CLEANPATH"] if self.overwrite else []),
        ]
        return RedshiftStatement(" ".join(words))


def statements_of(
    script: str | Sequence[str],
    named: Mapping[str, object],
    positional: Sequence[object] | None,
    *,
    transaction: bool,
    result: Result,
) -> list[RedshiftStatement]:
    """Make statements of a script and its values.

    :param script: a script, or a list of statements.
    :param named: value by name of a parameter.
    :param positional: values for question marks, in order; ``None`` when there are none.
    :param transaction: whether the statements are one transaction.
    :param result: where the rows of the last query go.
    :returns: the statements, each with the values that it uses.
    :raises UpdraftError: when the script can't be read, or values and parameters don't match.
    """
    text = script if isinstance(script, str) else _joined(script)
    values = dict(named)
    if positional is not None or positional_places(text):
        text, numbered = with_names(text, positional or ())
        both = sorted(set(numbered) & set(values))
        if both:
            raise UpdraftError(f"parameters: {both[0]!r} is the name of a script argument")
        values |= numbered
    parsed = read_script(text)
    if transaction:
        parsed = for_transaction(parsed)
    made = [_with_values(one, values) for one in parsed]
    unused = sorted(set(values) - {name for one in made for name in one.parameters})
    if unused:
        raise UpdraftError(
            f"parameters: no statement uses {', '.join(f':{name}' for name in unused)}; write it, "
            "not quoted, where the value goes"
        )
    if result.uri is not None:
        last = next(
            (index for index in reversed(range(len(made))) if _is_query(parsed[index])), None
        )
        if last is None:
            raise UpdraftError("result_uri: no statement is a query, whose rows could go there")
        made[last] = result.unload(made[last])
    return made


def named_arguments(given: Mapping[str, object] | str | None) -> dict[str, object]:
    """Read parameters, or their JSON.

    :param given: the argument.
    :returns: value by name.
    :raises UpdraftError: when it is nothing of the kind.
    """
    found = _loaded("parameters", given, {})
    if not isinstance(found, Mapping):
        raise UpdraftError(f"parameters: {given!r} is no object such as {{'day': '2026-11-02'}}")
    return dict(found)


def positional_arguments(given: Sequence[object] | str | None) -> list[object] | None:
    """Read the arguments of a legacy script, or their JSON.

    :param given: the argument.
    :returns: the values, ``None`` when there are none.
    :raises UpdraftError: when it is nothing of the kind.
    """
    found = _loaded("script_arguments", given, None)
    if found is not None and not isinstance(found, list | tuple):
        raise UpdraftError(f"script_arguments: {given!r} is no list such as ['2026-11-02', 5]")
    return list(found) if found else None


def _loaded(argument: str, given: Any, empty: Any) -> Any:
    if given is None or given in ("", "None"):
        return empty
    if not isinstance(given, str):
        return given
    try:
        return json.loads(given, parse_float=Decimal)
    except ValueError as error:
        raise UpdraftError(f"{argument}: {given!r} is not JSON: {error}") from None


def _joined(scripts: Sequence[str]) -> str:
    """Join statements, each of which has to be closed in itself."""
    for one in scripts:
        read_script(one)
    return "\n;\n".join(scripts)


def _with_values(statement: Statement, values: Mapping[str, object]) -> RedshiftStatement:
    names = {place.name for place in named_places(statement.text)}
    missing = sorted(names - set(values))
    if missing:
        raise unknown_choice(f"line {statement.line}: parameter", missing[0], values)
    return RedshiftStatement(statement.text, {name: values[name] for name in sorted(names)})


def _is_query(statement: Statement) -> bool:
    return statement.words[0].keyword in _QUERIES
