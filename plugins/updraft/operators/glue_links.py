"""Links from a task in Airflow's UI to what it works on in the console of AWS Glue."""

from airflow.providers.amazon.aws.links.base_aws import BASE_AWS_CONSOLE_LINK, BaseAwsLink


class GlueCrawlerLink(BaseAwsLink):
    """Opens a crawler. Its values are ``crawler_name`` and ``region_name``."""

    name = "AWS Glue crawler"
    key = "glue_crawler"
    format_str = (
        BASE_AWS_CONSOLE_LINK
        + "/glue/home?region={region_name}#/v2/data-catalog/crawlers/view/{crawler_name}"
    )


class GlueWorkflowRunLink(BaseAwsLink):
    """Opens a run of a workflow. Its values are ``workflow_name``, ``run_id``, ``region_name``."""

    name = "AWS Glue workflow run"
    key = "glue_workflow_run"
    format_str = (
        BASE_AWS_CONSOLE_LINK
        + "/glue/home?region={region_name}#/v2/etl-configuration/workflows/run/{workflow_name}"
        "?runId={run_id}"
    )


class GlueTableLink(BaseAwsLink):
    """Opens a table. Its values are ``database_name``, ``table_name`` and ``region_name``."""

    name = "AWS Glue table"
    key = "glue_table"
    format_str = (
        BASE_AWS_CONSOLE_LINK
        + "/glue/home?region={region_name}#/v2/data-catalog/tables/view/{table_name}"
        "?database={database_name}"
    )
