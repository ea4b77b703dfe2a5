"""From expressions of AWS Data Pipeline to Jinja templates of Airflow.

Only what can be said exactly is compiled. Everything else raises, and the task that needs it
becomes a placeholder that fails, so that a path is never quietly another one.
"""

from collections.abc import Mapping

from updraft.datapipeline.expression_checking import nearest_runtime_field, unknown_name
from updraft.datapipeline.expressions import (
    Call,
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
from updraft.datapipeline.model import Definition
from updraft.datapipeline.object_types import is_user_field
from updraft.datapipeline.resolution import Resolved, ResolvedObject
from updraft.migration.compilation_errors import MissingFieldError, NotCompilableError, no_field
from updraft.migration.compiled_texts import RunClock, Scope, Template
from updraft.migration.jinja_functions import (
    compile_call,
    compile_list,
    compile_negation,
    compile_operation,
    compile_texts,
    kind_of,
    number_code,
    require_shallow,
)
from updraft.migration.jinja_text import (
    JinjaCode,
    JinjaText,
    Kind,
    parameter_code,
    require_no_password,
    to_code,
    to_template,
)
from updraft.migration.referenced_objects import referenced_objects
from updraft.migration.runtime_fields import runtime_field

__all__ = ["JinjaCompiler", "RunClock", "Template"]

# Values of a parameter that Jinja prints as they are.
_KINDS: dict[str, Kind] = {"integer": "integer", "double": "number"}
_LISTS: frozenset[Kind] = frozenset({"list", "any"})


class JinjaCompiler:
    """Compiles the texts of one definition.

    :param definition: the definition.
    :param resolved: its objects with inheritance applied.
    :param clock: how a run's scheduled times are said in Jinja.
    :param clocks: by object id, those of objects that have another schedule.
    :param lists: whether a text may be a list, printed as one.
    """

    def __init__(
        self,
        definition: Definition,
        resolved: Resolved,
        clock: RunClock,
        *,
        clocks: Mapping[str, RunClock] | None = None,
        lists: bool = False,
    ) -> None:
        self._definition = definition
        self._resolved = resolved
        self._clock = clock
        self._clocks = clocks or {}
        self._lists = lists

    def compile_text(
        self, text: str, item: ResolvedObject, node: ResolvedObject | None = None
    ) -> Template:
        """Compile the value of a field.

        :param text: the value.
        :param item: the object whose field it is.
        :param node: what an alarm or a precondition belongs to, known to it as ``node``. Such a
            text is rendered in a callback, where the task is over.
        :returns: the template.
        :raises NotCompilableError: when a part of it can't be said exactly.
        """
        return self.compile_parts(parse_text(text), item, node)

    def compile_list(
        self, texts: tuple[str, ...], item: ResolvedObject, node: ResolvedObject | None = None
    ) -> Template | None:
        """Compile the values of a field when lists are among them, such as array parameters.

        :param texts: the values.
        :param item: the object whose field it is.
        :param node: what an alarm or a precondition belongs to.
        :returns: an expression for all of them, without braces; none when each is a text.
        :raises NotCompilableError: when a part of one can't be said exactly.
        """
        scope = Scope(node)
        values = [self._parts(parse_text(text), item, scope) for text in texts]
        if not any(kind_of(one) in _LISTS for one in values):
            return None
        for one in values:
            require_no_password(one)
        whole = compile_texts(values)
        return Template(to_code(whole), None, frozenset(scope.parameters), frozenset(scope.fields))

    def compile_field(self, name: str, item: ResolvedObject) -> Template:
        """Compile a field that has one text.

        :param name: the field's name.
        :param item: an object that has it.
        :returns: the template; its reads are those of the text, without the field itself.
        :raises NotCompilableError: when a part of it can't be said exactly.
        """
        scope = Scope()
        value = self._field(name, item, scope)
        scope.fields.discard((item.fields[name].owner_id, name))
        return self._template(value, scope)

    def require_public(self, name: str) -> None:
        """Make sure that a value may stand in a DAG.

        :param name: the name of a field or parameter.
        :raises NotCompilableError: when it is a secret.
        """
        if self._definition.is_secret(name):
            bare = name.removeprefix("*")
            raise NotCompilableError(f"the secret {bare!r} must come from a connection")

    def compile_parts(
        self,
        parts: tuple[Part, ...],
        item: ResolvedObject,
        node: ResolvedObject | None = None,
        *,
        variables: bool = False,
    ) -> Template:
        """Compile a text that is already cut into parts.

        :param parts: literal parts and expressions.
        :param item: the object whose field it is.
        :param node: what an alarm or a precondition belongs to.
        :param variables: whether a shell reads it, where a variable is no password.
        :returns: the template.
        :raises NotCompilableError: when a part of it can't be said exactly.
        """
        scope = Scope(node)
        return self._template(self._parts(parts, item, scope), scope, variables=variables)

    def _template(self, value: JinjaText, scope: Scope, *, variables: bool = False) -> Template:
        require_no_password(value, variables=variables)
        codes = [piece for piece in value if isinstance(piece, JinjaCode)]
        if not self._lists and any(code.kind in _LISTS for code in codes):
            raise NotCompilableError("a list in a text is not supported: write one text for each")
        return Template(
            text=to_template(value),
            literal=None if codes else "".join(map(str, value)),
            parameters=frozenset(scope.parameters),
            fields=frozenset(scope.fields),
        )

    def _parts(self, parts: tuple[Part, ...], item: ResolvedObject, scope: Scope) -> JinjaText:
        values = [
            (part.text,) if isinstance(part, Verbatim) else self._value(part.tree, item, scope)
            for part in parts
        ]
        listed = any(
            isinstance(piece, JinjaCode) and piece.kind in _LISTS
            for value in values
            for piece in value
        )
        if not listed or len(values) == 1:
            return tuple(piece for value in values for piece in value)
        whole: JinjaText = ("",)
        for value in values:
            whole = compile_operation("+", whole, value)
        return whole

    def _value(self, tree: Expression, item: ResolvedObject, scope: Scope) -> JinjaText:
        match tree:
            case String(text=text):
                return (text,)
            case Number(digits=digits):
                return (number_code(digits),)
            case Name(name=name):
                return self._name(name, item, scope)
            case Secret(name=name):
                raise NotCompilableError(f"the secret {name!r} must come from a connection")
            case Member(target=target, name=name):
                if name.startswith("@") and isinstance(target, Member):
                    raise NotCompilableError(
                        f"a runtime field such as {name} can be read through one reference only"
                    )
                owners = referenced_objects(target, item, scope.node, self._resolved)
                # Of several objects, such as two inputs, those count that have the field.
                having = [one for one in owners if name in one.fields] or owners
                values = [self._member(name, one, scope) for one in having]
                return values[0] if len(values) == 1 else compile_texts(values)
        return require_shallow(self._computed(tree, item, scope))

    def _computed(self, tree: Expression, item: ResolvedObject, scope: Scope) -> JinjaText:
        def value(one: Expression) -> JinjaText:
            return self._value(one, item, scope)

        match tree:
            case Call(function=function, arguments=arguments):
                return compile_call(function, [value(one) for one in arguments])
            case Operation(operator=operator, left=left, right=right):
                return compile_operation(operator, value(left), value(right))
            case Negation(operand=operand):
                return compile_negation(value(operand))
            case ListOf(items=items):
                return compile_list([value(one) for one in items])
        raise NotCompilableError("this expression has no value")

    def _member(self, name: str, owner: ResolvedObject, scope: Scope) -> JinjaText:
        # Evaluated in that object, a name is a field of it or else a parameter.
        if is_user_field(name) and name not in owner.fields:
            return (self._parameter(name, scope, owner),)
        return self._field(name, owner, scope)

    def _name(self, name: str, item: ResolvedObject, scope: Scope) -> JinjaText:
        if name.startswith("@") or name in {"id", "name", "type"} or name in item.fields:
            return self._field(name, item, scope)
        return (self._parameter(name, scope),)

    def _parameter(self, name: str, scope: Scope, owner: ResolvedObject | None = None) -> JinjaCode:
        parameter = self._definition.parameters_by_name.get(name)
        self.require_public(name)
        if parameter is None and name not in self._definition.values_by_name:
            if owner is not None:
                raise no_field(owner.id, name)
            raise MissingFieldError(*unknown_name(name, self._definition))
        scope.parameters.add(name)
        text = parameter_code(name)
        if parameter is None:
            return JinjaCode(text, "text")
        if parameter.is_array:
            return JinjaCode(text, "list")
        given = parameter.default or name in self._definition.values_by_name
        if parameter.optional and not given:
            return JinjaCode(f"({text} or '')", "text")
        return JinjaCode(text, _KINDS.get(parameter.type.casefold(), "text"))

    def _field(self, name: str, item: ResolvedObject, scope: Scope) -> JinjaText:
        inherent = {"id": item.id, "@id": item.id, "name": item.item.name, "type": item.type or ""}
        if name in inherent:
            return (inherent[name],)
        if name not in item.fields and (code := self._runtime_field(name, item, scope)):
            return (code,)
        step = f"{item.id}.{name}"
        if step in scope.path:
            raise MissingFieldError(
                f"The field {step} is defined by itself", "Break the circle of expressions"
            )
        self.require_public(name)
        inherited = item.fields.get(name)
        if inherited is None:
            raise no_field(item.id, name)
        texts = inherited.field.texts
        if inherited.field.references or not texts:
            raise NotCompilableError(f"the reference {step} in a text is not supported yet")
        scope.fields.add((inherited.owner_id, name))
        try:
            values = [self._parts(parse_text(one), item, scope.below(step)) for one in texts]
            return values[0] if len(values) == 1 else compile_texts(values)
        except MissingFieldError as error:
            place = error.place or (inherited.owner_id, name)
            raise MissingFieldError(error.message, error.advice, place) from None

    def _runtime_field(self, name: str, item: ResolvedObject, scope: Scope) -> JinjaCode | None:
        clock = self._clocks.get(item.id, self._clock)
        if name == "@scheduledStartTime":
            return JinjaCode(clock.start, clock.kind)
        if name == "@scheduledEndTime" and clock.end is not None:
            return JinjaCode(clock.end, clock.kind)
        code = runtime_field(name, over=scope.node is not None and item is scope.node)
        if code is None and name.startswith("@"):
            advice = nearest_runtime_field(name)
            raise NotCompilableError(f"the runtime field {name} has no counterpart here{advice}")
        return code
