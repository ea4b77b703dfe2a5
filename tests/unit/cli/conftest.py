import pytest

_TEMPLATE = """\
AWSTemplateFormatVersion: "2010-09-09"
Parameters:
  Env: {Type: String}
Conditions:
  IsProd: !Equals [!Ref Env, prod]
Resources:
  Imported:
    Type: AWS::DataPipeline::Pipeline
    Condition: IsProd
    Properties:
      Name: imported
      PipelineObjects: !ImportValue shared-objects
  Own:
    Type: AWS::DataPipeline::Pipeline
    Properties:
      Name: own
      PipelineObjects:
        - Id: Work
          Name: Work
          Fields:
            - {Key: type, StringValue: ShellCommandActivity}
            - {Key: scheduleType, StringValue: ondemand}
            - {Key: workerGroup, StringValue: group}
            - {Key: command, StringValue: "true"}
"""


@pytest.fixture
def partly_readable(tmp_path):
    """A template with a pipeline whose objects another stack has, and a sound one."""
    path = tmp_path / "etl.yaml"
    path.write_text(_TEMPLATE)
    return path
