"""Terraform's expressions: worked out where the configuration says enough.

What only a state file or a provider knows becomes an open value (Terraform's guide,
"Expressions").
"""

from collections.abc import Callable, Mapping

from updraft.datapipeline.findings import Position
from updraft.datapipeline.hcl_text import (
    Node,
    heredoc,
    json_value,
    parse_expression,
    reference_path,
    token_text,
    trees,
    unescaped,
)
from updraft.datapipeline.json_text import (
    JsonArray,
    JsonMember,
    JsonObject,
    JsonScalar,
    JsonSyntaxError,
    JsonValue,
    depth_of,
    joined,
    plain,
)
from updraft.datapipeline.open_values import Numbering, OpenValue, Part
from updraft.datapipeline.positioned_values import (
    from_plain,
    has_secret,
    is_known,
    item_of,
    pairs_of,
)
from updraft.datapipeline.terraform_functions import call, operate
from updraft.datapipeline.terraform_templates import Interpolation, template_parts

Scope = Mapping[str, JsonValue]
LookUp = Callable[[tuple[str, ...], Position], JsonValue]
LeaveOpen = Callable[[OpenValue, Position], JsonScalar]
_Handler = Callable[[Node, Position, Scope], JsonValue]
_DEEPEST = 50
# Texts that are made of one another grow fast; the service takes 10,240 bytes.
_LONGEST_TEXT = 50_000


