"""File formats for DynamoDB items, by the name that operators and commands know them by."""

from updraft.dynamodb.formats.base import AttributeValue, Item, ItemFormat, ItemFormatError
from updraft.dynamodb.formats.data_pipeline import DataPipelineFormat

ITEM_FORMATS: dict[str, ItemFormat] = {
    item_format.name: item_format for item_format in (DataPipelineFormat(),)
}

__all__ = ["ITEM_FORMATS", "AttributeValue", "Item", "ItemFormat", "ItemFormatError"]
