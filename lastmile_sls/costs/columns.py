"""The columns of FOCUS, versions 1.0 to 1.4: which a file has, whatever their case, and what a file is that has others.

Versions differ in what they add (https://github.com/FinOps-Open-Cost-and-Usage-Spec/FOCUS_Spec, its tags v1.0, v1.1 and
v1.2, read 2026-11-30). 1.3 adds ServiceProviderName and HostProviderName beside ProviderName and PublisherName, and 1.4
takes the old two away (https://github.com/microsoft/finops-toolkit/issues/2120, read 2026-11-30). Google's own export has
no ServiceCategory, ResourceType and InvoiceIssuerName and has its labels in x_ columns, so little is required here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lastmile_sls.errors import LastmileError

COSTS = ("billedcost", "effectivecost", "listcost", "contractedcost")
REQUIRED = (
    "BilledCost",
    "EffectiveCost",
    "BillingCurrency",
    "ChargePeriodStart",
    "ChargeCategory",
    "ServiceName",
)
TAGS = ("allocatedtags", "x_labels", "tags", "x_tags", "x_projectlabels")
"""Where tags are; of two that name a key, the first counts: what is on the resource before what it inherits. Google's are
those with `x_`; a share of a cost (1.3) has the first."""
_PROVIDERS = ("serviceprovidername", "providername")
_ADDED = (
    ("1.4", ("invoicedetailid",)),
    (
        "1.3",
        ("serviceprovidername", "hostprovidername", "allocatedmethodid", "allocatedtags", "contractapplied"),
    ),
    ("1.2", ("billingaccounttype", "subaccounttype", "invoiceid", "pricingcurrency")),
    ("1.1", ("capacityreservationid", "servicesubcategory", "skumeter", "skupricedetails")),
)
"""By version, columns that no earlier one has: each alone tells it."""
_OTHERS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    (
        "AWS's Cost and Usage Report",
        ("line_item_unblended_cost", "lineitem/unblendedcost"),
        "Export the table FOCUS_1_2_AWS instead: https://docs.aws.amazon.com/cur/latest/userguide/dataexports-create.html",
    ),
    (
        "Azure's actual or amortized cost",
        ("costinbillingcurrency", "pretaxcost", "metercategory"),
        (
            "Export the dataset `Cost and usage details (FOCUS)` instead: "
            "https://learn.microsoft.com/azure/cost-management-billing/costs/tutorial-improved-exports"
        ),
    ),
    (
        "Google Cloud's standard or detailed usage cost",
        ("usage_start_time", "billing_account_id"),
        (
            "Export the FOCUS table instead: "
            "https://cloud.google.com/billing/docs/how-to/export-data-bigquery-tables/focus-export"
        ),
    ),
    (
        "FOCUS before 1.0",
        ("amortizedcost", "chargetype", "invoiceissuer"),
        "Export it again as version 1.0 or later.",
    ),
)
_ASIDE = (
    ("contract commitments", "contractcommitmentid"),
    ("invoices", "invoicedetailid"),
    ("billing periods", "billingperiodstatus"),
)
"""Datasets of 1.3 and 1.4 beside cost and usage, by a column that tells them."""


class NotFocusError(LastmileError):
    """A file's columns are not those of FOCUS's cost and usage."""


@dataclass(frozen=True)
class Columns:
    """What a file has."""

    all: tuple[tuple[str, str], ...]
    """Name and DuckDB's type of each, in the file's order."""
    version: str
    """Of FOCUS, the earliest that has all of its columns."""

    @property
    def names(self) -> Mapping[str, str]:
        """The name in the file by the name in lower case."""
        return {name.lower(): name for name, _ in self.all}

    @property
    def types(self) -> Mapping[str, str]:
        """DuckDB's type by the name in lower case."""
        return {name.lower(): kind for name, kind in self.all}

    def is_nested(self, name: str) -> bool:
        """Whether a column, by its name in lower case, is a map, a list or a struct."""
        return self.types[name].startswith(("MAP", "STRUCT")) or self.types[name].endswith("]")


def columns_of(file: str, described: Sequence[tuple[str, str]]) -> Columns:
    """Return a file's columns. Raises NotFocusError, which says what the file seems to be instead."""
    have = {name.lower() for name, _ in described}
    missing = [name for name in REQUIRED if name.lower() not in have]
    if not have.intersection(_PROVIDERS):
        missing.append("ProviderName (or ServiceProviderName)")
    if not missing:
        return Columns(tuple(described), _version(have))
    for what, signs, hint in _OTHERS:
        if have.intersection(signs):
            raise NotFocusError(f"{file} is {what}, not FOCUS: {_listed(missing)} missing.", hint)
    raise NotFocusError(
        f"{file} is not FOCUS: {_listed(missing)} missing. It has {_shortened([name for name, _ in described])}.",
        "Give the cloud's FOCUS export, version 1.0 to 1.4, or leave this file out.",
    )


def aside(described: Sequence[tuple[str, str]]) -> str | None:
    """Return which other dataset of FOCUS this is, one without charges; None for any other file."""
    have = {name.lower() for name, _ in described}
    if "billedcost" in have and "chargeperiodstart" in have:
        return None
    return next((what for what, sign in _ASIDE if sign in have), None)


def _version(have: set[str]) -> str:
    if "providername" not in have:
        return "1.4" if have.intersection(_ADDED[0][1]) else "1.3"
    return next((version for version, signs in _ADDED if have.intersection(signs)), "1.0")


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names)} {'is' if len(names) == 1 else 'are'}"


def _shortened(names: Sequence[str]) -> str:
    shown = ", ".join(names[:5])
    return f"{shown} and {len(names) - 5} more" if len(names) > 5 else shown or "no columns"
