"""`updraft evaluate`, by both ways."""

import pytest
from typer.testing import CliRunner

from updraft.cli.main import app

_AT = ("--at", "2024-02-29T23:59:59")


@pytest.fixture(params=[(), ("--via-jinja",)], ids=["evaluator", "jinja"])
def run(request):
    return lambda *arguments: CliRunner().invoke(app, ["evaluate", *arguments, *request.param])


@pytest.mark.parametrize(
    ("arguments", "printed"),
    [
        (["#{format(minusDays(@scheduledStartTime, 1), 'YYYY-MM-dd')}"], "2024-02-28"),
        (["format(@scheduledStartTime, 'DDD')"], "060"),
        (["s3://b/${X}/#{myX + 1}", "--define", "myX=1"], "s3://b/${X}/2"),
        (["#{'a-' + myL}", "--define", 'myL=["b","c"]'], '["a-b", "a-c"]'),
        (["#{node.output.path}/#{input.name}", "--define", "node.output.path=p"], None),
        (["#{node.output.path}", "--define", "node.output.path=p"], "p"),
        (["#{@scheduledEndTime}", "--period", "1 month"], "2024-03-29T23:59:59"),
        (["#{@pipelineId}", "--define", "@pipelineId=df-1"], "df-1"),
        (["#{makeDate(44, 3, 15)}"], "0044-03-15T00:00:00"),
        (["#{myX}", "--define", "myX=NaN"], "NaN"),
        (["#{myX}"], None),
        (["#{myX"], None),
        (["#{1 / 0}"], None),
        (["x", "--at", "yesterday"], None),
        (["format(minusYears(@scheduledStartTime, 1500), 'YYYY')"], "0524"),
        (["plusMonths(@scheduledStartTime, -24000)"], "0024-02-29T23:59:59"),
        (["x", "--at", ""], None),
        (
            [
                "#{@scheduledStartTime} #{format(yesterday(@scheduledStartTime), 'YYYY/MM')}",
                "--at",
                "0044-03-15",
            ],
            "0044-03-15T00:00:00 0044/03",
        ),
        (
            ["format(minusYears(@scheduledStartTime, 500), 'yyyyMMdd')", "--at", "1066-10-14"],
            "05661014",
        ),
        (["x", "--at", "0001-01-01T00:00:00+05:00"], None),
        (["year(@scheduledStartTime)", "--at", "9999-12-31T02:00:00"], "9999"),
        (["year(@scheduledEndTime)", "--at", "9999-12-31T02:00:00"], None),
        (["x", "--define", "=1"], None),
    ],
)
def test_one_expression(run, arguments, printed):
    result = run(*_AT, *arguments)
    if printed is None:
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr.startswith("error: ")
    else:
        assert (result.exit_code, result.stdout) == (0, f"{printed}\n"), result.stderr


def test_a_text_that_is_no_expression_stays_and_says_so(run):
    result = run("1 +", *_AT)
    assert (result.exit_code, result.stdout) == (0, "1 +\n")
    assert "no expression" in result.stderr


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("#{formt(@scheduledStartTime, 'D')}", "Did you mean 'format'?"),
        ("#{myCuont}", "Did you mean 'myCount'?"),
        ("#{" + "(" * 1000 + "1" + ")" * 1000 + "x}", "Unexpected 'x'"),
        ("#{" + "-" * 1000 + "1}", "nested too deeply"),
        ("#{@scheduledStarTime}", "Did you mean '@scheduledStartTime'?"),
        ("#{@failureReason}", "@failureReason has no"),
        ("#{12345678901234567890}", "too many digits"),
        ("#{format(@scheduledStartTime, 'YYYY}", "never closed"),
    ],
)
def test_errors_are_one_clear_line(run, text, words):
    result = run(text, *_AT, "--define", "myCount=1")
    assert (result.exit_code, result.stdout) == (1, "")
    assert words in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_file_gives_a_line_for_each_of_its_lines(run, tmp_path):
    path = tmp_path / "values.tsv"
    rows = [
        ("kind", "argument", "instant", "result"),
        ("format", "'it''s' \"k\"", "2024-02-29T23:59:59Z", ""),
        ("plusMonths", "-1", "2024-03-31T00:00:00Z", ""),
        ("inTimeZone+format", "Asia/Kolkata", "2024-02-29T23:59:59Z", ""),
        ("nothing", "", "2024-02-29T23:59:59Z", ""),
        ("sunday", "", "2024-02-29T23:59:59Z", ""),
        ("dayOfYear", "", "2024-02-29T23:59:59Z", ""),
        ("makeDate", "2024, 2, 29", "2024-02-29T23:59:59Z", ""),
    ]
    path.write_text("".join("\t".join(row) + "\n" for row in rows))
    result = run("--from", str(path))
    assert result.stdout.split("\n") == [
        'it\'s "23"',
        "2024-02-29T00:00:00Z",
        "2024-03-01 05:29:59",
        "",
        "2024-02-25T23:59:59Z",
        "60",
        "2024-02-29T00:00:00Z",
        "",
    ]
    assert result.exit_code == 1
    assert "values.tsv:5: 'nothing' is no function" in result.stderr


@pytest.mark.parametrize(
    "written",
    [
        "kind\targument\tinstant\tresult\n{0}\n{1}\n",
        "{0}\n\n# from a table\n{1}",
        "\ufeffkind\targument\tinstant\r\n{0}\t\r\n   \r\n{1}\r\n",
    ],
    ids=["plain", "no header", "from Windows"],
)
def test_files_come_in_many_forms(run, tmp_path, written):
    path = tmp_path / "values.tsv"
    rows = ("format\tD H S\t2024-03-01T00:30:00.700+01:00", "plusDays+format\t1\t2024-02-29")
    path.write_bytes(written.format(*rows).encode())
    result = run("--from", str(path))
    assert (result.exit_code, result.stdout) == (0, "60 23 7\n2024-03-01 00:00:00\n")


def test_a_header_gives_the_order_of_the_columns(run, tmp_path):
    path = tmp_path / "values.tsv"
    path.write_text("Instant\tresult\tKind\targument\n2024-02-29\tx\tformat\tDDD\n2024\nx\ty\n")
    result = run("--from", str(path))
    assert (result.exit_code, result.stdout) == (1, "060\n\n\n")


def test_a_kind_that_there_is_not_has_a_nearest_one(run, tmp_path):
    path = tmp_path / "values.tsv"
    path.write_text(f"plusDay\t1\t2024-02-29\nformat\t{'y' * 200_000}\t2024-02-29\n")
    result = run("--from", str(path))
    assert (result.exit_code, len(result.stdout)) == (1, 1 + 200_000 + 1)
    assert "'plusDay' is no function. Did you mean 'plusDays'?" in result.stderr


def test_the_template_itself():
    result = CliRunner().invoke(app, ["evaluate", "year(@scheduledEndTime)", "--template", *_AT])
    assert result.stdout == "{{ data_interval_end.year }}\n"


def test_either_an_expression_or_a_file():
    assert CliRunner().invoke(app, ["evaluate"]).exit_code == 2
    assert CliRunner().invoke(app, ["evaluate", "--from", "x.tsv", *_AT]).exit_code == 2