class Evaluator:
    """Works out values.

    :param look_up: gives the value of a path such as ``("var", "bucket")``.
    :param leave_open: gives the text for a value that is not known.
    """

    def __init__(self, look_up: LookUp, leave_open: LeaveOpen) -> None:
        self._look_up = look_up
        self._leave_open = leave_open
        self._depth = 0
        self._numbering = Numbering()
        self._handlers: dict[str, _Handler] = {
            "binary_op": self._binary,
            "conditional": self._conditional,
            "float_lit": self._number,
            "for_object_expr": self._for,
            "for_tuple_expr": self._for,
            "function_call": self._function,
            "heredoc_template": self._heredoc,
            "heredoc_template_trim": self._heredoc,
            "index_expr_term": self._index,
            "int_lit": self._number,
            "literal_value": self._number,
            "object": self._object,
            "string": self._string,
            "tuple": self._tuple,
            "unary_op": self._unary,
        }

    def value(self, value: JsonValue, scope: Scope) -> JsonValue:
        """Work out all expressions in a value.

        :param value: a value of the configuration.
        :param scope: names that hold here only, such as ``each``.
        :returns: the value without expressions.
        """
        if isinstance(value, JsonArray):
            items = tuple(self.value(item, scope) for item in value.items)
            return JsonArray(items, value.position, depth_of(items))
        if isinstance(value, JsonObject):
            members = tuple(
                JsonMember(self._key(one, scope), self.value(one.value, scope), one.position)
                for one in value.members
            )
            return JsonObject(members, value.position, depth_of(one.value for one in members))
        if not isinstance(value.value, str) or ("${" not in value.text and "%{" not in value.text):
            return value
        return self._template(value.text, value.position, scope)

    def _key(self, member: JsonMember, scope: Scope) -> str:
        if "${" not in member.key:
            return member.key
        found = self._template(member.key, member.position, scope)
        return found.text if isinstance(found, JsonScalar) else member.key

    def _template(self, text: str, position: Position, scope: Scope) -> JsonValue:
        parts = template_parts(text)
        if parts is None:
            return self._unknown("template", text, position)
        if len(parts) == 1 and isinstance(parts[0], Interpolation):
            return self._expression(parts[0].expression, position, scope)
        spliced: list[Part] = []
        for part in parts:
            if isinstance(part, str):
                spliced.append(part)
                continue
            found = self._expression(part.expression, position, scope)
            if not isinstance(found, JsonScalar):
                found = self._unknown("expression", part.expression, position)
            spliced.extend(found.all_parts)
        lengths = (len(part if isinstance(part, str) else part.name) for part in spliced)
        if sum(lengths) > _LONGEST_TEXT:
            return self._unknown("template", text, position)
        return joined(spliced, position)

    def _expression(self, text: str, position: Position, scope: Scope) -> JsonValue:
        if self._depth > _DEEPEST:
            return self._unknown("expression", text, position)
        self._depth += 1
        try:
            return self._node(parse_expression(text), position, scope)
        except (JsonSyntaxError, RecursionError):
            return self._unknown("expression", text, position)
        finally:
            self._depth -= 1

    def _unknown(
        self, what: str, key: Node | str, position: Position, *made_of: JsonValue
    ) -> JsonScalar:
        name = self._numbering.name(what, str(key))
        origin = f"the {what} on line {position.line} of the Terraform configuration"
        secret = any(has_secret(one) for one in made_of)
        return self._leave_open(OpenValue(name, origin, secret=secret), position)

    def _node(self, node: Node, position: Position, scope: Scope) -> JsonValue:
        path = reference_path(node)
        if path is not None:
            return self._at(path, position, scope)
        handler = self._handlers.get(str(node.data))
        if handler is not None:
            return handler(node, position, scope)
        inner = trees(node)
        if node.data == "expr_term" and len(inner) == 1:
            return self._node(inner[0], position, scope)
        return self._unknown("expression", node, position)

    def _at(self, path: tuple[str, ...], position: Position, scope: Scope) -> JsonValue:
        if path[0] not in scope:
            return self._look_up(path, position)
        value: JsonValue | None = scope[path[0]]
        for key in path[1:]:
            value = item_of(value, key)
        return value if value is not None else self._look_up(path, position)

    def _number(self, node: Node, position: Position, _scope: Scope) -> JsonValue:
        text = token_text(node)
        return JsonScalar(json_value(text), text, position)

    def _string(self, node: Node, position: Position, scope: Scope) -> JsonValue:
        parts: list[Part] = []
        for part in trees(node):
            inner = trees(part)
            if not inner:
                text = token_text(part)
                escaped = text.startswith(("$${", "%%{"))
                parts.append(text[1:] if escaped else unescaped(text))
                continue
            if inner[0].data != "interpolation":
                return self._unknown("template", node, position)
            found = self._node(trees(inner[0])[0], position, scope)
            if not isinstance(found, JsonScalar):
                return self._unknown("expression", node, position)
            parts.extend(found.all_parts)
        return joined(parts, position)

    def _heredoc(self, node: Node, position: Position, scope: Scope) -> JsonValue:
        return self._template(heredoc(token_text(node)), position, scope)

    def _tuple(self, node: Node, position: Position, scope: Scope) -> JsonValue:
        items = tuple(self._node(item, position, scope) for item in trees(node))
        return JsonArray(items, position, depth_of(items))

    def _object(self, node: Node, position: Position, scope: Scope) -> JsonValue:
        members: list[JsonMember] = []
        for element in trees(node):
            key, value = trees(element)[0], trees(element)[-1]
            term = trees(key)[0] if trees(key) else key
            bare = [one for one in term.iter_subtrees() if one.data == "identifier"]
            if len(list(term.iter_subtrees())) <= len(("term", "identifier")) and bare:
                name = token_text(bare[0])
            else:
                found = self._node(term, position, scope)
                name = found.text if isinstance(found, JsonScalar) else ""
            members.append(JsonMember(name, self._node(value, position, scope), position))
        return JsonObject(tuple(members), position, depth_of(one.value for one in members))

    def _conditional(self, node: Node, position: Position, scope: Scope) -> JsonValue:
        condition, *branches = (self._node(one, position, scope) for one in trees(node))
        text = condition.text if isinstance(condition, JsonScalar) and is_known(condition) else None
        if text in {"true", "false"}:
            return branches[0 if text == "true" else 1]
        texts = [one.text for one in branches if isinstance(one, JsonScalar)]
        known = len(texts) == len(branches) and all(is_known(one) for one in branches)
        return self._leave_open(
            OpenValue(
                self._numbering.name("choice", str(node)),
                f"the choice on line {position.line} of the Terraform configuration",
                allowed_values=tuple(dict.fromkeys(texts)) if known else (),
                secret=any(has_secret(one) for one in branches),
            ),
            position,
        )

    def _binary(self, node: Node, position: Position, scope: Scope) -> JsonValue:
        left, term = trees(node)[:2]
        operator, right = trees(term)[:2]
        values = [self._node(one, position, scope) for one in (left, right)]
        if not all(is_known(one) for one in values):
            return self._unknown("expression", node, position)
        found = operate(token_text(operator), plain(values[0]), plain(values[1]))
        if found is None:
            return self._unknown("expression", node, position)
        return from_plain(found, position)

    def _unary(self, node: Node, position: Position, scope: Scope) -> JsonValue:
        value = (
            plain(found) if is_known(found := self._node(trees(node)[0], position, scope)) else None
        )
        if token_text(node) == "!" and isinstance(value, bool):
            return from_plain(not value, position)
        if token_text(node) == "-" and isinstance(value, int | float):
            return from_plain(-value, position)
        return self._unknown("expression", node, position)

    def _index(self, node: Node, position: Position, scope: Scope) -> JsonValue:
        collection, index = trees(node)[:2]
        found: JsonValue | None = self._node(collection, position, scope)
        inner = trees(index)
        key = self._node(inner[0], position, scope) if inner else None
        name = key.text if isinstance(key, JsonScalar) else token_text(index).strip(".")
        found = item_of(found, name)
        return found if found is not None else self._unknown("expression", node, position)

    def _function(self, node: Node, position: Position, scope: Scope) -> JsonValue:
        name, *rest = trees(node)
        function = token_text(name)
        arguments = [
            self._node(one, position, scope)
            for part in rest
            if part.data == "arguments"
            for one in trees(part)
        ]
        if any(token_text(part).endswith("...") for part in rest) and arguments:
            *arguments, last = arguments
            arguments += last.items if isinstance(last, JsonArray) else (last,)
        found = call(function, arguments, position)
        return found if found is not None else self._unknown(function, node, position, *arguments)

    def _for(self, node: Node, position: Position, scope: Scope) -> JsonValue:
        intro, *rest = trees(node)
        *names, collection = trees(intro)
        keys = [token_text(one) for one in names if one.data == "identifier"]
        condition = next((trees(one)[0] for one in rest if one.data == "for_cond"), None)
        results = [one for one in rest if one.data != "for_cond"]
        members: list[JsonMember] = []
        pairs = pairs_of(self._node(collection, position, scope))
        if pairs is None:
            return self._unknown("list", node, position)
        for key, value in pairs:
            inner = {**scope, **dict(zip(keys, (key, value)[-len(keys) :], strict=False))}
            if condition is not None:
                holds = self._node(condition, position, inner)
                if not isinstance(holds, JsonScalar) or holds.text != "true":
                    continue
            named = self._node(results[0], position, inner) if len(results) > 1 else key
            text = named.text if isinstance(named, JsonScalar) else ""
            members.append(JsonMember(text, self._node(results[-1], position, inner), position))
        if node.data == "for_tuple_expr":
            items = tuple(member.value for member in members)
            return JsonArray(items, position, depth_of(items))
        return JsonObject(tuple(members), position, depth_of(one.value for one in members))
