"""What a bootstrap does not do, and what a person does by hand, with the page or the command. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from lastmile_sls.bootstrap.document import BillingPlan, BootstrapPlan
from lastmile_sls.bootstrap.make import console_page


@dataclass(frozen=True)
class Told:
    """A sentence or two, and the command that goes with them."""

    text: str
    command: str | None = None


def will_not(plan: BootstrapPlan) -> list[Told]:
    """Return what it does not do."""
    return [*_OF_CLOUD[plan["target"]](plan), *_of_all(plan)]


def by_hand(plan: BootstrapPlan) -> list[Told]:
    """Return what a person does before or after, because no API does it, or none may do it for them."""
    match plan["target"]:
        case "aws":
            return []
        case "gcp":
            return _click_export(plan)
        case "azure":
            return _register_exports(plan)


def kept(plan: BootstrapPlan) -> list[str]:
    """Return what outlives `--destroy`, as people call it."""
    found = ["the state"]
    if plan["billing"]:
        found.append("the billing data")
    if plan["registry"]:
        found.append("the registry and its images")
    if plan["key"]:
        found.append("the key of the state's secrets")
    if plan["cost_tags"]:
        found.append("the activated tags")
    if plan["apis"]:
        found.append("the APIs")
    return found


def _of_all(plan: BootstrapPlan) -> list[Told]:
    told = [Told(f"Delete data: --destroy keeps {_listed(kept(plan))}.")]
    if not plan["key"]:
        told.append(Told("Make a key for the state's secrets: a passphrase guards them. --kms makes one."))
    return told


def _aws(plan: BootstrapPlan) -> list[Told]:
    told = []
    if not plan["cost_tags"]:
        told.append(_NOT_YET)
    told += [_PAYER, _PAST]
    if plan["billing"]:
        told.append(_FIRST_FILES)
    if plan["asked"]["notify"] and not plan["anomalies"]:
        told.append(Told("Watch for anomalies before the tags are activated: it goes by managed-by."))
    return told


_NOT_YET = Told(
    "Activate the cost tags yet: AWS refuses keys that it has not seen, and sees those of what is made here within 24 "
    "hours. Then run again with --activate-tags."
)
_PAYER = Told(
    "Activate tags in a member account of an organization: only the payer's account, or one that stands alone, may."
)
_PAST = Told(
    "Change past bills: an activated tag tells costs apart from then on, within 24 hours. Up to 12 months back it goes "
    "with:",
    "aws ce start-cost-allocation-tag-backfill --backfill-from YYYY-MM-01T00:00:00Z",
)
_FIRST_FILES = Told(
    "Fill the billing bucket at once: the first files come within 24 hours. Those of a member account have its own "
    "costs alone."
)


def _gcp(plan: BootstrapPlan) -> list[Told]:
    billing = plan["billing"]
    told = []
    if billing:
        told.append(
            Told(
                "Start the billing export: Google has no API for it. Its dataset is made; a person clicks once."
            )
        )
    if billing and billing["location"] == plan["region"]:
        past = f"in {plan['region']} the export begins on the day of the click; in EU and US with the month before."
        told.append(Told(f"Fill in past costs: {past}"))
    return [*told, Told("Turn APIs off when it is destroyed: others in the project may use them.")]


def _azure(plan: BootstrapPlan) -> list[Told]:
    told = _azure_export(plan, plan["billing"]) if plan["billing"] else []
    if plan["inherit_tags"]:
        told.append(_INHERITED)
    if not plan["registry"]:
        told.append(
            Told("Make a container registry, which costs while nobody uses it. --registry makes one.")
        )
    return told


_INHERITED = Told(
    "Change past charges: tags are inherited from the running month on, within 24 hours, and on Enterprise and "
    "Microsoft Customer Agreements alone. For others: --no-inherit-tags."
)


def _azure_export(plan: BootstrapPlan, billing: BillingPlan) -> list[Told]:
    agreements = (
        "Export in FOCUS columns from a pay-as-you-go subscription: Microsoft offers that to Enterprise and Microsoft "
        "Customer Agreements. For others: --no-billing."
    )
    unproven = (
        "Prove the export: it was checked against Microsoft's own models of Cost Management, on no live account. Signed "
        "in as an application, Azure may answer 401 to its identity: run it as a person."
    )
    delete = (
        f"az costmanagement export delete --name {billing['export']} --scope subscriptions/{plan['account']}"
    )
    return [Told(agreements), Told(unproven), Told("Delete the export with --destroy. That is:", delete)]


_OF_CLOUD = {"aws": _aws, "gcp": _gcp, "azure": _azure}


def _click_export(plan: BootstrapPlan) -> list[Told]:
    if plan["billing"] is None:
        return []
    page = console_page(plan["target"], plan["account"])
    return [
        Told("After: as a Billing Account Administrator, open", page),
        Told("On the tab BigQuery export, at Detailed usage cost, click Edit settings."),
        Told(f"Choose the project {plan['account']} and the dataset {plan['billing']['name']}. Click Save."),
    ]


def _register_exports(plan: BootstrapPlan) -> list[Told]:
    if plan["billing"] is None:
        return []
    command = "az provider register --namespace Microsoft.CostManagementExports"
    return [
        Told(
            "Before: let Cost Management reach storage in the subscription.",
            f"{command} --subscription {plan['account']} --wait",
        )
    ]


def _listed(things: list[str]) -> str:
    *first, last = things
    return f"{', '.join(first)} and {last}" if first else last
