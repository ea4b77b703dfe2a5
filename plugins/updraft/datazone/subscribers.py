"""Who has asked for a subscription or has one, and who of them a file means."""

import re
from collections.abc import Mapping
from typing import Any

from updraft.datazone.inventory import Inventory
from updraft.datazone.names import nearest
from updraft.errors import ArgumentError

# What can be nothing but an identifier: of DataZone, of IAM Identity Center, and of IAM.
_IDENTIFIER = re.compile(
    r"[a-z0-9]{14}|([0-9a-f]{10}-)?[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
    r"|arn:aws[^:]*:iam::\d{12}:.+"
)


def find_subscriber(inventory: Inventory, reference: str) -> str:
    """Find out who is meant.

    A name is looked up among the projects and nowhere else, since a group or another project could
    have the same, and would be let in.

    :param inventory: what there is.
    :param reference: name or identifier of a project, identifier of a user or a group, or ARN of a
        role or a user of IAM.
    :returns: the identifier or ARN.
    :raises UpdraftError: when no project or more than one has the name.
    """
    projects = inventory.projects
    if any(project["id"] == reference for project in projects):
        return reference
    found = [str(project["id"]) for project in projects if project["name"] == reference]
    if len(found) > 1:
        raise ArgumentError(
            f"subscriber {reference!r} is the name of more than one project; write the id of the "
            f"one that is meant: {', '.join(found)}"
        )
    if found:
        return found[0]
    if _IDENTIFIER.fullmatch(reference):
        return reference
    hint = nearest(reference, (str(project["name"]) for project in projects))
    raise ArgumentError(
        f"subscriber {reference!r} is no project that can be seen{hint or '; write its id.'}"
    )


def subscriber_id(entry: Mapping[str, Any]) -> str:
    """Say who has asked or subscribed.

    :param entry: item of ListSubscriptions or ListSubscriptionRequests.
    :returns: identifier or ARN.
    """
    details = _details(entry)
    return str(details.get("id") or details.get("principalArn") or "")


def subscriber_name(entry: Mapping[str, Any]) -> str:
    """Name for people who has asked or subscribed.

    :param entry: item of ListSubscriptions or ListSubscriptionRequests.
    :returns: the name, else the identifier.
    """
    return str(_details(entry).get("name") or subscriber_id(entry))


def _details(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    principals = [entry["subscribedPrincipal"]] if "subscribedPrincipal" in entry else []
    principals += entry.get("subscribedPrincipals", ())
    return next((one for principal in principals for one in principal.values()), {})
