"""What a file declares: the models that its content has to fit."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from updraft.choices import unknown_choice
from updraft.datazone.row_conditions import RowCondition

UNKNOWN_KEY = "unknown_key"
"""Type of the error for a key that there is none of; its context has the ``key``."""

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Description = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2048)]
AssetName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=256)]
Comment = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4096)]
Identifier = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9_-]{1,36}$")]
GlossaryTerms = Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=20)]

_MOST_FORMS = 10
_MOST_SUBSCRIPTION_FILTERS = 5


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)

    @model_validator(mode="before")
    @classmethod
    def _knows_its_keys(cls, data: Any) -> Any:
        if isinstance(data, Mapping):
            for key in data:
                if key not in cls.model_fields:
                    said = str(unknown_choice("key", key, cls.model_fields))
                    raise PydanticCustomError(
                        UNKNOWN_KEY, "{said}", {"said": said.removeprefix("key: "), "key": key}
                    )
        return data


class Form(_Part):
    """A metadata form.

    :param name: its name.
    :param type: its type; only needed for a form that is not there yet.
    :param content: the fields that have to have a value; others stay as they are.
    """

    name: Annotated[str, StringConstraints(pattern=r"^\w{1,128}$")]
    type: Text | None = None
    content: dict[str, Any]


class AssetFilter(_Part):
    """What a subscriber may see of an asset.

    :param name: its name, unique for the asset.
    :param description: what it is for.
    :param columns: the columns that may be seen.
    :param rows: the rows that may be seen.
    :param sensitive: whether the values in ``rows`` are hidden from subscribers.
    """

    name: Annotated[str, StringConstraints(pattern=r"^[\w -]{1,64}$")]
    description: Description | None = None
    columns: Annotated[tuple[Text, ...], Field(min_length=1)] | None = None
    rows: RowCondition | None = None
    sensitive: bool = False

    @model_validator(mode="after")
    def _is_of_one_kind(self) -> Self:
        if (self.columns is None) == (self.rows is None):
            raise ValueError("a filter has either 'columns' or 'rows'")
        if self.sensitive and self.rows is None:
            raise ValueError("'sensitive' is for filters of rows")
        return self


class Asset(_Part):
    """An asset.

    :param asset: its identifier, its external identifier such as an ARN, or the end of that:
        ``database.table`` for a table of Glue.
    :param type: the type by which it is made if it is not there; without one it has to be there.
    :param name: its business name.
    :param description: what it is.
    :param glossary_terms: identifiers of terms.
    :param forms: metadata forms.
    :param publish: whether it is found in the catalog.
    :param filters: filters of its rows and columns.
    """

    asset: Text
    type: Text | None = None
    name: AssetName | None = None
    description: Description | None = None
    glossary_terms: GlossaryTerms | None = None
    forms: Annotated[tuple[Form, ...], Field(max_length=_MOST_FORMS)] = ()
    publish: bool = True
    filters: tuple[AssetFilter, ...] = ()

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        _require_unique("filters", (one.name for one in self.filters))
        _require_unique("forms", (one.name for one in self.forms))
        return self


class DataProduct(_Part):
    """A data product.

    :param name: its name, by which it is found again.
    :param description: what it is.
    :param assets: its assets, as in :class:`Asset`.
    :param glossary_terms: identifiers of terms.
    :param forms: metadata forms.
    :param publish: whether it is found in the catalog.
    """

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]
    description: Comment | None = None
    assets: Annotated[tuple[Text, ...], Field(min_length=1)]
    glossary_terms: GlossaryTerms | None = None
    forms: Annotated[tuple[Form, ...], Field(max_length=_MOST_FORMS)] = ()
    publish: bool = True

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        _require_unique("assets", self.assets)
        _require_unique("forms", (one.name for one in self.forms))
        return self


class Grant(_Part):
    """Where a subscriber works with what is subscribed to.

    :param environment: identifier of the subscriber's environment.
    :param target: identifier of its subscription target; its only one if omitted.
    """

    environment: Identifier
    target: Identifier | None = None

    def __str__(self) -> str:
        return f"environment {self.environment}" + (f", target {self.target}" * bool(self.target))


class Subscription(_Part):
    """What is decided about the subscription of somebody.

    :param asset: the asset that is subscribed to, as in :class:`Asset`.
    :param data_product: or the name of the data product.
    :param subscriber: name or identifier of a project, or the ARN of a role or user of IAM.
    :param decision: ``approve`` a request; ``reject`` a request; ``revoke`` a subscription, and
        reject a request.
    :param comment: what the subscriber reads.
    :param filters: names of filters that limit it; for a data product by asset.
    :param grants: where an approved one is granted, beside where DataZone does so itself; and where
        a revoked one is taken back.
    """

    asset: Text | None = None
    data_product: Text | None = None
    subscriber: Text
    decision: Literal["approve", "reject", "revoke"]
    comment: Comment | None = None
    filters: dict[str, tuple[str, ...]] | tuple[str, ...] = ()
    grants: tuple[Grant, ...] = ()

    @model_validator(mode="after")
    def _grants_fit(self) -> Self:
        if self.grants and self.decision == "reject":
            raise ValueError("'grants' go with the decisions 'approve' and 'revoke'")
        _require_unique("grants", map(str, self.grants))
        return self

    @model_validator(mode="after")
    def _is_about_one_thing(self) -> Self:
        if (self.asset is None) == (self.data_product is None):
            raise ValueError("a subscription is to either an 'asset' or a 'data_product'")
        if self.filters and self.decision != "approve":
            raise ValueError("'filters' go with the decision 'approve'")
        if self.filters and isinstance(self.filters, dict) != (self.asset is None):
            raise ValueError(
                "'filters' of an asset is a list of names; of a data product, such a list by asset"
            )
        for names in self.filters_by_asset.values():
            _require_unique("filters", names)
            if len(names) > _MOST_SUBSCRIPTION_FILTERS:
                raise ValueError(
                    f"a subscription takes at most {_MOST_SUBSCRIPTION_FILTERS} filters"
                )
        return self

    @property
    def filters_by_asset(self) -> dict[str, tuple[str, ...]]:
        """Names of filters by asset."""
        if isinstance(self.filters, dict):
            return self.filters
        return {self.asset: self.filters} if self.asset and self.filters else {}

    @property
    def subject(self) -> str:
        """What is subscribed to, for messages."""
        return f"asset {self.asset}" if self.asset else f"data product {self.data_product}"


class Declaration(_Part):
    """All that a file declares.

    :param project: name or identifier of the project that owns it.
    :param data_sources: names or identifiers of the data sources that run before.
    :param assets: assets.
    :param data_products: data products.
    :param subscriptions: decisions about subscriptions.
    :param prune: whether what the project has beyond the sections of the file is taken back.
    """

    project: Text
    data_sources: tuple[Text, ...] = ()
    assets: tuple[Asset, ...] = ()
    data_products: tuple[DataProduct, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()
    prune: bool = False

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        _require_unique("data_sources", self.data_sources)
        _require_unique("assets", (one.asset for one in self.assets))
        _require_unique("data_products", (one.name for one in self.data_products))
        _require_unique(
            "subscriptions",
            (f"{one.subscriber} to {one.subject}" for one in self.subscriptions),
        )
        return self


def _require_unique(section: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"{section}: {name!r} is given twice")
        seen.add(name)
