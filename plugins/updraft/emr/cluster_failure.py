"""What the end of a cluster says about its cause: whether there was no room for it."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from updraft.emr.cluster_states import ENDING, FAILED

_FLEET_TIMEOUT = "INSTANCE_FLEET_TIMEOUT"
_OTHER_REASONS = frozenset(
    {"ALL_STEPS_COMPLETED", "BOOTSTRAP_FAILURE", "STEP_FAILURE", "USER_REQUEST"}
)
# https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-troubleshoot-errordetail.html
_CAPACITY_CODES = re.compile(r"INSUFFICIENT_CAPACITY|SPOT_NO_CAPACITY|SPOT_PRICE_INCREASE")
_CAPACITY_WORDS = re.compile(
    r"(?i)\bspot\b|\binsufficient\w* ?(instance )?capacity\b|\bnot have sufficient\b.*\bcapacity\b|"
    r"\bcapacity[- ]not[- ]available\b"
)
_PERMISSION_WORDS = re.compile(r"(?i)permission|authori[sz]|access ?denied|service-linked role")
# The codes of EC2, which EMR cites, and how EC2 and EMR put them into words.
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
_QUOTA_WORDS = re.compile(
    r"(?i)\b(Instance|Request|Vcpu|Volume)LimitExceeded\b|\bMax\w*InstanceCountExceeded\b|"
    r"\bec2 ([\w-]+ ){0,2}(quota|limit)\b|\b(instance|v?cpu) (\w+ )?(quota|limit)\b|"
    r"\bmax spot instance count exceeded\b|_(QUOTA|LIMIT)_EXCEEDED"
)


def lacks_capacity(cluster: Mapping[str, Any]) -> bool:
    """Tell whether a cluster failed because EC2 had no instances of its kind.

    :param cluster: what DescribeCluster says.
    :returns: whether the codes say so, or where EMR gives none that tell, the message. The
        timeout of a fleet counts, since its request says how long to look for instances.
    """
    if not _may_be_room(cluster):
        return False
    codes = [one["ErrorCode"] for one in _details(cluster) if one.get("ErrorCode")]
    if codes:
        return any(map(_CAPACITY_CODES.search, codes))
    is_timeout = _reason(cluster).get("Code") == _FLEET_TIMEOUT
    message = _reason(cluster).get("Message") or ""
    if _PERMISSION_WORDS.search(message):
        return False
    return is_timeout or _CAPACITY_WORDS.search(message) is not None


def may_find_room_later(cluster: Mapping[str, Any], *, spot: bool) -> bool:
    """Tell whether another cluster may succeed where one has failed, when others give back theirs.

    A quota of the account is such a thing, and the capacity of EC2 on demand. Spot instances are
    not: whoever wants them decides whether to pay more. Neither is the timeout of a fleet: its
    request says how long to look for instances.

    :param cluster: what DescribeCluster says.
    :param spot: whether it asked for spot instances.
    :returns: whether waiting may help.
    """
    if not _may_be_room(cluster):
        return False
    parts = [_reason(cluster).get("Message")]
    for one in _details(cluster):
        parts += [one.get("ErrorCode"), one.get("ErrorMessage")]
    said = " ".join(filter(None, parts))
    if _PERMISSION_WORDS.search(said):
        return False
    if _QUOTA_WORDS.search(said):
        return True
    is_timeout = _reason(cluster).get("Code") == _FLEET_TIMEOUT
    return not spot and not is_timeout and lacks_capacity(cluster)


def _may_be_room(cluster: Mapping[str, Any]) -> bool:
    ends = cluster["Status"]["State"] in (ENDING, FAILED)
    return ends and _reason(cluster).get("Code") not in _OTHER_REASONS


def _reason(cluster: Mapping[str, Any]) -> Mapping[str, Any]:
    reason: Mapping[str, Any] = cluster["Status"].get("StateChangeReason") or {}
    return reason


def _details(cluster: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    details: Sequence[Mapping[str, Any]] = cluster["Status"].get("ErrorDetails") or ()
    return details
