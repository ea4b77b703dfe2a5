"""Attempts with other options do not mix their files."""

from updraft.dynamodb.formats import format_identity


def test_the_order_of_options_does_not_matter_and_their_values_do():
    one = format_identity("CSV", {"delimiter": ";", "compression": "GZIP"})

    assert one == format_identity("CSV", {"compression": "GZIP", "delimiter": ";"})
    assert one != format_identity("CSV", {"compression": "GZIP", "delimiter": ","})
    assert format_identity("CSV", {}) == "CSV"


def test_a_long_schema_fits_into_the_metadata_of_a_manifest():
    schema = {f"attribute-{number}-ü": "decimal(12,2)" for number in range(1000)}
    identity = format_identity("PARQUET", {"schema": schema})

    assert len(identity) < 100
    assert identity.isascii()
