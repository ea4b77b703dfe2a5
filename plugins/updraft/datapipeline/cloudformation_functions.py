"""CloudFormation's intrinsic functions: worked out where the template says enough.

Parameters count with the values given for them, else with their defaults. What only a stack knows
becomes an open value (guide of CloudFormation, "Intrinsic function reference").
"""

import base64
import json
import re
from collections.abc import Callable, Mapping

from updraft.datapipeline.cloudformation_conditions import Conditions
from updraft.datapipeline.cloudformation_names import TemplateNames
from updraft.datapipeline.collecting import FindingCollector
from updraft.datapipeline.findings import Position
from updraft.datapipeline.json_text import (
    JsonArray,
    JsonMember,
    JsonObject,
    JsonScalar,
    JsonValue,
    depth_of,
    joined,
    plain,
)
from updraft.datapipeline.open_values import Numbering, OpenValue, Part
from updraft.datapipeline.positioned_values import has_secret, is_known, last_object, text_of

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
# A dynamic reference: CloudFormation looks the value up when it makes the stack.
_LOOKED_UP = re.compile(r"\{\{resolve:([^}]*)\}\}")
_SECRET_STORES = ("secretsmanager:", "ssm-secure:")
# What Data Pipeline puts into the environment of scripts, and no template defines.
_STAGING = re.compile(r"(?i:(?:input|output)\d*(?:_staging_dir)?)")
_Function = Callable[[JsonValue, Position], JsonValue | None]


