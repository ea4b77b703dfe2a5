"""English names of time zones, as date patterns print them.

``zone_names.json`` lists them by zone as Java 17 gives them to Joda-Time 2.12: the short and the
written-out name of standard time, those of summer time, also where there is none any more, and the
zones that have them. Morocco and Namibia have the same names twice, since Joda-Time counts all of
their recent years as summer. It knows a zone that has several ids by one of them, which the links
tell.
"""

import json
import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

from updraft.errors import UpdraftError

# Names that the standard library finds too: of the machine's own zone, of none, and of variants.
_NO_PLACES = re.compile(r"localtime|Factory|posixrules|(?:posix|right)/.*", re.DOTALL)
_OFFSET = re.compile(r"([+-])(\d\d)(?::?(\d\d))?", re.ASCII)


class TimeZoneError(UpdraftError):
    """A text names no time zone."""


def find_zone(name: str) -> tzinfo:
    """Find a time zone by the id that Joda-Time has for it.

    :param name: such as ``America/Los_Angeles``, ``UTC`` or ``+05:30``.
    :returns: the zone.
    :raises TimeZoneError: when there is none of this id.
    """
    if name == "UTC":
        return UTC
    if match := _OFFSET.fullmatch(name):
        offset = timedelta(hours=int(match[2]), minutes=int(match[3] or 0))
        if int(match[3] or 0) < 60 and offset < timedelta(hours=24):  # noqa: PLR2004 - minutes
            return timezone(-offset if match[1] == "-" else offset)
    elif not _NO_PLACES.fullmatch(name):
        try:
            return ZoneInfo(name)
        # What it raises depends on where it looks: for a folder, a path, or a character.
        except (KeyError, ValueError, OSError):
            pass
    raise TimeZoneError(f"{name!r} is no time zone; one looks like 'America/Los_Angeles'")


def zone_id(instant: datetime) -> str | None:
    """Tell which zone an instant is in.

    :param instant: the instant.
    :returns: the id of its zone, none when that is only an offset.
    """
    name: str | None = getattr(instant.tzinfo, "key", None)
    if name is None:
        return None if instant.utcoffset() else "UTC"
    return _tables()[1].get(name, name)


def zone_name(instant: datetime, *, written_out: bool) -> str | None:
    """Name the zone of an instant.

    :param instant: the instant.
    :param written_out: ``Pacific Standard Time`` rather than ``PST``.
    :returns: the name, none when it has none but its offset.
    """
    names = _tables()[0].get(zone_id(instant) or "")
    if names is None:
        return None
    abbreviation = instant.tzname() or ""
    # What counts as summer time is not the same for all: the standard time of Ireland is that of
    # summer to the one, and that of winter to the other.
    if abbreviation in names and names[0] != names[2]:
        summer = abbreviation == names[2]
    else:
        summer = bool(instant.dst())
    return names[2 * summer + written_out]


@cache
def _tables() -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
    file = resources.files("updraft.datapipeline").joinpath("zone_names.json")
    tables = json.loads(file.read_text("utf-8"))
    by_zone = {zone: tuple(names) for *names, zones in tables["names"] for zone in zones.split(" ")}
    return by_zone, tables["links"]
