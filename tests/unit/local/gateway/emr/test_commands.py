import pytest

from include.local.emr_node.refusal import UsageError
from include.local.emr_node.spark_programs import translate
from include.local.gateway.execution.environment import last_exception
from include.local.gateway.services.emr.step_execution import command_of


@pytest.mark.parametrize(
    ("step", "command"),
    [
        ({"Jar": "command-runner.jar", "Args": ["ls", "-l"]}, ["ls", "-l"]),
        (
            {"Jar": "/var/lib/aws/emr/command-runner.jar", "Args": ["bash", "-c", "a b"]},
            ["bash", "-c", "a b"],
        ),
        (
            {
                "Jar": "s3://eu-west-1.elasticmapreduce/libs/script-runner/script-runner.jar",
                "Args": ["s3://code/x.sh", "1"],
            },
            ["script-runner", "s3://code/x.sh", "1"],
        ),
        (
            {
                "Jar": "s3://code/x.jar",
                "MainClass": "org.Main",
                "Properties": [{"Key": "k", "Value": "v"}],
                "Args": ["1"],
            },
            ["hadoop", "jar", "s3://code/x.jar", "org.Main", "-Dk=v", "1"],
        ),
    ],
)
def test_steps_stand_for_commands(step, command):
    assert command_of(step) == command


def test_what_chooses_machines_is_left_out(capsys):
    arguments = [
        "--master",
        "yarn",
        "--deploy-mode=cluster",
        "--conf",
        "spark.executor.memory=8g",
        "-c",
        "spark.sql.shuffle.partitions=3",
        "--py-files",
        "s3://a/b.py,s3://a/c.zip",
        "--class",
        "Main",
        "s3://a/app.jar",
        "--master",
        "of the application",
    ]

    options, application = translate(arguments, lambda uri: uri.rpartition("/")[2])

    assert options == [
        "--conf",
        "spark.sql.shuffle.partitions=3",
        "--py-files",
        "b.py,c.zip",
        "--class",
        "Main",
    ]
    assert application == ["app.jar", "--master", "of the application"]
    assert capsys.readouterr().err.splitlines() == [
        "[local stack] --master yarn does not count on one machine",
        "[local stack] --deploy-mode cluster does not count on one machine",
        "[local stack] --conf spark.executor.memory=8g does not count on one machine",
    ]


def test_an_option_without_its_value_is_an_error():
    with pytest.raises(UsageError, match="--py-files needs a value"):
        translate(["--py-files"], str)


@pytest.mark.parametrize(
    ("printed", "found"),
    [
        ("ok\n", None),
        ("Traceback:\n  x\nValueError: no\nbye\n", "ValueError: no"),
        (
            'Exception in thread "main" java.io.FileNotFoundException: gone\n\tat a.B(C.java:1)\n',
            "FileNotFoundException: gone",
        ),
    ],
)
def test_the_last_exception_is_found(tmp_path, printed, found):
    log = tmp_path / "stderr"
    log.write_text(printed)
    assert last_exception([log]) == found
