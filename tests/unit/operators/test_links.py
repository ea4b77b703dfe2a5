from updraft.operators.links import S3PrefixLink


def test_a_prefix_is_escaped() -> None:
    link = S3PrefixLink().format_link(
        aws_domain="amazonaws.cn", region_name="cn-north-1", bucket="b", prefix="a b/ü&x=1"
    )
    assert link == (
        "https://console.amazonaws.cn/s3/buckets/b?region=cn-north-1&prefix=a%20b/%C3%BC%26x%3D1/"
    )


def test_a_bucket_as_a_whole_has_no_prefix() -> None:
    link = S3PrefixLink().format_link(
        aws_domain="aws.amazon.com", region_name="eu-west-1", bucket="b", prefix=""
    )
    assert link == "https://console.aws.amazon.com/s3/buckets/b?region=eu-west-1&prefix="


def test_a_link_that_lacks_something_is_empty() -> None:
    assert S3PrefixLink().format_link(bucket="b") == ""
