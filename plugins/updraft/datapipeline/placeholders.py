"""Placeholders of the tools that fill definitions in before they are put.

Such a tool writes ``${resources.vpc.region}`` or ``{{ region }}``. ``${name}`` alone may as well be
a variable of a shell, of Hive or of Pig, which the service passes on, and so do we; and
``{{ name }}`` in quotes may be a text. They count as placeholders in a file that plainly has
others, or when a value is given for them. Plain are names with dots, what stands outside of quotes,
and what stands for a period, a number, a role or the like, which can't have such characters.
"""

import re
from collections.abc import Mapping
from functools import cache

from updraft.datapipeline.collecting import FindingCollector
from updraft.datapipeline.json_text import (
    JsonArray,
    JsonMember,
    JsonObject,
    JsonScalar,
    JsonValue,
    joined,
)
from updraft.datapipeline.object_types import object_types
from updraft.datapipeline.open_values import OpenValue, Part

_DOTTED = r"\$\{[A-Za-z_]\w*(?:\.\w+)+\}"
_BRACES = r"\{\{\s*[A-Za-z_][\w.]*\s*\}\}"
_IN_SCRIPTS = re.compile(_DOTTED)
_CERTAIN = re.compile(_DOTTED)
_BRACED = re.compile(_BRACES)
_ANY = re.compile(rf"{_DOTTED}|{_BRACES}|\$\{{[a-z]\w*\}}")
# Outside of quotes nothing else would be JSON.
_BARE = re.compile(rf"{_DOTTED}|{_BRACES}|\$\{{[A-Za-z_]\w*\}}")
_VARIABLES = re.compile(r"\$\{(?:input|output)\d+\}")
# What a shell, a database, Hive, Pig or a program on a cluster reads.
_SCRIPTS = {
    "argument",
    "bootstrapAction",
    "command",
    "createTableSql",
    "filterSql",
    "hiveScript",
    "insertQuery",
    "postStepCommand",
    "preStepCommand",
    "script",
    "scriptArgument",
    "scriptVariable",
    "selectQuery",
    "step",
    "transformSql",
}
_NEVER_BRACED = {"pipelineLogUri", "resourceRole", "role", "topicArn"}


def open_placeholders(
    document: JsonObject, given: Mapping[str, tuple[str, ...]], collector: FindingCollector
) -> tuple[JsonObject, frozenset[str]]:
    """Make open values of placeholders.

    :param document: a definition.
    :param given: values for placeholders, by name.
    :param collector: takes a warning for each placeholder.
    :returns: the definition with open values or what is given for them, and all their names.
    """
    if not _has_placeholder(document, "", given):
        _report_braces(document, "", set(), collector)
        return document, frozenset()
    opener = _Opener(given, collector)
    changed = opener.value(document, "")
    return (changed if isinstance(changed, JsonObject) else document), frozenset(opener.names)


class _Opener:
    def __init__(self, given: Mapping[str, tuple[str, ...]], collector: FindingCollector) -> None:
        self.names: set[str] = set()
        self._given = given
        self._collector = collector

    def value(self, value: JsonValue, field: str) -> JsonValue:
        if isinstance(value, JsonArray):
            items = tuple(self.value(item, field) for item in value.items)
            return JsonArray(items, value.position, value.depth)
        if isinstance(value, JsonObject):
            members = tuple(
                JsonMember(one.key, self.value(one.value, one.key), one.position)
                for one in value.members
            )
            return JsonObject(members, value.position, value.depth)
        return self._scalar(value, field)

    def _scalar(self, value: JsonScalar, field: str) -> JsonScalar:
        if not isinstance(value.value, str):
            return value
        # A tool that fills names with dots in fills those without in, too.
        pattern = _IN_SCRIPTS if field in _SCRIPTS else _ANY
        if is_bare(value) or field in _never_braced():
            pattern = _BARE
        parts: list[Part] = []
        end = 0
        for match in pattern.finditer(value.value):
            if _VARIABLES.fullmatch(match[0]):
                continue
            parts += [value.value[end : match.start()], self._part(match[0], value)]
            end = match.end()
        if not parts:
            return value
        return joined([part for part in (*parts, value.value[end:]) if part], value.position)

    def _part(self, placeholder: str, value: JsonScalar) -> Part:
        name = _name(placeholder)
        open_value = OpenValue(name, f"the placeholder {placeholder} of the file")
        for known in (name, open_value.parameter_name):
            if known in self._given:
                self.names |= {name, open_value.parameter_name}
                return ",".join(self._given[known])
        if name not in self.names:
            self._collector.warn(
                f"A placeholder is not filled in: {placeholder}",
                value.position,
                f"Give its value by --set {name}=…, else it is asked for",
            )
        self.names |= {name, open_value.parameter_name}
        return open_value


def is_bare(value: JsonScalar) -> bool:
    """Tell a placeholder outside of quotes.

    :param value: a value of a file.
    :returns: true for a text that the file has no quotes around.
    """
    return value.source.startswith(("${", "{{")) and value.source.endswith("}")


def _has_placeholder(value: JsonValue, field: str, given: Mapping[str, tuple[str, ...]]) -> bool:
    if isinstance(value, JsonArray):
        return any(_has_placeholder(item, field, given) for item in value.items)
    if isinstance(value, JsonObject):
        return any(_has_placeholder(member.value, member.key, given) for member in value.members)
    if is_bare(value) or _CERTAIN.search(value.text) is not None:
        return True
    if field in _never_braced() and _BARE.search(value.text) is not None:
        return True
    return field not in _SCRIPTS and any(_name(one) in given for one in _braced(value))


@cache
def _never_braced() -> frozenset[str]:
    """List fields whose values can't have braces: numbers, periods, dates, choices and names."""
    slots: dict[str, set[str]] = {}
    for entry in object_types().values():
        for name, one in entry.fields.items():
            slots.setdefault(name, set()).add(one.slot)
    typed = {name for name, found in slots.items() if not found & {"ref", "string"}}
    return frozenset(typed | _NEVER_BRACED)


def _report_braces(
    value: JsonValue, field: str, said: set[str], collector: FindingCollector
) -> None:
    """Warn of what looks like a placeholder and is taken as the text that it is."""
    if isinstance(value, JsonArray):
        for item in value.items:
            _report_braces(item, field, said, collector)
    elif isinstance(value, JsonObject):
        for member in value.members:
            _report_braces(member.value, member.key, said, collector)
    elif field not in _SCRIPTS:
        for placeholder in _braced(value):
            if placeholder not in said:
                said.add(placeholder)
                collector.warn(
                    f"{placeholder} is taken as text, as the service takes it",
                    value.position,
                    f"If a tool fills it in, give its value by --set {_name(placeholder)}=…",
                )


def _braced(value: JsonScalar) -> list[str]:
    return _BRACED.findall(value.value) if isinstance(value.value, str) else []


def _name(placeholder: str) -> str:
    return placeholder.strip("${} \t")
