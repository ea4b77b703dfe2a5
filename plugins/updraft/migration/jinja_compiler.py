"""From expressions of AWS Data Pipeline to Jinja templates of Airflow.

Only what can be said exactly is compiled. Everything else raises, and the task that needs it
becomes a placeholder that fails, so that a path is never quietly another one.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from updraft.datapipeline.expression_checking import unknown_name
from updraft.datapipeline.expressions import (
    Call,
    Embedded,
    Expression,
    Member,
    Name,
    Number,
    Operation,
    Part,
    Secret,
    String,
    Verbatim,
    parse_text,
)
from updraft.datapipeline.joda import UntranslatablePatternError, joda_to_strftime
from updraft.datapipeline.model import Definition
from updraft.datapipeline.resolution import Resolved, ResolvedObject
from updraft.migration.compilation_errors import MissingFieldError, NotCompilableError
from updraft.migration.jinja_text import (
    JinjaCode,
    JinjaText,
    is_text,
    jinja_string,
    parameter_code,
    to_template,
)


@dataclass(frozen=True, slots=True)
class RunClock:
    """Jinja expressions for a run's scheduled times.

    :param start: expression for ``@scheduledStartTime``, a ``datetime`` in UTC.
    :param end: expression for ``@scheduledEndTime``, none when it is not known.
    """

    start: str
    end: str | None


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled text.

    :param text: what to write in the DAG.
    :param literal: the plain value when the text holds no expression.
    :param parameters: names of the parameters that it reads.
    :param fields: fields it reads, as pairs of the object they are written on and their name.
    """

    text: str
    literal: str | None
    parameters: frozenset[str]
    fields: frozenset[tuple[str, str]]


@dataclass
class _Reads:
    parameters: set[str] = field(default_factory=set)
    fields: set[tuple[str, str]] = field(default_factory=set)


def _template(value: JinjaText, reads: _Reads) -> Template:
    literal = "".join(piece for piece in value if isinstance(piece, str))
    return Template(
        text=to_template(value),
        literal=literal if all(isinstance(piece, str) for piece in value) else None,
        parameters=frozenset(reads.parameters),
        fields=frozenset(reads.fields),
    )


