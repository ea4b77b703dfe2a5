"""Shared by the tests of the migration: a definition with one export, to be changed at will."""

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
        {"id": "Cluster", "type": "EmrCluster", "region": "eu-west-1", "coreInstanceCount": "2"},
    ],
    "parameters": [
        {"id": "myTable", "type": "String", "description": "Table to export"},
        {"id": "myBackup", "type": "AWS::S3::ObjectKey"},
    ],
}


class Definition:
    """A definition that tests change and convert."""

    def __init__(self, folder):
        self.document = copy.deepcopy(EXPORT)
        self._folder = folder

    def item(self, object_id):
        return next(one for one in self.document["objects"] if one["id"] == object_id)

    def add(self, *objects):
        self.document["objects"] += objects

    def convert(self, values=()):
        path = self._folder / "export.json"
        path.write_text(json.dumps(self.document, indent=1))
        return convert_file(path, "export", values)


@pytest.fixture
def definition(tmp_path):
    return Definition(tmp_path)
