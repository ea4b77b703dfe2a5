"""What names of a Terraform configuration stand for: variables, locals, resources."""

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress

from updraft.datapipeline.collecting import FindingCollector
from updraft.datapipeline.findings import Position, did_you_mean
from updraft.datapipeline.json_text import JsonMember, JsonObject, JsonScalar, JsonValue, joined
from updraft.datapipeline.open_values import OpenValue
from updraft.datapipeline.positioned_values import from_plain, is_known, item_of, text_under
from updraft.datapipeline.terraform_expressions import Evaluator

_PROPERTIES_OF_THE_NAME = {"aws_s3_bucket": {"id": "bucket"}, "aws_iam_role": {"id": "name"}}


class ModuleNames:
    """Looks names up.

    :param bodies: the files of the module; the first one has the pipelines.
    :param given: values for variables, or for any name that stays open.
    :param collector: takes the findings.
    """

    def __init__(
        self,
        bodies: Iterable[JsonObject],
        given: Mapping[str, tuple[str, ...]],
        collector: FindingCollector,
    ) -> None:
        bodies = tuple(bodies)
        self.variables = {one.key: one.value for one in blocks(bodies, "variable")}
        self._locals = {one.key: one.value for one in blocks(bodies, "locals")}
        self._resources = {
            (kind.key, one.key): one.value
            for kind in blocks(bodies, "resource")
            if isinstance(kind.value, JsonObject)
            for one in kind.value.members
        }
        self._given = given
        self._collector = collector
        self._being_read: set[tuple[str, ...]] = set()
        self._known_locals: dict[str, JsonValue] = {}
        self.evaluator = Evaluator(self.look_up, self.open)
        self.asked: set[str] = set(self.variables)
        """Every name that a value may be given for."""

    def resource(self, kind: str, name: str) -> JsonObject | None:
        """Find a resource of the module.

        :param kind: its type.
        :param name: its label.
        :returns: its body, none when the module does not have it.
        """
        body = self._resources.get((kind, name))
        return body if isinstance(body, JsonObject) else None

    def look_up(self, path: tuple[str, ...], position: Position) -> JsonValue:
        """Give the value of a path.

        :param path: names such as ``("aws_s3_bucket", "logs", "id")``.
        :param position: where it is asked for.
        :returns: its value; an open one when only a state or a provider knows it.
        """
        if path in self._being_read:
            self._collector.error(
                f"{'.'.join(path)} is made of itself", position, "Break the circle of references"
            )
            return self._open(path, position)
        self._being_read.add(path)
        try:
            return self._found(path, position)
        finally:
            self._being_read.remove(path)

    def _found(self, path: tuple[str, ...], position: Position) -> JsonValue:
        match path:
            case ("var", name, *rest):
                return self._inside(self._variable(name, position), rest, path, position)
            case ("local", name, *rest) if name in self._locals:
                if name not in self._known_locals:
                    value = self.evaluator.value(self._locals[name], {})
                    self._known_locals[name] = value
                return self._inside(self._known_locals[name], rest, path, position)
            case (kind, name, *rest) if (kind, name) in self._resources:
                body = self._resources[kind, name]
                key = _PROPERTIES_OF_THE_NAME.get(kind, {}).get(rest[-1], rest[-1]) if rest else ""
                literal = text_under(body, key) if isinstance(body, JsonObject) else None
                if literal is not None and not self._is_given(path):
                    return self.evaluator.value(joined([literal], position), {})
        return self._open(path, position)

    def _inside(
        self, value: JsonValue, keys: list[str], path: tuple[str, ...], position: Position
    ) -> JsonValue:
        found: JsonValue | None = value
        for key in keys:
            if isinstance(found, JsonScalar) and not is_known(found):
                return self._open(path, position)
            found = item_of(found, key)
        return found if found is not None else self._open(path, position)

    def _variable(self, name: str, position: Position) -> JsonValue:
        if name not in self.variables:
            self._collector.warn(
                f"The variable {name!r} is not declared here",
                position,
                did_you_mean(
                    name,
                    self.variables,
                    f"Give its value by --set {name}=…, else it is asked for",
                ),
            )
        declaration = self.variables.get(name)
        body = declaration if isinstance(declaration, JsonObject) else None
        secret = body is not None and text_under(body, "sensitive") == "true"
        self.asked |= {name, f"var.{name}"}
        given = self._given.get(name, self._given.get(f"var.{name}"))
        if given is not None and not secret:
            return _given_value(given, position)
        if body is not None and not secret:
            default = body.values("default")
            if default and not (isinstance(default[-1], JsonScalar) and default[-1].value is None):
                return self.evaluator.value(default[-1], {})
        words = f"the variable {name} of the Terraform configuration"
        description = text_under(body, "description") if body is not None else None
        return self.open(OpenValue(name, words, description=description, secret=secret), position)

    def _is_given(self, path: tuple[str, ...]) -> bool:
        return ".".join(path) in self._given

    def _open(self, path: tuple[str, ...], position: Position) -> JsonScalar:
        name = ".".join(path)
        return self.open(OpenValue(name, f"{name} of the Terraform configuration"), position)

    def open(self, value: OpenValue, position: Position) -> JsonScalar:
        """Leave a value open, unless one is given for its name.

        :param value: the open value.
        :param position: where it is asked for.
        :returns: a text.
        """
        self.asked |= {value.name, value.parameter_name}
        for name in (value.name, value.parameter_name, f"var.{value.name}"):
            if name in self._given and not value.secret:
                return joined([",".join(self._given[name])], position)
        return joined([value], position)


def _given_value(texts: tuple[str, ...], position: Position) -> JsonValue:
    """Read what is given for a variable; like Terraform's -var, it may be a list or a map."""
    if len(texts) != 1:
        return from_plain(list(texts), position)
    if texts[0].lstrip().startswith(("[", "{")):
        with suppress(ValueError, RecursionError):
            return from_plain(json.loads(texts[0]), position)
    return joined([texts[0]], position)


def blocks(bodies: Iterable[JsonObject], kind: str) -> list[JsonMember]:
    """List what stands in all blocks of a kind.

    :param bodies: the files of a module.
    :param kind: such as ``variable``.
    :returns: the members of these blocks.
    """
    found: list[JsonMember] = []
    for body in bodies:
        for value in body.values(kind):
            # The JSON syntax allows a list of blocks as well.
            items = getattr(value, "items", (value,))
            found += [
                member for item in items if isinstance(item, JsonObject) for member in item.members
            ]
    return found
