"""The value of expressions, for reports, schedules and the shell."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from updraft.datapipeline.date_functions import call_function
from updraft.datapipeline.expression_checking import nearest_runtime_field, unknown_name
from updraft.datapipeline.expression_values import (
    Scalar,
    Value,
    as_number,
    flatten,
    negate,
    operate,
)
from updraft.datapipeline.expressions import (
    Call,
    Embedded,
    Expression,
    ListOf,
    Member,
    Name,
    Negation,
    Number,
    Operation,
    Part,
    Secret,
    String,
    Verbatim,
    parse_text,
)
from updraft.datapipeline.functions import function_problems
from updraft.datapipeline.model import Definition, Text
from updraft.datapipeline.object_types import is_user_field
from updraft.datapipeline.resolution import Resolved, ResolvedObject
from updraft.errors import UpdraftError

_NUMERIC_TYPES = {"integer", "double"}


class EvaluationError(UpdraftError):
    """An expression has no value; the text says why."""


@contextmanager
def _depth_limit() -> Iterator[None]:
    try:
        yield
    except RecursionError:
        raise EvaluationError("Fields and expressions are nested too deeply") from None


def is_component(tree: Expression, item: ResolvedObject) -> bool:
    """Tell whether an expression means the object itself, as the definition has it.

    What runs is an instance, whose ``parent`` is the component that the definition describes
    (guide, "Special Characters" and "Expression Evaluation": ``#{parent.@id}``).

    :param tree: an expression before a dot.
    :param item: the object whose field it stands in.
    :returns: true for ``parent`` of an object that has no parent of its own.
    """
    return isinstance(tree, Name) and tree.name == "parent" and "parent" not in item.fields


class Evaluator:
    """Evaluates the texts of one definition.

    Parameters have the values given with the definition, else their defaults.

    :param definition: the definition.
    :param resolved: its objects with inheritance applied.
    :param runtime: values of runtime fields, such as ``@scheduledStartTime``.
    :param node: the object that an alarm or a precondition belongs to, when it is one of theirs.
    :param reads_secrets: whether secrets have values; false for what is shown to people.
    """

    def __init__(
        self,
        definition: Definition,
        resolved: Resolved,
        runtime: Mapping[str, Value],
        node: ResolvedObject | None = None,
        *,
        reads_secrets: bool = True,
    ) -> None:
        self._definition = definition
        self._resolved = resolved
        self._runtime = runtime
        self._node = node
        self._reads_secrets = reads_secrets

    def evaluate_text(self, text: str, item: ResolvedObject) -> Value:
        """Evaluate a text in the place of a field.

        :param text: the text.
        :param item: the object whose field it is.
        :returns: its value; a text, unless it is nothing but one expression.
        :raises UpdraftError: when it can't be read or has no value.
        """
        with _depth_limit():
            return self._text(text, item, ())

    def evaluate_field(self, name: str, item: ResolvedObject) -> Value:
        """Evaluate a field of an object.

        :param name: the field.
        :param item: an object.
        :returns: the value, a list when the field has several.
        :raises UpdraftError: when there is no such field or it has no value.
        """
        with _depth_limit():
            return self._field(name, item, ())

    def _text(self, text: str, item: ResolvedObject, path: tuple[str, ...]) -> Value:
        parts = parse_text(text)
        if len(parts) == 1 and isinstance(parts[0], Embedded):
            return self._part(parts[0], item, path)
        whole: Value = ""
        for part in parts:
            whole = operate("+", whole, self._part(part, item, path))
        return whole

    def _part(self, part: Part, item: ResolvedObject, path: tuple[str, ...]) -> Value:
        if isinstance(part, Verbatim):
            return part.text
        for message, advice in function_problems(part.tree):
            raise EvaluationError(f"{message}. {advice}")
        return self._value(part.tree, item, path)

    def _value(self, tree: Expression, item: ResolvedObject, path: tuple[str, ...]) -> Value:
        match tree:
            case String(text=text):
                return text
            case Number(digits=digits):
                return as_number(digits)
            case Name(name=name) | Secret(name=name):
                return self._name(name, item, path)
            case Member(target=target, name=name):
                owners = self._objects(target, item)
                if name.startswith("@") and isinstance(target, Member):
                    raise EvaluationError(
                        f"A runtime field such as {name} can be read through one reference only"
                    )
                # Of several objects, such as two inputs, those count that have the field.
                having = [one for one in owners if name in one.fields] or owners
                read = [self._member(name, one, path) for one in having]
                values = flatten(read)
                return values[0] if len(values) == 1 else values
        return self._computed(tree, item, path)

    def _computed(self, tree: Expression, item: ResolvedObject, path: tuple[str, ...]) -> Value:
        match tree:
            case Call(function=function, arguments=arguments):
                values = [self._value(one, item, path) for one in arguments]
                return call_function(function, *values)
            case Operation(operator=operator, left=left, right=right):
                return operate(
                    operator, self._value(left, item, path), self._value(right, item, path)
                )
            case Negation(operand=operand):
                return negate(self._value(operand, item, path))
            case ListOf(items=items):
                return flatten([self._value(one, item, path) for one in items])
        raise EvaluationError("This expression has no value")

    def _name(self, name: str, item: ResolvedObject, path: tuple[str, ...]) -> Value:
        self._check_secret(name)
        if self._is_field(name, item):
            return self._field(name, item, path)
        parameter = self._definition.parameters_by_name.get(name)
        given = self._definition.values_by_name.get(name)
        if parameter is None and given is None:
            message, advice = unknown_name(name, self._definition)
            raise EvaluationError(f"{message}. {advice}")
        texts = given.values if given is not None else parameter.default if parameter else ()
        numeric = parameter is not None and parameter.type.casefold() in _NUMERIC_TYPES
        values: list[Scalar] = [as_number(one) if numeric else one for one in texts]
        if parameter is not None and parameter.is_array:
            return values
        if not values and parameter is not None and parameter.optional:
            return ""
        if not values:
            raise EvaluationError(f"The parameter {name!r} has neither a value nor a default")
        return values[0] if len(values) == 1 else values

    def _member(self, name: str, owner: ResolvedObject, path: tuple[str, ...]) -> Value:
        """Read a name in another object: a field of it, else a parameter that users named."""
        known = self._definition.parameters_by_name.keys() | self._definition.values_by_name.keys()
        if is_user_field(name) and not self._is_field(name, owner) and name in known:
            return self._name(name, owner, path)
        return self._field(name, owner, path)

    def _is_field(self, name: str, item: ResolvedObject) -> bool:
        return (
            name.startswith("@")
            or name in {"id", "name", "type"}
            or name in item.fields
            or f"*{name}" in item.fields
            or name in self._runtime
        )

    def _check_secret(self, name: str) -> None:
        if not self._reads_secrets and self._definition.is_secret(name):
            raise EvaluationError(f"{name} is a secret")

    def _field(self, name: str, item: ResolvedObject, path: tuple[str, ...]) -> Value:
        self._check_secret(name)
        given: dict[str, str] = {
            "id": item.id,
            "@id": item.id,
            "name": item.item.name,
            "type": item.type or "",
        }
        if name in given:
            return given[name]
        inherited = item.fields.get(name) or item.fields.get(f"*{name}")
        if inherited is None:
            return self._runtime_field(name, item)
        step = f"{item.id}.{name}"
        if step in path:
            raise EvaluationError(f"The field {step} is defined by itself")
        values: list[Value] = []
        for value in inherited.field.values:
            if not isinstance(value, Text):
                raise EvaluationError(
                    f"{step} refers to an object: name one of its fields, as in {name}.name"
                )
            values.append(self._text(value.text, item, (*path, step)))
        return values[0] if len(values) == 1 else flatten(values)

    def _runtime_field(self, name: str, item: ResolvedObject) -> Value:
        if name in self._runtime:
            return self._runtime[name]
        if name.startswith("@"):
            advice = nearest_runtime_field(name)
            raise EvaluationError(f"The runtime field {name} has no value here{advice}")
        raise EvaluationError(f"{item.id} has no field {name!r}")

    def _objects(self, tree: Expression, item: ResolvedObject) -> list[ResolvedObject]:
        match tree:
            case Name(name=name):
                owners = [item]
            case Member(target=target, name=name):
                owners = self._objects(target, item)
            case _:
                raise EvaluationError("Only references have fields")
        if name == "node" and isinstance(tree, Name) and "node" not in item.fields:
            if self._node is None:
                raise EvaluationError("'node' is known only to alarms and preconditions")
            return [self._node]
        if is_component(tree, item):
            return [item]
        found = [
            self._resolved[one]
            for owner in owners
            for one in owner.references(name)
            if one in self._resolved
        ]
        if not found:
            raise EvaluationError(f"{owners[0].id} has no reference {name!r}")
        return found
