"""What ``getResolvedOptions`` of the local stack makes of a command line, as that of AWS does."""

import argparse
import importlib.util
import sys
from pathlib import Path

import pytest

from include.local.gateway.services.glue.bookmarks import STAND_IN


@pytest.fixture
def resolved(monkeypatch):
    # By itself: the package would load pyspark.
    path = Path(STAND_IN) / "awsglue" / "utils.py"
    spec = importlib.util.spec_from_file_location("awsglue_utils", path)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "awsglue_utils", module)
    spec.loader.exec_module(module)

    def resolve(line, *options):
        return module.getResolvedOptions(["script.py", *line], options)

    resolve.error = module.GlueArgumentError
    return resolve


def test_what_was_asked_for_and_what_glue_gives(resolved):
    line = ["--JOB_NAME", "j", "--JOB_RUN_ID", "jr_1", "--day", "2026-11-02", "--other", "x"]
    assert resolved(line, "JOB_NAME", "day") == {
        "JOB_NAME": "j",
        "JOB_ID": None,
        "JOB_RUN_ID": "jr_1",
        "SECURITY_CONFIGURATION": None,
        "RedshiftTempDir": None,
        "TempDir": None,
        "day": "2026-11-02",
        "enable_data_lineage": None,
        "encryption_type": None,
        "job_bookmark_from": None,
        "job_bookmark_option": "job-bookmark-disable",
        "job_bookmark_to": None,
    }


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (["--day", "--city", "Ulm"], "argument --day: expected one argument"),
        (["--city", "Ulm", "--day"], "argument --day: expected one argument"),
        (["--city", "Ulm"], "the following arguments are required: --day"),
        (["--day", "1", "--job-bookmark-option", "on"], "argument --job-bookmark-option: invalid"),
    ],
)
def test_an_argument_without_a_value_is_refused(resolved, line, message):
    with pytest.raises(resolved.error, match=message):
        resolved(line, "day", "city")


def test_a_name_may_be_short_for_another(resolved):
    assert resolved(["--table", "t"], "table_uri")["table_uri"] == "t"


def test_a_temporary_folder_may_be_absent_and_has_two_names(resolved):
    assert resolved([], "TempDir")["TempDir"] is None
    for name in ("TempDir", "RedshiftTempDir"):
        found = resolved([f"--{name}", "s3://b/t"])
        assert (found["TempDir"], found["RedshiftTempDir"]) == ("s3://b/t", "s3://b/t")


@pytest.mark.parametrize(
    "name", ["job-bookmark-option", "continuation-option", "job-bookmark-from", "job-bookmark-to"]
)
def test_a_reserved_name(resolved, name):
    with pytest.raises(RuntimeError, match=f"Using reserved arguments {name}"):
        resolved([], name)


def test_a_name_of_glue(resolved):
    with pytest.raises(argparse.ArgumentError, match="conflicting option string: --JOB_RUN_ID"):
        resolved([], "JOB_RUN_ID")


@pytest.mark.parametrize(
    ("line", "option"),
    [
        (["--job-bookmark-option", "job-bookmark-enable"], "job-bookmark-enable"),
        (["--continuation-option", "continuation-readonly"], "job-bookmark-pause"),
        (["--continuation-option", "continuation-ignore"], "job-bookmark-disable"),
    ],
)
def test_a_bookmark_in_new_and_old_words(resolved, line, option):
    assert resolved(line)["job_bookmark_option"] == option


def test_a_range_of_bookmarks_has_two_ends_and_a_pause(resolved):
    ends = ["--job-bookmark-from", "jr_1", "--job-bookmark-to", "jr_2"]
    pause = ["--job-bookmark-option", "job-bookmark-pause"]
    assert resolved([*pause, *ends])["job_bookmark_to"] == "jr_2"
    with pytest.raises(RuntimeError, match="Missing option or value for --job-bookmark-to"):
        resolved([*pause, *ends[:2]])
    with pytest.raises(RuntimeError, match="Invalid option"):
        resolved(ends)
