"""Breaks each rule on Azure once, in a resource that is named for it; all else is as it must be, or not known yet."""

from __future__ import annotations

import pulumi
import pulumi_azure_native as az

tags = {"model": "churn", "environment": "prod", "cost-center": "sales-0815"}
provider = az.Provider("here", subscription_id="00000000-0000-4000-8000-000000000001", location="westeurope")
opts = pulumi.ResourceOptions(provider=provider)
here = {"resource_group_name": "churn", "opts": opts}
taken = {**here, "location": "westeurope", "tags": tags}


def account(name: str, **more: object) -> az.storage.StorageAccount:
    arguments: dict[str, object] = {
        **taken,
        "account_name": name.replace("-", ""),
        "kind": "StorageV2",
        "sku": {"name": "Standard_LRS"},
        "minimum_tls_version": "TLS1_2",
        **more,
    }
    return az.storage.StorageAccount(name, **arguments)


def app(name: str, memory_mb: int = 2048, most: int | None = 10, **more: object) -> az.web.WebApp:
    scale = {"instance_memory_mb": memory_mb, "maximum_instance_count": most}
    arguments: dict[str, object] = {
        **taken,
        "name": name,
        "https_only": True,
        "function_app_config": {"scale_and_concurrency": scale},
        "site_config": {"app_settings": [{"name": "LASTMILE_AUTH", "value": "{}"}]},
        **more,
    }
    return az.web.WebApp(name, **arguments)


account("breaks-tags", tags={"model": "churn", "environment": "prod"})
account("breaks-regions", location="East US")
account("breaks-private-storage", allow_blob_public_access=True)
account("breaks-tls", minimum_tls_version="TLS1_1")
app("breaks-memory", memory_mb=4096)
app("breaks-instances", most=None)
app("breaks-endpoint-auth", site_config={"app_settings": []})
app("open-prod", site_config={"app_settings": []})
asked = app("asked-by-the-platform", site_config={"app_settings": []})
az.web.WebAppAuthSettingsV2(
    "asks",
    name="asked-by-the-platform",
    platform={"enabled": True},
    global_validation={"require_authentication": True},
    **here,
)
az.operationalinsights.Workspace(
    "breaks-log-retention", workspace_name="churn", retention_in_days=365, **taken
)
storage = account("kept")
for queue in ("churn-jobs", "churn-jobs-poison"):
    az.storage.Queue(queue, account_name="kept", queue_name=queue, **here)
az.storage.Queue("breaks-dead-letters", account_name="kept", queue_name="lost", **here)
az.storage.Queue(
    "not-known-yet", account_name="kept", queue_name=storage.id.apply(lambda id_: id_[-9:]), **here
)
az.monitor.MetricAlert(
    "breaks-alarms-latency",
    rule_name="churn-prod-latency",
    enabled=False,
    evaluation_frequency="PT5M",
    window_size="PT5M",
    severity=2,
    scopes=["/subscriptions/00000000-0000-4000-8000-000000000001"],
    criteria=az.monitor.MetricAlertSingleResourceMultipleMetricCriteriaArgs(
        odata_type="Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria", all_of=[]
    ),
    actions=[{"action_group_id": "a-group"}],
    resource_group_name="churn",
    location="global",
    tags=tags,
    opts=opts,
)
az.consumption.Budget(
    "breaks-budget",
    budget_name="churn",
    scope="subscriptions/00000000-0000-4000-8000-000000000001",
    amount=1000,
    category="Cost",
    time_grain="Monthly",
    time_period={"start_date": "2026-11-01T00:00:00Z"},
    notifications={
        "all": {
            "enabled": True,
            "operator": "GreaterThan",
            "threshold": 100,
            "contact_emails": ["finance@example.com"],
        }
    },
    opts=opts,
)