class FunctionResolver:
    """Works out the functions of one template.

    :param template: the whole template.
    :param given: values for its parameters.
    :param collector: takes the findings.
    """

    def __init__(
        self,
        template: JsonObject,
        given: Mapping[str, tuple[str, ...]],
        collector: FindingCollector,
    ) -> None:
        self.names = TemplateNames(template, given, collector)
        self.conditions = Conditions(template, self.resolve)
        self._collector = collector
        self._numbering = Numbering()
        self._resolved: dict[int, tuple[JsonValue, JsonValue | None]] = {}
        self._functions: dict[str, _Function] = {
            "Fn::Base64": self._base64,
            "Fn::FindInMap": self._find_in_map,
            "Fn::GetAtt": self._get_attribute,
            "Fn::ImportValue": self._import_value,
            "Fn::Join": self._join,
            "Fn::Select": self._select,
            "Fn::Split": self._split,
            "Fn::Sub": self._sub,
            "Fn::ToJsonString": self._to_json,
        }
        self._mappings = last_object(template, "Mappings")

    def resolve(self, value: JsonValue) -> JsonValue | None:
        """Work out all functions in a value.

        :param value: a value of the template.
        :returns: the value without functions, none where it is ``AWS::NoValue``.
        """
        # Arguments are looked at more than once, and aliases of YAML stand in several places.
        if id(value) not in self._resolved:
            self._resolved[id(value)] = value, self._resolve(value)
        return self._resolved[id(value)][1]

    def _resolve(self, value: JsonValue) -> JsonValue | None:
        if isinstance(value, JsonScalar):
            return self._scalar(value)
        if isinstance(value, JsonArray):
            items = tuple(
                found for item in value.items if (found := self.resolve(item)) is not None
            )
            return JsonArray(items, value.position, depth_of(items))
        if len(value.members) == 1:
            (member,) = value.members
            if member.key == "Ref":
                return self.names.ref(text_of(member.value), value.position)
            if member.key.startswith("Fn::"):
                return self._call(member.key, member.value, value.position)
        members = tuple(
            JsonMember(member.key, found, member.position)
            for member in value.members
            if (found := self.resolve(member.value)) is not None
        )
        return JsonObject(members, value.position, depth_of(one.value for one in members))

    def _scalar(self, value: JsonScalar) -> JsonScalar:
        if not isinstance(value.value, str) or "{{resolve:" not in value.value:
            return value
        parts: list[Part] = []
        end = 0
        for match in _LOOKED_UP.finditer(value.value):
            parts.append(value.value[end : match.start()])
            secret = match[1].startswith(_SECRET_STORES)
            parts.append(
                OpenValue(match[1], f"what CloudFormation looks up as {match[1]}", secret=secret)
            )
            end = match.end()
        return joined([part for part in (*parts, value.value[end:]) if part], value.position)

    def _call(self, name: str, argument: JsonValue, position: Position) -> JsonValue | None:
        function = self._functions.get(name)
        if name == "Fn::If":
            return self._if(argument, position)
        found = function(argument, position) if function is not None else None
        if found is not None:
            return found
        words = self._numbering.name(name.removeprefix("Fn::"), json.dumps(plain(argument)))
        origin = f"what {name} on line {position.line} gives"
        secret = has_secret(self.resolve(argument))
        return self.names.open(OpenValue(words, origin, secret=secret), position)

    def _arguments(self, argument: JsonValue, least: int) -> list[JsonValue] | None:
        items = argument.items if isinstance(argument, JsonArray) else ()
        if len(items) < least:
            self._collector.error(
                "The function has too few arguments",
                argument.position,
                f"Give it a list of {least}, as CloudFormation's guide says",
            )
            return None
        resolved = [self.resolve(item) for item in items]
        kept = [item for item in resolved if item is not None]
        return kept if len(kept) == len(resolved) else None

    def _if(self, argument: JsonValue, position: Position) -> JsonValue | None:
        items = argument.items if isinstance(argument, JsonArray) else ()
        if len(items) != len(("condition", "then", "otherwise")):
            self._collector.error(
                "Fn::If takes a condition and two values", position, "Write [condition, then, else]"
            )
            return None
        condition = text_of(items[0])
        decided = self.conditions.value(condition)
        if decided is not None:
            return self.resolve(items[1] if decided else items[2])
        branches = [self.resolve(item) for item in items[1:]]
        if any(isinstance(one, JsonObject | JsonArray) for one in branches):
            self._collector.error(
                f"Whether the condition {condition!r} holds decides what is in the pipeline",
                position,
                "Give the parameters that it depends on by --set",
            )
            return branches[0]
        texts = [one.text if isinstance(one, JsonScalar) else "nothing" for one in branches]
        known = all(isinstance(one, JsonScalar) and not one.parts for one in branches)
        if known and texts[0] == texts[1]:
            return branches[0]
        return self.names.open(
            OpenValue(
                self._numbering.name(f"{condition} choice", repr(texts)),
                f"{texts[0]!r} if {condition} holds, else {texts[1]!r}",
                allowed_values=tuple(texts) if known else (),
                secret=any(has_secret(one) for one in branches),
            ),
            position,
        )

    def _join(self, argument: JsonValue, position: Position) -> JsonValue | None:
        arguments = self._arguments(argument, 2)
        if arguments is None:
            return None
        delimiter, items = arguments[0], arguments[1]
        if isinstance(items, JsonScalar) and text_of(delimiter) == ",":
            return items
        if not isinstance(items, JsonArray) or not all(
            isinstance(item, JsonScalar) for item in items.items
        ):
            return None
        parts: list[Part] = []
        for number, item in enumerate(items.items):
            if number and text_of(delimiter):
                parts.append(text_of(delimiter))
            parts.extend(item.all_parts if isinstance(item, JsonScalar) else ())
        return joined(parts, position)

    def _sub(self, argument: JsonValue, position: Position) -> JsonValue | None:
        text, local = argument, None
        if isinstance(argument, JsonArray) and len(argument.items) > 1:
            text, local = argument.items[0], argument.items[1]
        elif isinstance(argument, JsonArray) and argument.items:
            text = argument.items[0]
        if not isinstance(text, JsonScalar):
            return None
        # Dynamic references stay what they are: their braces are not those of a variable.
        parts: list[Part] = []
        for part in self._scalar(text).all_parts:
            parts.extend(
                self._substituted(part, local, position) if isinstance(part, str) else (part,)
            )
        return joined(parts, position)

    def _substituted(self, text: str, local: JsonValue | None, position: Position) -> list[Part]:
        parts: list[Part] = []
        end = 0
        for match in _VARIABLE.finditer(text):
            parts.append(text[end : match.start()])
            end = match.end()
            name = match[1].strip()
            if name.startswith("!"):
                parts.append(f"${{{name[1:]}}}")
                continue
            found = self._variable(name, local, position)
            parts.extend(found if found is not None else (match[0],))
        parts.append(text[end:])
        return parts

    def _variable(
        self, name: str, local: JsonValue | None, position: Position
    ) -> tuple[Part, ...] | None:
        own = local.values(name) if isinstance(local, JsonObject) else ()
        if own:
            value = self.resolve(own[-1])
        elif "." in name:
            value = self.names.attribute(name, position)
        elif _STAGING.fullmatch(name) and not self.names.knows(name):
            self._collector.warn(
                f"Fn::Sub has no value for {name!r}; it is left for the script",
                position,
                f"Write ${{!{name}}}",
            )
            return None
        else:
            value = self.names.ref(name, position)
        if isinstance(value, JsonArray):
            return (",".join(text_of(item) for item in value.items),)
        return value.all_parts if isinstance(value, JsonScalar) else ()

    def _find_in_map(self, argument: JsonValue, position: Position) -> JsonValue | None:
        arguments = self._arguments(argument, 3)
        if arguments is None or not all(isinstance(one, JsonScalar) for one in arguments[:3]):
            return None
        found: JsonValue | None = self._mappings
        names = [text_of(one) for one in arguments[:3]]
        if any(isinstance(one, JsonScalar) and one.parts for one in arguments[:3]):
            return None
        for name in names:
            values = found.values(name) if isinstance(found, JsonObject) else ()
            found = values[-1] if values else None
        if found is None:
            self._collector.error(
                f"The mappings have no value for {' / '.join(names)}",
                position,
                "Correct the names, or give the parameters that they come from by --set",
            )
        return found

    def _select(self, argument: JsonValue, _position: Position) -> JsonValue | None:
        arguments = self._arguments(argument, 2)
        if arguments is None or not isinstance(arguments[1], JsonArray):
            return None
        index, items = text_of(arguments[0]), arguments[1].items
        return items[int(index)] if index.isdecimal() and int(index) < len(items) else None

    def _split(self, argument: JsonValue, position: Position) -> JsonValue | None:
        arguments = self._arguments(argument, 2)
        if arguments is None or not isinstance(arguments[1], JsonScalar) or arguments[1].parts:
            return None
        delimiter = text_of(arguments[0])
        texts = arguments[1].text.split(delimiter) if delimiter else [arguments[1].text]
        return _texts(texts, position)

    def _base64(self, argument: JsonValue, position: Position) -> JsonValue | None:
        value = self.resolve(argument)
        if not isinstance(value, JsonScalar) or value.parts:
            return None
        return joined([base64.b64encode(value.text.encode()).decode()], position)

    def _to_json(self, argument: JsonValue, position: Position) -> JsonValue | None:
        value = self.resolve(argument)
        if value is None or not is_known(value):
            return None
        return joined([json.dumps(plain(value), separators=(",", ":"))], position)

    def _get_attribute(self, argument: JsonValue, position: Position) -> JsonValue | None:
        items = argument.items if isinstance(argument, JsonArray) else (argument,)
        return self.names.attribute(".".join(text_of(item) for item in items), position)

    def _import_value(self, argument: JsonValue, position: Position) -> JsonValue | None:
        name = self.resolve(argument)
        return self.names.exported(text_of(name), position) if name is not None else None


def _texts(texts: list[str], position: Position) -> JsonArray:
    return JsonArray(tuple(joined([text], position) for text in texts), position, 1)
