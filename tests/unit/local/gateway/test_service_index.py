import botocore.session
import pytest

from include.local.gateway.service_index import services_signed_as


@pytest.mark.parametrize(
    ("signing_name", "services"),
    [
        ("s3", ("s3", "s3control")),
        ("dynamodb", ("dynamodb", "dynamodbstreams")),
        ("elasticmapreduce", ("emr",)),
        ("Redshift-Data", ("redshift-data",)),
        ("datazone", ("datazone",)),
        ("nothing", ()),
    ],
)
def test_services(signing_name: str, services: tuple[str, ...]) -> None:
    assert services_signed_as(signing_name) == services


def test_index_knows_every_service_of_botocore() -> None:
    session = botocore.session.get_session()
    for service in ("glue", "ssm", "logs", "kafka", "apigatewayv2", "mq", "sts", "events"):
        signing_name = session.get_service_model(service).signing_name
        assert service in services_signed_as(signing_name)
    everything = set(session.get_available_services())
    names = {session.get_service_model(s).signing_name for s in ("ec2", "iam", "lambda")}
    assert names <= {"ec2", "iam", "lambda"} <= everything
