"""Conditions on rows, as a file has them and as CreateAssetFilter takes them."""

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, model_validator

from updraft.choices import require_choice
from updraft.errors import UpdraftError

_COMPARISONS = {
    "=": "equalTo",
    "!=": "notEqualTo",
    ">": "greaterThan",
    "<": "lessThan",
    ">=": "greaterThanOrEqualTo",
    "<=": "lessThanOrEqualTo",
    "like": "like",
    "not like": "notLike",
}
_SETS = {"in": "in", "not in": "notIn"}
_NULLS = {"is null": "isNull", "is not null": "isNotNull"}
OPERATORS = (*_COMPARISONS, *_SETS, *_NULLS)

Value = str | int | float | bool


class RowCondition(BaseModel):
    """One condition, or several of which all or any have to hold.

    :param all: conditions that all have to hold.
    :param any: conditions of which one has to hold.
    :param column: name of the column that a single condition is about.
    :param operator: one of :data:`OPERATORS`.
    :param value: what the column is compared with.
    :param values: the same for ``in`` and ``not in``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    all: tuple["RowCondition", ...] | None = None
    any: tuple["RowCondition", ...] | None = None
    column: str | None = None
    operator: str = "="
    value: Value | None = None
    values: tuple[Value, ...] | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        given = [name for name in ("all", "any", "column") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"give one of 'all', 'any' and 'column', not {_listed(given)}")
        if self.column is None:
            if self.model_fields_set != {given[0]}:
                raise ValueError(f"beside {given[0]!r} nothing else can stand")
            if not getattr(self, given[0]):
                raise ValueError(f"{given[0]!r} is empty")
            return self
        try:
            require_choice("operator", self.operator, OPERATORS)
        except UpdraftError as error:
            raise ValueError(str(error)) from None
        self._require_operands()
        return self

    def _require_operands(self) -> None:
        needed = "value" if self.operator in _COMPARISONS else None
        needed = "values" if self.operator in _SETS else needed
        for name in ("value", "values"):
            is_given = getattr(self, name) is not None
            if is_given and name != needed:
                raise ValueError(f"operator {self.operator!r} takes no {name!r}")
            if name == needed and not is_given:
                raise ValueError(f"operator {self.operator!r} needs {name!r}")
        if self.values == ():
            raise ValueError("'values' is empty")

    def as_row_filter(self) -> dict[str, Any]:
        """Write it as the API has it.

        :returns: a ``RowFilter``.
        """
        if self.all is not None:
            return {"and": [one.as_row_filter() for one in self.all]}
        if self.any is not None:
            return {"or": [one.as_row_filter() for one in self.any]}
        operands: dict[str, Any] = {"columnName": self.column}
        if self.operator in _COMPARISONS:
            operands["value"] = _text(self.value)
        elif self.operator in _SETS:
            operands["values"] = [_text(value) for value in self.values or ()]
        name = {**_COMPARISONS, **_SETS, **_NULLS}[self.operator]
        return {"expression": {name: operands}}

    def text(self) -> str:
        """Write it for people.

        :returns: such as ``category = Laptops``.
        """
        if self.column is None:
            word, parts = ("and", self.all) if self.all is not None else ("or", self.any)
            return "(" + f" {word} ".join(part.text() for part in parts or ()) + ")"
        operands = [_text(value) for value in self.values or ()]
        if self.value is not None:
            operands = [_text(self.value)]
        return " ".join([self.column, self.operator, ", ".join(operands)]).rstrip()


def _text(value: Value | None) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _listed(names: list[str]) -> str:
    return " and ".join(map(repr, names)) or "none"
