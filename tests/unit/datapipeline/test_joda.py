"""Date patterns, against what Joda-Time itself printed."""

import csv
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updraft.datapipeline.joda import UntranslatablePatternError, joda_to_strftime

_GOLDEN = Path(__file__).with_name("joda_format.tsv")
_REFUSED = {"K", "k", "S", "SSS", "DD"}


def _golden_rows():
    with _GOLDEN.open(encoding="utf-8") as stream:
        reader = csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [(row["pattern"], row["instant"], row["result"]) for row in reader]


def test_every_pattern_prints_what_joda_prints_or_is_refused():
    refused, compared = set(), 0
    for pattern, instant, expected in _golden_rows():
        try:
            directives = joda_to_strftime(pattern)
        except UntranslatablePatternError:
            refused.add(pattern)
            continue
        moment = datetime.fromisoformat(instant).astimezone(UTC)
        assert moment.strftime(directives) == expected, (pattern, instant)
        compared += 1
    assert refused <= _REFUSED | {"YYYY-MM-DD"}
    assert compared >= 450


@pytest.mark.parametrize(
    ("pattern", "directives"),
    [
        ("YYYY-MM-dd-HH-mm-ss", "%Y-%m-%d-%H-%M-%S"),
        ("YYYY-MM-dd hh:mm:ss", "%Y-%m-%d %I:%M:%S"),
        ("d/M/yy", "%-d/%-m/%y"),
        ("'at' 100%", "at 100%%"),
        ("''", "'"),
        ("'o''clock'", "o'clock"),
    ],
)
def test_translations(pattern, directives):
    assert joda_to_strftime(pattern) == directives


@pytest.mark.parametrize("pattern", ["", "SSS", "KK", "kk", "YYYYY", "DD", "'open", "qq", "\0"])
def test_refusals(pattern):
    with pytest.raises(UntranslatablePatternError):
        joda_to_strftime(pattern)


@given(st.text(max_size=20))
def test_any_pattern_is_translated_or_refused(pattern):
    try:
        directives = joda_to_strftime(pattern)
    except UntranslatablePatternError:
        return
    assert datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC).strftime(directives)
