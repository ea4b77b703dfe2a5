"""Configurations of the Serverless Framework, which hold a CloudFormation template.

The template stands under ``resources``, as one or as a list of several that the framework merges.
Before CloudFormation sees it, the framework fills its own variables in: ``${self:custom.stage}`` is
a value of the same file, ``${opt:stage, 'dev'}`` an option with a default
(https://www.serverless.com/framework/docs/guides/variables).
"""

import re
from collections.abc import Mapping

from updraft.datapipeline.collecting import FindingCollector
from updraft.datapipeline.json_text import (
    JsonArray,
    JsonMember,
    JsonObject,
    JsonScalar,
    JsonValue,
    depth_of,
    joined,
)
from updraft.datapipeline.open_values import OpenValue, Part
from updraft.datapipeline.positioned_values import item_of, last_object

# A name without colon or bracket is one of Fn::Sub.
_VARIABLE = re.compile(
    r"\$\{((?:self|opt|env|param|aws|sls|ssm|s3|cf)(?:[.(][\w.-]+\)?)?:[^{}]*|(?:file|strToBool)\([^{}]*)\}"
)
_LITERAL = re.compile(r"'([^']*)'|\"([^\"]*)\"|(-?\d+(?:\.\d+)?|true|false)")
# Variables that are defined by themselves end here.
_DEEPEST_VARIABLE = 8
# No field of a definition is longer (guide, "Web Service Limits").
_LONGEST = 10_240


def template_of_service(
    document: JsonObject, given: Mapping[str, tuple[str, ...]], collector: FindingCollector
) -> JsonObject | None:
    """Take the template out of a configuration, with the framework's variables filled in.

    :param document: any document.
    :param given: values for what the file leaves open, by name such as ``opt:stage``.
    :param collector: takes a warning for each variable that stays open.
    :returns: the template; none for a document that is no configuration with resources.
    """
    parts = [
        part
        for value in document.values("resources")
        for part in (value.items if isinstance(value, JsonArray) else (value,))
        if isinstance(part, JsonObject) and last_object(part, "Resources") is not None
    ]
    if not document.values("service") or not parts:
        return None
    members = tuple(member for part in parts for member in part.members)
    template = JsonObject(members, parts[0].position, depth_of(one.value for one in members))
    filled = _Variables(document, given, collector).filled(template)
    return filled if isinstance(filled, JsonObject) else template


class _Variables:
    def __init__(
        self,
        document: JsonObject,
        given: Mapping[str, tuple[str, ...]],
        collector: FindingCollector,
    ) -> None:
        self._document = document
        self._given = given
        self._collector = collector
        self._asked: set[str] = set()

    def filled(self, value: JsonValue) -> JsonValue:
        if isinstance(value, JsonArray):
            items = tuple(self.filled(item) for item in value.items)
            return JsonArray(items, value.position, depth_of(items))
        if isinstance(value, JsonObject):
            members = tuple(
                JsonMember(one.key, self.filled(one.value), one.position) for one in value.members
            )
            return JsonObject(members, value.position, depth_of(one.value for one in members))
        if not isinstance(value.value, str) or "${" not in value.value:
            return value
        return joined(self._parts(value.value, value), value.position)

    def _parts(self, text: str, at: JsonScalar) -> list[Part]:
        """Fill in the innermost variables first: those around them may be named by them."""
        for _ in range(_DEEPEST_VARIABLE):
            changed = _VARIABLE.sub(self._text, text)
            if changed == text or len(changed) > _LONGEST:
                break
            text = changed
        parts: list[Part] = []
        end = 0
        for match in _VARIABLE.finditer(text):
            parts += [text[end : match.start()], self._open(match[1], at)]
            end = match.end()
        return [one for one in (*parts, text[end:]) if one] or [""]

    def _text(self, match: re.Match[str]) -> str:
        for choice in match[1].split(","):
            name = choice.strip()
            if name in self._given:
                return ",".join(self._given[name])
            literal = _LITERAL.fullmatch(name)
            if literal:
                return literal[1] or literal[2] or literal[3] or ""
            if name.startswith("self:"):
                found = self._own(name.removeprefix("self:"))
                if found is not None:
                    return found
        return match[0]

    def _own(self, path: str) -> str | None:
        value: JsonValue | None = self._document
        for key in path.split("."):
            value = item_of(value, key)
        # The name of a service was written with more around it in older versions.
        if path == "service" and isinstance(value, JsonObject):
            value = item_of(value, "name")
        if not isinstance(value, JsonScalar) or value.value is None:
            return None
        return value.text if len(value.text) <= _LONGEST else None

    def _open(self, expression: str, at: JsonScalar) -> OpenValue:
        name = expression.split(",", maxsplit=1)[0].strip()
        if name not in self._asked:
            self._asked.add(name)
            self._collector.warn(
                f"The file does not give the variable ${{{expression}}}",
                at.position,
                f"Give its value by --set {name}=…, else it is asked for",
            )
        return OpenValue(name, f"the variable ${{{expression}}} of the Serverless Framework")