class JinjaCompiler:
    """Compiles the texts of one definition.

    :param definition: the definition.
    :param resolved: its objects with inheritance applied.
    :param clock: how a run's scheduled times are said in Jinja.
    """

    def __init__(
        self,
        definition: Definition,
        resolved: Resolved,
        clock: RunClock,
    ) -> None:
        self._definition = definition
        self._resolved = resolved
        self._clock = clock
        self._methods: dict[str, Callable[[Call, ResolvedObject, _Reads], JinjaText]] = {
            "format": self._format,
            "midnight": self._instant("{}.replace(hour=0, minute=0, second=0, microsecond=0)"),
            "firstOfMonth": self._instant("{}.replace(day=1)"),
            "yesterday": self._instant("({} - macros.timedelta(days=1))"),
            "dayOfYear": self._number("{}.timetuple().tm_yday"),
        }
        for part in ("year", "month", "day", "hour", "minute"):
            self._methods[part] = self._number(f"{{}}.{part}")
        for unit in ("Minutes", "Hours", "Days", "Weeks"):
            self._methods[f"plus{unit}"] = self._shift("+", unit.lower())
            self._methods[f"minus{unit}"] = self._shift("-", unit.lower())

    def compile_text(self, text: str, item: ResolvedObject) -> Template:
        """Compile the value of a field.

        :param text: the value.
        :param item: the object whose field it is.
        :returns: the template.
        :raises NotCompilableError: when a part of it can't be said exactly.
        """
        return self.compile_parts(parse_text(text), item)

    def compile_field(self, name: str, item: ResolvedObject) -> Template:
        """Compile a field that has one text.

        :param name: the field's name.
        :param item: an object that has it.
        :returns: the template; its reads are those of the text, without the field itself.
        :raises NotCompilableError: when a part of it can't be said exactly.
        """
        reads = _Reads()
        value = self._field(name, item, reads, ())
        reads.fields.discard((item.fields[name].owner_id, name))
        return _template(value, reads)

    def require_public(self, name: str) -> None:
        """Make sure that a value may stand in a DAG.

        :param name: the name of a field or parameter.
        :raises NotCompilableError: when it is a secret.
        """
        if self._definition.is_secret(name):
            bare = name.removeprefix("*")
            raise NotCompilableError(f"the secret {bare!r} must come from a connection")

    def compile_parts(self, parts: tuple[Part, ...], item: ResolvedObject) -> Template:
        """Compile a text that is already cut into parts.

        :param parts: literal parts and expressions.
        :param item: the object whose field it is.
        :returns: the template.
        :raises NotCompilableError: when a part of it can't be said exactly.
        """
        reads = _Reads()
        return _template(self._parts(parts, item, reads, ()), reads)

    def _parts(
        self, parts: tuple[Part, ...], item: ResolvedObject, reads: _Reads, path: tuple[str, ...]
    ) -> JinjaText:
        pieces: list[str | JinjaCode] = []
        for part in parts:
            match part:
                case Verbatim(text=text):
                    pieces.append(text)
                case Embedded(tree=tree):
                    pieces.extend(self._value(tree, item, reads, path))
        return tuple(pieces)

    def _value(
        self, tree: Expression, item: ResolvedObject, reads: _Reads, path: tuple[str, ...] = ()
    ) -> JinjaText:
        match tree:
            case String(text=text):
                return (text,)
            case Number(digits=digits):
                return (JinjaCode(digits, "number"),)
            case Name(name=name):
                return self._name(name, item, reads, path)
            case Member(target=target, name=name):
                owner = self._object(target, item)
                return self._field(name, owner, reads, path)
            case Call(function=function):
                method = self._methods.get(function)
                if method is None:
                    raise NotCompilableError(f"the function {function}() is not supported yet")
                return method(tree, item, reads)
            case Operation(operator="+", left=left, right=right):
                return self._concatenation(
                    self._value(left, item, reads, path), self._value(right, item, reads, path)
                )
            case Secret(name=name):
                self.require_public(name)
        raise NotCompilableError("arithmetic and lists in expressions are not supported yet")

    def _name(
        self, name: str, item: ResolvedObject, reads: _Reads, path: tuple[str, ...]
    ) -> JinjaText:
        if name.startswith("@") or name in {"id", "name", "type"} or name in item.fields:
            return self._field(name, item, reads, path)
        return (self._parameter(name, reads),)

    def _parameter(self, name: str, reads: _Reads) -> JinjaCode:
        parameter = self._definition.parameters_by_name.get(name)
        self.require_public(name)
        if parameter is None and name not in self._definition.values_by_name:
            raise MissingFieldError(*unknown_name(name, self._definition))
        if parameter is not None and parameter.is_array:
            raise NotCompilableError(f"the list {name!r} in a text is not supported yet")
        reads.parameters.add(name)
        text = parameter_code(name)
        if (
            parameter is not None
            and parameter.optional
            and not parameter.default
            and name not in self._definition.values_by_name
        ):
            text = f"{text} or ''"
        numeric = parameter is not None and parameter.type.casefold() in {"integer", "double"}
        return JinjaCode(text, "number" if numeric else "text")

    def _field(
        self, name: str, item: ResolvedObject, reads: _Reads, path: tuple[str, ...]
    ) -> JinjaText:
        if name.startswith("@"):
            return (self._runtime_field(name),)
        inherent = {"id": item.id, "name": item.item.name, "type": item.type or ""}
        if name in inherent:
            return (inherent[name],)
        step = f"{item.id}.{name}"
        if step in path:
            raise MissingFieldError(
                f"The field {step} is defined by itself", "Break the circle of expressions"
            )
        self.require_public(name)
        inherited = item.fields.get(name)
        if inherited is None:
            raise MissingFieldError(
                f"{item.id} has no field {name!r}", "Add the field, or correct its name"
            )
        text = inherited.field.text
        if text is None:
            raise NotCompilableError(f"the list or reference {step} in a text is not supported yet")
        reads.fields.add((inherited.owner_id, name))
        try:
            return self._parts(parse_text(text), item, reads, (*path, step))
        except MissingFieldError as error:
            place = error.place or (inherited.owner_id, name)
            raise MissingFieldError(error.message, error.advice, place) from None

    def _runtime_field(self, name: str) -> JinjaCode:
        if name == "@scheduledStartTime":
            return JinjaCode(self._clock.start, "instant")
        if name == "@scheduledEndTime" and self._clock.end is not None:
            return JinjaCode(self._clock.end, "instant")
        if name == "@pipelineId":
            return JinjaCode("dag.dag_id", "text")
        raise NotCompilableError(f"the runtime field {name} has no counterpart here")

    def _object(self, tree: Expression, item: ResolvedObject) -> ResolvedObject:
        if isinstance(tree, Name):
            owner, name = item, tree.name
        elif isinstance(tree, Member):
            owner, name = self._object(tree.target, item), tree.name
        else:
            raise NotCompilableError("only references have fields")
        if name == "node" and "node" not in owner.fields:
            raise NotCompilableError("'node' is known only to alarms and preconditions")
        references = owner.references(name)
        if not references:
            raise MissingFieldError(
                f"{owner.id} has no reference {name!r}",
                f"Add the field {name!r} with a reference to an object",
            )
        if len(references) > 1:
            raise NotCompilableError(f"{owner.id}.{name} refers to several objects")
        if references[0] not in self._resolved:
            raise NotCompilableError(f"{owner.id}.{name} refers to an object that does not exist")
        return self._resolved[references[0]]

    def _concatenation(self, left: JinjaText, right: JinjaText) -> JinjaText:
        if any(is_text(value) for value in (left, right)):
            return (*left, *right)
        raise NotCompilableError("arithmetic in expressions is not supported yet")

    def _instant_argument(self, call: Call, item: ResolvedObject, reads: _Reads) -> str:
        value = self._value(call.arguments[0], item, reads)
        if len(value) == 1 and isinstance(value[0], JinjaCode) and value[0].kind == "instant":
            return value[0].text
        raise NotCompilableError(f"{call.function}() of a text is not supported yet")

    def _format(self, call: Call, item: ResolvedObject, reads: _Reads) -> JinjaText:
        instant = self._instant_argument(call, item, reads)
        pattern = self._value(call.arguments[1], item, reads)
        if not all(isinstance(piece, str) for piece in pattern):
            raise NotCompilableError("a date pattern that is not fixed is not supported yet")
        text = "".join(piece for piece in pattern if isinstance(piece, str))
        try:
            directives = joda_to_strftime(text)
        except UntranslatablePatternError as error:
            raise NotCompilableError(str(error)) from error
        return (JinjaCode(f"{instant}.strftime({jinja_string(directives)})", "text"),)

    def _instant(self, form: str) -> Callable[[Call, ResolvedObject, _Reads], JinjaText]:
        def compile_call(call: Call, item: ResolvedObject, reads: _Reads) -> JinjaText:
            return (JinjaCode(form.format(self._instant_argument(call, item, reads)), "instant"),)

        return compile_call

    def _number(self, form: str) -> Callable[[Call, ResolvedObject, _Reads], JinjaText]:
        def compile_call(call: Call, item: ResolvedObject, reads: _Reads) -> JinjaText:
            return (JinjaCode(form.format(self._instant_argument(call, item, reads)), "number"),)

        return compile_call

    def _shift(
        self, operator: str, unit: str
    ) -> Callable[[Call, ResolvedObject, _Reads], JinjaText]:
        def compile_call(call: Call, item: ResolvedObject, reads: _Reads) -> JinjaText:
            instant = self._instant_argument(call, item, reads)
            count = self._value(call.arguments[1], item, reads)
            if len(count) != 1 or not isinstance(count[0], JinjaCode) or count[0].kind != "number":
                raise NotCompilableError(f"{call.function}() by a text is not supported yet")
            shifted = f"({instant} {operator} macros.timedelta({unit}={count[0].text}))"
            return (JinjaCode(shifted, "instant"),)

        return compile_call
