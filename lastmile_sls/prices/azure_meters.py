"""What the meters of Azure's that a deployment can turn are called in the Retail Prices API.

Free units: learn.microsoft.com/azure/container-apps/billing (2025-12-09), azure.microsoft.com/pricing/details/functions and
/monitor (as the API's first rows say them, 2026-10-03), /bandwidth (the same).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Meter:
    """How a meter's price is found in the API's answers."""

    name: str
    unit: str
    """What our price is of."""
    service: str
    product: str
    sku: str
    meter: str
    kind: str
    """What its unitOfMeasure says after the number: nothing for what is counted."""
    free: Decimal = Decimal(0)
    """Units that a subscription, or for logs a billing account, has free each month."""
    zoned: bool = False
    """Whether it is priced by zone of Front Door, not by region."""


def _flex(name: str, unit: str, sku: str, meter: str, kind: str, free: int = 0) -> Meter:
    return Meter(name, unit, "Functions", "Flex Consumption", sku, meter, kind, Decimal(free))


def _apps(name: str, unit: str, meter: str, kind: str, free: int = 0) -> Meter:
    service = "Azure Container Apps"
    return Meter(name, unit, service, service, "Standard", f"Standard {meter}", kind, Decimal(free))


def _door(name: str, unit: str, meter: str, kind: str) -> Meter:
    return Meter(
        *(name, unit, "Azure Front Door Service", "Azure Front Door", "Standard", f"Standard {meter}", kind),
        zoned=True,
    )


def _blob(name: str, unit: str, meter: str, kind: str) -> Meter:
    return Meter(name, unit, "Storage", "General Block Blob v2", "Hot LRS", meter, kind)


def _alert(minutes: int) -> Meter:
    return Meter(
        *(f"Azure Monitor: log alert that looks every {minutes} min", "rule-month", "Azure Monitor"),
        *("Azure Monitor", "Alerts", f"Alerts System Log Monitored at {minutes} Minute Frequency", "/Month"),
    )


METERS: Mapping[str, Meter] = {
    "azure.functions.duration.on-demand": _flex(
        *("Functions Flex Consumption: on demand, time", "GB-second", "On Demand"),
        *("On Demand Execution Time", " GB Second"),
        free=100_000,
    ),
    "azure.functions.executions.on-demand": _flex(
        *("Functions Flex Consumption: on demand, executions", "execution", "On Demand"),
        *("On Demand Total Executions", ""),
        free=250_000,
    ),
    "azure.functions.baseline.always-ready": _flex(
        *("Functions Flex Consumption: always ready, there", "GB-second"),
        *("Always Ready", "Always Ready Baseline", " GB Second"),
    ),
    "azure.functions.duration.always-ready": _flex(
        *("Functions Flex Consumption: always ready, time", "GB-second"),
        *("Always Ready", "Always Ready Execution Time", " GB Second"),
    ),
    "azure.functions.executions.always-ready": _flex(
        *("Functions Flex Consumption: always ready, executions", "execution"),
        *("Always Ready", "Always Ready Total Executions", ""),
    ),
    "azure.containerapps.vcpu.active": _apps(
        "Container Apps: vCPU, active", "vCPU-second", "vCPU Active Usage", " Second", 180_000
    ),
    "azure.containerapps.vcpu.idle": _apps(
        "Container Apps: vCPU, idle", "vCPU-second", "vCPU Idle Usage", " Second"
    ),
    "azure.containerapps.memory.active": _apps(
        "Container Apps: memory, active", "GiB-second", "Memory Active Usage", " GiB Second", 360_000
    ),
    "azure.containerapps.memory.idle": _apps(
        "Container Apps: memory, idle", "GiB-second", "Memory Idle Usage", " GiB Second"
    ),
    "azure.containerapps.requests": _apps("Container Apps: requests", "request", "Requests", "", 2_000_000),
    "azure.frontdoor.base": _door("Front Door Standard: base fee", "profile-month", "Base Fees", "/Month"),
    "azure.frontdoor.requests": _door("Front Door Standard: requests", "request", "Requests", ""),
    "azure.frontdoor.egress": _door("Front Door Standard: to callers", "GB", "Data Transfer Out", " GB"),
    "azure.frontdoor.origin": _door("Front Door Standard: to the function", "GB", "Data Transfer In", " GB"),
    "azure.storage.blob": _blob(
        "Blob storage: hot, locally redundant", "GB-month", "Hot LRS Data Stored", " GB/Month"
    ),
    "azure.storage.writes": _blob("Blob storage: writes", "operation", "Hot LRS Write Operations", ""),
    "azure.storage.reads": _blob("Blob storage: reads", "operation", "Hot Read Operations", ""),
    "azure.storage.queue": Meter(
        *("Queue storage: operations", "operation", "Storage", "Queues v2", "Standard LRS"),
        *("LRS Class 1 Operations", ""),
    ),
    "azure.keyvault.operations": Meter(
        "Key Vault: operations", "operation", "Key Vault", "Key Vault", "Standard", "Operations", ""
    ),
    "azure.containerregistry.basic": Meter(
        *("Container Registry Basic: with 10 GB", "day", "Container Registry", "Container Registry"),
        *("Basic", "Basic Registry Unit", "/Day"),
    ),
    "azure.loganalytics.ingestion": Meter(
        *("Log Analytics: ingestion", "GB", "Log Analytics", "Log Analytics", "Analytics Logs"),
        *("Analytics Logs Data Ingestion", " GB", Decimal(5)),
    ),
    "azure.loganalytics.retention": Meter(
        *("Log Analytics: kept longer than is free", "GB-month", "Log Analytics", "Log Analytics"),
        *("Analytics Logs", "Analytics Logs Data Retention", " GB/Month"),
    ),
    "azure.monitor.log-alert.1-min": _alert(1),
    "azure.monitor.log-alert.5-min": _alert(5),
    "azure.monitor.log-alert.10-min": _alert(10),
    "azure.monitor.log-alert.15-min": _alert(15),
    "azure.monitor.metric-alert": Meter(
        *("Azure Monitor: metric alert", "series-month", "Azure Monitor", "Azure Monitor", "Alerts"),
        *("Alerts Metric Monitored", "/Month", Decimal(10)),
    ),
    "azure.bandwidth.egress": Meter(
        *("Bandwidth: to the internet", "GB", "Bandwidth", "Rtn Preference: MGN", "Standard"),
        *("Standard Data Transfer Out", " GB", Decimal(100)),
    ),
}

_ZONES = {
    "Zone 1": "centralus eastus eastus2 northcentralus southcentralus westcentralus westus westus2 westus3 canadacentral "
    "canadaeast mexicocentral francecentral francesouth germanynorth germanywestcentral italynorth northeurope "
    "norwayeast norwaywest polandcentral spaincentral swedencentral switzerlandnorth switzerlandwest uksouth ukwest "
    "westeurope",
    "Zone 2": "eastasia southeastasia japaneast japanwest koreacentral koreasouth malaysiawest indonesiacentral",
    "Zone 3": "brazilsouth brazilsoutheast",
    "Zone 4": "australiaeast australiasoutheast australiacentral",
    "Zone 5": "centralindia southindia westindia",
}
ZONES: Mapping[str, str] = {region: zone for zone, regions in _ZONES.items() for region in regions.split()}
"""In which zone of Front Door callers near a region are: its page names zones by parts of the world
(azure.microsoft.com/pricing/details/frontdoor, unverified)."""
