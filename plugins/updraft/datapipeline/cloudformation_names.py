"""What names of a CloudFormation template stand for: parameters, resources, pseudo parameters."""

from collections.abc import Mapping

from updraft.datapipeline.collecting import FindingCollector
from updraft.datapipeline.findings import Position, did_you_mean
from updraft.datapipeline.json_text import (
    JsonArray,
    JsonObject,
    JsonScalar,
    JsonValue,
    joined,
)
from updraft.datapipeline.open_values import OpenValue
from updraft.datapipeline.positioned_values import text_of

_NO_VALUE = "AWS::NoValue"
_PSEUDO = {
    "AWS::AccountId",
    "AWS::NotificationARNs",
    "AWS::Partition",
    "AWS::Region",
    "AWS::StackId",
    "AWS::StackName",
    "AWS::URLSuffix",
}
# What Ref gives for a resource whose template names it.
_NAME_PROPERTIES = {
    "AWS::DynamoDB::Table": "TableName",
    "AWS::EC2::KeyPair": "KeyName",
    "AWS::IAM::InstanceProfile": "InstanceProfileName",
    "AWS::IAM::Role": "RoleName",
    "AWS::RDS::DBInstance": "DBInstanceIdentifier",
    "AWS::Redshift::Cluster": "ClusterIdentifier",
    "AWS::S3::Bucket": "BucketName",
}
_LOOKED_UP_TYPE = "AWS::SSM::Parameter::"


class TemplateNames:
    """Looks names up.

    :param template: the whole template.
    :param given: values for parameters, or for any name that stays open.
    :param collector: takes the findings.
    """

    def __init__(
        self,
        template: JsonObject,
        given: Mapping[str, tuple[str, ...]],
        collector: FindingCollector,
    ) -> None:
        self._parameters = _members(template, "Parameters")
        self._resources = _members(template, "Resources")
        self._given = given
        self._collector = collector
        self.asked: set[str] = set(self._parameters)
        """Every name that a value may be given for."""

    def knows(self, name: str) -> bool:
        """Tell whether the template defines a name.

        :param name: name of a parameter or resource.
        :returns: true for those of the template, those of CloudFormation and given ones.
        """
        return (
            name in self._parameters
            or name in self._resources
            or name in _PSEUDO
            or name in self._given
        )

    def ref(self, name: str, position: Position) -> JsonValue | None:
        """Look up what ``Ref`` gives.

        :param name: name of a parameter or resource.
        :param position: where it is asked for.
        :returns: the value, none for ``AWS::NoValue``.
        """
        if name == _NO_VALUE:
            return None
        if name in self._parameters:
            return self._parameter(name, position)
        if name in self._resources:
            return self._resource(name, position)
        if name not in _PSEUDO and name not in self._given:
            self._collector.warn(
                f"The template has neither a parameter nor a resource {name!r}",
                position,
                did_you_mean(
                    name,
                    {*self._parameters, *self._resources, *_PSEUDO},
                    f"Give its value by --set {name}=…, else it is asked for",
                ),
            )
        return self.open(OpenValue(name, f"{name} of CloudFormation"), position)

    def attribute(self, name: str, position: Position) -> JsonScalar:
        """Look up what ``Fn::GetAtt`` gives, which only a stack knows.

        :param name: resource and attribute with a dot between.
        :param position: where it is asked for.
        :returns: the value given for it, else an open one.
        """
        resource, _, attribute = name.partition(".")
        kind = _type(self._resources.get(resource))
        words = f"the attribute {attribute} of the resource {resource}{kind}"
        return self.open(OpenValue(name, words), position)

    def exported(self, name: str, position: Position) -> JsonScalar:
        """Look up what ``Fn::ImportValue`` gives, which only another stack knows.

        :param name: name of the exported value.
        :param position: where it is asked for.
        :returns: the value given for it, else an open one.
        """
        return self.open(OpenValue(name, f"what another stack exports as {name}"), position)

    def open(self, value: OpenValue, position: Position) -> JsonScalar:
        """Leave a value open, unless one is given for its name.

        :param value: the open value.
        :param position: where it is asked for.
        :returns: a text.
        """
        self.asked |= {value.name, value.parameter_name}
        for name in (value.name, value.parameter_name):
            if name in self._given and not value.secret:
                return joined([",".join(self._given[name])], position)
        return joined([value], position)

    def _parameter(self, name: str, position: Position) -> JsonValue:
        declaration = self._parameters[name]
        attributes = declaration if isinstance(declaration, JsonObject) else None
        kind = _text(attributes, "Type") or "String"
        secret = (_text(attributes, "NoEcho") or "").lower() == "true"
        text = ",".join(self._given[name]) if name in self._given else None
        if text is None and not kind.startswith(_LOOKED_UP_TYPE):
            text = _text(attributes, "Default")
        if text is not None and not secret:
            if kind.startswith("List<") or kind == "CommaDelimitedList":
                items = tuple(joined([one.strip()], position) for one in text.split(","))
                return JsonArray(items, position, 1)
            return joined([text], position)
        allowed = attributes.values("AllowedValues") if attributes is not None else ()
        return joined(
            [
                OpenValue(
                    name,
                    f"the parameter {name} of the CloudFormation template",
                    description=_text(attributes, "Description"),
                    type="Double" if kind == "Number" else "String",
                    allowed_values=tuple(
                        text_of(item)
                        for value in allowed
                        if isinstance(value, JsonArray)
                        for item in value.items
                    ),
                    secret=secret,
                )
            ],
            position,
        )

    def _resource(self, name: str, position: Position) -> JsonScalar:
        resource = self._resources[name]
        kind = _text(resource, "Type") if isinstance(resource, JsonObject) else None
        properties = resource.values("Properties") if isinstance(resource, JsonObject) else ()
        literal = (
            _text(properties[-1], _NAME_PROPERTIES.get(kind or "", "")) if properties else None
        )
        if literal is not None and name not in self._given:
            return joined([literal], position)
        return self.open(OpenValue(name, f"the resource {name}{_type(resource)}"), position)


def _members(template: JsonObject, section: str) -> dict[str, JsonValue]:
    return {
        member.key: member.value
        for value in template.values(section)
        if isinstance(value, JsonObject)
        for member in value.members
    }


def _text(value: JsonValue | None, key: str) -> str | None:
    found = value.values(key) if isinstance(value, JsonObject) else ()
    if found and isinstance(found[-1], JsonScalar) and found[-1].value is not None:
        return found[-1].text
    return None


def _type(resource: JsonValue | None) -> str:
    kind = _text(resource, "Type")
    return f" ({kind})" if kind else ""
