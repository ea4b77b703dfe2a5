"""Bookmarks of Glue jobs: what a run reads, and what GetJobBookmark and ResetJobBookmark see."""

import importlib
import sys

import pytest

from include.local.gateway.errors import AwsError
from include.local.gateway.services.glue.bookmarks import STAND_IN, JobBookmarks

JOB = "a job/ü"
FILES = {"s3://b/2": "v1", "s3://b/1": "v1"}


@pytest.fixture
def bookmarks(tmp_path):
    return JobBookmarks(tmp_path)


@pytest.fixture
def run(bookmarks, monkeypatch):
    monkeypatch.syspath_prepend(STAND_IN)
    monkeypatch.setattr(sys, "argv", ["script"])
    for name, value in bookmarks.variables("us-east-1", JOB).items():
        monkeypatch.setenv(name, value)
    bookmark = importlib.import_module("awsglue.bookmark").Bookmark

    def begin(run_id, option="enable"):
        begun = bookmark(
            ["s", "--job-bookmark-option", f"job-bookmark-{option}", "--JOB_RUN_ID", run_id]
        )
        begun.job = JOB
        return begun

    yield begin
    for name in [name for name in sys.modules if name.partition(".")[0] == "awsglue"]:
        del sys.modules[name]


def test_a_file_is_new_until_a_run_commits(run):
    assert run("1").only_new("c", FILES) == ["s3://b/1", "s3://b/2"]  # did not commit
    first = run("1")
    assert first.only_new("c", FILES) == ["s3://b/1", "s3://b/2"]
    first.commit()
    assert run("2").only_new("c", FILES) == []
    assert run("2").only_new("c", {**FILES, "s3://b/2": "v2"}) == ["s3://b/2"]
    assert run("2").only_new("other", FILES) == ["s3://b/1", "s3://b/2"]
    assert run("2").only_new("", FILES) == ["s3://b/1", "s3://b/2"]
    assert run("2", "disable").only_new("c", FILES) == ["s3://b/1", "s3://b/2"]


def test_a_paused_bookmark_is_read_and_not_moved(run):
    begun = run("1")
    begun.only_new("c", {"s3://b/1": "v1"})
    begun.commit()
    paused = run("2", "pause")
    assert paused.only_new("c", FILES) == ["s3://b/2"]
    paused.commit()
    assert run("3").only_new("c", FILES) == ["s3://b/2"]


def test_resetting(run, bookmarks):
    with pytest.raises(AwsError, match=f"Continuation for job {JOB} does not exist"):
        bookmarks.get("us-east-1", JOB)
    for number, uri in enumerate(FILES, 1):
        begun = run(f"jr_{number}")
        begun.only_new("c", {uri: "v1"})
        begun.commit()
    entry = bookmarks.get("us-east-1", JOB)
    assert (entry["JobName"], entry["Run"], entry["RunId"]) == (JOB, 2, "jr_2")
    assert entry["PreviousRunId"] == "jr_1"
    bookmarks.reset("us-east-1", JOB, "jr_1")
    assert run("3").only_new("c", FILES) == ["s3://b/1"]
    bookmarks.reset("us-east-1", JOB)
    assert run("3").only_new("c", FILES) == ["s3://b/1", "s3://b/2"]
    with pytest.raises(AwsError):
        bookmarks.reset("eu-west-1", JOB)


def test_arguments_of_a_job(run):
    utils = importlib.import_module("awsglue.utils")
    argv = ["s", "--table", "t", "--table_uri", "u", "--other", "x", "--JOB_RUN_ID", "jr"]
    found = utils.getResolvedOptions(argv, ["table", "table_uri"])
    assert (found["table"], found["table_uri"], found["JOB_RUN_ID"]) == ("t", "u", "jr")
    assert "other" not in found
    with pytest.raises(utils.GlueArgumentError, match=r"required: --day"):
        utils.getResolvedOptions(argv, ["day"])


def test_what_it_does_not_do_is_refused(run):
    job = importlib.import_module("awsglue.job").Job(None)
    with pytest.raises(NotImplementedError, match=r"has no Job\.isInitialized"):
        job.isInitialized()
    with pytest.raises(RuntimeError, match=r"before Job\.init"):
        job.commit()
    frame = importlib.import_module("awsglue.dynamicframe").DynamicFrame(None)
    with pytest.raises(NotImplementedError, match=r"has no DynamicFrame\.apply_mapping"):
        frame.apply_mapping([])
