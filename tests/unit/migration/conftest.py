"""Shared by the tests of the migration: a definition with one export, to be changed at will."""

import ast
import copy
import json

import pytest

from updraft.migration.conversion import convert_file

EXPORT = {
    "objects": [
        {"id": "Default", "scheduleType": "ondemand", "failureAndRerunMode": "CASCADE"},
        {
            "id": "ExportActivity",
            "type": "EmrActivity",
            "runsOn": {"ref": "Cluster"},
            "input": {"ref": "Table"},
            "output": {"ref": "Backup"},
            "step": "s3://jars/tools.jar,org.apache.hadoop.dynamodb.tools.DynamoDBExport,"
            "#{output.directoryPath},#{input.tableName},#{input.readThroughputPercent}",
        },
        {
            "id": "Table",
            "type": "DynamoDBDataNode",
            "tableName": "#{myTable}",
            "readThroughputPercent": "0.5",
        },
        {
            "id": "Backup",
            "type": "S3DataNode",
            "directoryPath": "#{myBackup}/#{format(@scheduledStartTime, 'YYYY-MM-dd')}",
        },
        {
            "id": "Cluster",
            "type": "EmrCluster",
            "region": "eu-west-1",
            "releaseLabel": "emr-6.15.0",
            "coreInstanceCount": "2",
        },
    ],
    "parameters": [
        {"id": "myTable", "type": "String", "description": "Table to export"},
        {"id": "myBackup", "type": "AWS::S3::ObjectKey"},
    ],
}


def calls(source):
    """Give operator and arguments of each task in a DAG file, as plain values or as source."""
    found = {}
    shared = {}
    tree = _WithConstants().visit(ast.parse(source))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            keywords = {one.arg: _plain(one.value) for one in node.keywords}
            task_id = keywords.pop("task_id", None)
            if task_id is not None:
                found[task_id] = {"operator": node.func.id, **keywords}
            if "default_args" in keywords:
                shared = _arguments(keywords["default_args"])
    return {
        task_id: task if task["operator"] in _OF_NOTHING else {**task, **shared}
        for task_id, task in found.items()
    }


def _arguments(default_args):
    """Give the default arguments that only stand there since all tasks have them."""
    values = default_args
    if isinstance(default_args, str):  # there is code among them
        node = ast.parse(default_args, mode="eval").body
        values = {one.value: _plain(of) for one, of in zip(node.keys, node.values, strict=True)}
    return {name: values[name] for name in ("region_name", "execution_timeout") if name in values}


_OF_NOTHING = {"NotMigratedOperator", "RequiredParamsOperator"}


class _WithConstants(ast.NodeTransformer):
    """Puts the value of each constant where its name stands."""

    def __init__(self):
        self._values = {}

    def visit_Assign(self, node):
        if node.targets[0].id.isupper():
            self._values[node.targets[0].id] = node.value
        return self.generic_visit(node)

    def visit_Name(self, node):
        return self._values.get(node.id, node) if isinstance(node.ctx, ast.Load) else node


def _plain(value):
    try:
        return ast.literal_eval(value)
    except ValueError:
        return ast.unparse(value)


class Definition:
    """A definition that tests change and convert."""

    def __init__(self, folder):
        self.document = copy.deepcopy(EXPORT)
        self._folder = folder

    def item(self, object_id):
        return next(one for one in self.document["objects"] if one["id"] == object_id)

    def add(self, *objects):
        self.document["objects"] += objects

    def convert(self, values=(), **options):
        path = self._folder / "export.json"
        path.write_text(json.dumps(self.document, indent=1))
        return convert_file(path, "export", values, **options)

    def convert_cleanly(self):
        """Convert, and make sure that no finding is hidden by what the test looks at."""
        conversion = self.convert()
        assert conversion.findings == ()
        assert conversion.dag_source is not None
        return conversion


@pytest.fixture
def definition(tmp_path):
    return Definition(tmp_path)


@pytest.fixture
def tasks_of():
    """Tell what the tasks of a conversion are given, by task id."""
    return lambda conversion: calls(conversion.dag_source)


@pytest.fixture
def statuses_of():
    """Tell what became of the fields of a conversion, by object id and field name."""
    return lambda conversion: {
        (one.object_id, one.field): (one.status, one.note) for one in conversion.report.fields
    }
