"""Errors name the option that was typed, and are one sentence."""

import pytest
from typer.testing import CliRunner

from updraft.cli.main import app

ARN = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders"
URI = "s3://bucket/p"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["dynamodb", "import", "orders", URI, "--rejected", "nonsense"],
            "error: --rejected: 'nonsense' is not an S3 URI; it looks like s3://bucket/prefix",
        ),
        (
            ["dynamodb", "import", "orders", URI, "--checkpoint", "nonsense"],
            "error: --checkpoint: 'nonsense' is not an S3 URI; it looks like s3://bucket/prefix",
        ),
        (
            ["dynamodb", "export", ARN, URI, "--region", "us-east-1"],
            f"error: --region: 'us-east-1' contradicts the ARN '{ARN}'; leave one of them out",
        ),
        (
            ["package", "--output", "."],
            "error: --output: . cannot be written: Is a directory",
        ),
        (
            ["package", "--output", "missing/plugins.zip"],
            "error: --output: missing/plugins.zip cannot be written: No such file or directory",
        ),
        (
            ["lineage", "forward", "--outbox", "missing", "--url", "http://127.0.0.1:9"],
            "error: missing is no directory; an outbox is made by the transport or by `updraft "
            "lineage harvest`",
        ),
        (
            ["lineage", "show", "empty.log"],
            "error: there is no lineage to draw",
        ),
    ],
)
def test_an_error_names_the_option(arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.log").touch()

    result = CliRunner().invoke(app, arguments)

    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1] == message


@pytest.mark.parametrize("command", ["harvest-crawls", "harvest-queries", "forward"])
def test_a_region_that_is_none(command):
    arguments = ["lineage", command, "--outbox", "x", "--region", "nowhere"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert "'nowhere' is no Region" in result.stderr
