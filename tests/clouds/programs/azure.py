"""A program that uses each type of Azure resource that the tables know, with the arguments that matter."""

from __future__ import annotations

import pulumi
import pulumi_azure_native as az

tags = {"model": "churn"}
provider = az.Provider("here", subscription_id="00000000-0000-4000-8000-000000000001", location="westeurope")
opts = pulumi.ResourceOptions(provider=provider)
config = az.authorization.get_client_config_output(opts=pulumi.InvokeOptions(provider=provider))

group = az.resources.ResourceGroup("group", location="westeurope", tags=tags, opts=opts)
rg = {"resource_group_name": group.name}
account = az.storage.StorageAccount(
    "artifacts",
    account_name="churnartifacts",
    kind="StorageV2",
    sku={"name": "Standard_LRS"},
    allow_blob_public_access=False,
    allow_shared_key_access=False,
    minimum_tls_version="TLS1_2",
    enable_https_traffic_only=True,
    encryption={"key_source": "Microsoft.Storage", "services": {"blob": {"enabled": True}}},
    network_rule_set={"default_action": "Allow", "bypass": "AzureServices"},
    tags=tags,
    opts=opts,
    **rg,
)
container = az.storage.BlobContainer(
    "models",
    account_name=account.name,
    container_name="models",
    public_access="None",
    opts=opts,
    **rg,
)
for queue_name in ("churn-jobs", "churn-jobs-poison"):
    az.storage.Queue(queue_name, account_name=account.name, queue_name=queue_name, opts=opts, **rg)
az.storage.BlobServiceProperties(
    "blobs",
    account_name=account.name,
    blob_services_name="default",
    is_versioning_enabled=True,
    delete_retention_policy={"enabled": True, "days": 7},
    opts=opts,
    **rg,
)
az.storage.ManagementPolicy(
    "lifecycle",
    account_name=account.name,
    management_policy_name="default",
    policy={
        "rules": [
            {
                "name": "results",
                "type": "Lifecycle",
                "enabled": True,
                "definition": {
                    "actions": {
                        "base_blob": {"delete": {"days_after_modification_greater_than": 30}},
                        "version": {"delete": {"days_after_creation_greater_than": 7}},
                    },
                    "filters": {"blob_types": ["blockBlob"], "prefix_match": ["models/results"]},
                },
            }
        ]
    },
    opts=opts,
    **rg,
)
identity = az.managedidentity.UserAssignedIdentity(
    "identity", resource_name_="churn-identity", tags=tags, opts=opts, **rg
)
az.authorization.RoleAssignment(
    "reads",
    principal_id=identity.principal_id,
    principal_type="ServicePrincipal",
    role_definition_id=config.subscription_id.apply(
        lambda sub: (
            f"/subscriptions/{sub}/providers/Microsoft.Authorization/roleDefinitions/"
            "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"
        )
    ),
    scope=container.id,
    opts=opts,
)
vault = az.keyvault.Vault(
    "vault",
    vault_name="churn-vault",
    properties={
        "tenant_id": config.tenant_id,
        "sku": {"family": "A", "name": "standard"},
        "enable_rbac_authorization": True,
        "soft_delete_retention_in_days": 7,
    },
    tags=tags,
    opts=opts,
    **rg,
)
secret = az.keyvault.Secret(
    "key",
    vault_name=vault.name,
    secret_name="churn-key",
    properties={"value": pulumi.Output.secret("hush-hush")},
    opts=opts,
    **rg,
)
workspace = az.operationalinsights.Workspace(
    "logs",
    workspace_name="churn-logs",
    sku={"name": "PerGB2018"},
    retention_in_days=30,
    features={"disable_local_auth": True},
    opts=opts,
    **rg,
)
az.operationalinsights.Table(
    "traces",
    workspace_name=workspace.name,
    table_name="AppTraces",
    retention_in_days=30,
    total_retention_in_days=30,
    opts=opts,
    **rg,
)
insights = az.applicationinsights.Component(
    "insights",
    resource_name_="churn-insights",
    kind="web",
    application_type="web",
    ingestion_mode="LogAnalytics",
    workspace_resource_id=workspace.id,
    disable_local_auth=True,
    tags=tags,
    opts=opts,
    **rg,
)
plan = az.web.AppServicePlan(
    "plan",
    kind="functionapp",
    reserved=True,
    sku={"name": "FC1", "tier": "FlexConsumption"},
    tags=tags,
    opts=opts,
    **rg,
)
app = az.web.WebApp(
    "predict",
    name="churn-predict",
    kind="functionapp,linux",
    server_farm_id=plan.id,
    https_only=True,
    identity={"type": "UserAssigned", "user_assigned_identities": [identity.id]},
    key_vault_reference_identity=identity.id,
    function_app_config={
        "deployment": {
            "storage": {
                "type": "blobContainer",
                "value": pulumi.Output.concat(account.primary_endpoints.blob, container.name),
                "authentication": {
                    "type": "UserAssignedIdentity",
                    "user_assigned_identity_resource_id": identity.id,
                },
            }
        },
        "runtime": {"name": "python", "version": "3.12"},
        "scale_and_concurrency": {
            "instance_memory_mb": 2048,
            "maximum_instance_count": 40,
            "always_ready": [{"name": "http", "instance_count": 1}],
            "triggers": {"http": {"per_instance_concurrency": 16}},
        },
    },
    site_config={
        "app_settings": [
            {"name": "AzureWebJobsStorage__accountName", "value": account.name},
            {"name": "APPLICATIONINSIGHTS_CONNECTION_STRING", "value": insights.connection_string},
            {
                "name": "LASTMILE_KEY",
                "value": pulumi.Output.concat(
                    "@Microsoft.KeyVault(SecretUri=", secret.properties.secret_uri, ")"
                ),
            },
        ],
        "cors": {"allowed_origins": ["https://example.com"], "support_credentials": False},
        "min_tls_version": "1.2",
    },
    tags=tags,
    opts=opts,
    **rg,
)
az.web.WebAppAuthSettingsV2(
    "auth",
    name=app.name,
    platform={"enabled": True},
    global_validation={
        "require_authentication": True,
        "unauthenticated_client_action": "Return401",
    },
    identity_providers={
        "custom_open_id_connect_providers": {
            "issuer": {
                "enabled": True,
                "registration": {
                    "client_id": "churn",
                    "open_id_connect_configuration": {
                        "well_known_open_id_configuration": "https://issuer.example.com/.well-known/openid-configuration"
                    },
                },
            }
        }
    },
    opts=opts,
    **rg,
)
registry = az.containerregistry.Registry(
    "images",
    registry_name="churnimages",
    sku={"name": "Basic"},
    admin_user_enabled=False,
    tags=tags,
    opts=opts,
    **rg,
)
environment = az.app.ManagedEnvironment(
    "environment",
    environment_name="churn-environment",
    location="westeurope",
    app_logs_configuration={
        "destination": "log-analytics",
        "log_analytics_configuration": {
            "customer_id": workspace.customer_id,
            "shared_key": pulumi.Output.secret("hush-hush"),
        },
    },
    tags=tags,
    opts=opts,
    **rg,
)
az.monitor.DiagnosticSetting(
    "console",
    name="logs",
    resource_uri=environment.id,
    workspace_id=workspace.id,
    logs=[{"category": "ContainerAppConsoleLogs", "enabled": True}],
    opts=opts,
)
container_app = az.app.ContainerApp(
    "predict-image",
    container_app_name="churn-image",
    location="westeurope",
    managed_environment_id=environment.id,
    identity={"type": "UserAssigned", "user_assigned_identities": [identity.id]},
    configuration={
        "active_revisions_mode": "Single",
        "ingress": {"external": True, "target_port": 8080, "transport": "auto", "allow_insecure": False},
        "registries": [{"server": registry.login_server, "identity": identity.id}],
        "secrets": [{"name": "key", "key_vault_url": secret.properties.secret_uri, "identity": identity.id}],
    },
    template={
        "containers": [
            {
                "name": "predict",
                "image": registry.login_server.apply(lambda host: f"{host}/churn@sha256:{'0' * 64}"),
                "resources": {"cpu": 1.0, "memory": "2Gi"},
                "env": [{"name": "LASTMILE_KEY", "secret_ref": "key"}],
                "probes": [
                    {
                        "type": "Startup",
                        "http_get": {"path": "/v2/health/ready", "port": 8080, "scheme": "HTTP"},
                        "period_seconds": 5,
                        "failure_threshold": 10,
                    }
                ],
            }
        ],
        "scale": {"min_replicas": 0, "max_replicas": 10},
    },
    tags=tags,
    opts=opts,
    **rg,
)
profile = az.cdn.Profile(
    "door",
    profile_name="churn-door",
    location="Global",
    sku={"name": "Standard_AzureFrontDoor"},
    tags=tags,
    opts=opts,
    **rg,
)
inside = {**rg, "profile_name": profile.name}
endpoint = az.cdn.AFDEndpoint(
    "endpoint",
    endpoint_name="churn",
    location="Global",
    enabled_state="Enabled",
    tags=tags,
    opts=opts,
    **inside,
)
origins = az.cdn.AFDOriginGroup(
    "origins",
    origin_group_name="origins",
    load_balancing_settings={"sample_size": 4, "successful_samples_required": 3},
    health_probe_settings={
        "probe_path": "/v2/health/live",
        "probe_protocol": "Https",
        "probe_request_type": "HEAD",
        "probe_interval_in_seconds": 100,
    },
    opts=opts,
    **inside,
)
origin = az.cdn.AFDOrigin(
    "origin",
    origin_group_name=origins.name,
    origin_name="app",
    host_name=app.default_host_name,
    origin_host_header=app.default_host_name,
    https_port=443,
    enforce_certificate_name_check=True,
    opts=opts,
    **inside,
)
domain = az.cdn.AFDCustomDomain(
    "domain",
    custom_domain_name="churn",
    host_name="churn.example.com",
    tls_settings={"certificate_type": "ManagedCertificate", "minimum_tls_version": "TLS12"},
    opts=opts,
    **inside,
)
az.cdn.Route(
    "route",
    route_name="everything",
    endpoint_name=endpoint.name,
    origin_group={"id": origins.id},
    custom_domains=[{"id": domain.id}],
    patterns_to_match=["/*"],
    supported_protocols=["Https"],
    forwarding_protocol="HttpsOnly",
    https_redirect="Disabled",
    link_to_default_domain="Enabled",
    opts=pulumi.ResourceOptions(provider=provider, depends_on=[origin]),
    **inside,
)
firewall = az.frontdoor.Policy(
    "firewall",
    policy_name="churnfirewall",
    location="Global",
    sku={"name": "Standard_AzureFrontDoor"},
    policy_settings={"enabled_state": "Enabled", "mode": "Prevention"},
    custom_rules={
        "rules": [
            {
                "name": "limit",
                "priority": 1,
                "enabled_state": "Enabled",
                "rule_type": "RateLimitRule",
                "rate_limit_duration_in_minutes": 1,
                "rate_limit_threshold": 100,
                "action": "Block",
                "match_conditions": [{"match_variable": "RequestUri", "operator": "Any", "match_value": []}],
            }
        ]
    },
    opts=opts,
    **rg,
)
az.cdn.SecurityPolicy(
    "security",
    security_policy_name="security",
    parameters={
        "type": "WebApplicationFirewall",
        "waf_policy": {"id": firewall.id},
        "associations": [{"domains": [{"id": domain.id}], "patterns_to_match": ["/*"]}],
    },
    opts=opts,
    **inside,
)
az.dns.RecordSet(
    "proof",
    zone_name="example.com",
    relative_record_set_name="_dnsauth.churn",
    record_type="TXT",
    ttl=300,
    txt_records=[{"value": [domain.validation_properties.validation_token]}],
    opts=opts,
    **rg,
)
az.dns.RecordSet(
    "alias",
    zone_name="example.com",
    relative_record_set_name="churn",
    record_type="CNAME",
    ttl=300,
    cname_record={"cname": endpoint.host_name},
    opts=opts,
    **rg,
)

told = az.monitor.ActionGroup(
    "told",
    action_group_name="churn-alarms",
    location="Global",
    group_short_name="churn",
    enabled=True,
    email_receivers=[
        {
            "name": "on-call@example.com",
            "email_address": "on-call@example.com",
            "use_common_alert_schema": True,
        }
    ],
    tags=tags,
    opts=opts,
    **rg,
)
az.monitor.ScheduledQueryRule(
    "errors",
    rule_name="churn-errors",
    location="westeurope",
    display_name="churn-errors",
    description="5 % or more of the answers are errors.",
    kind="LogAlert",
    enabled=True,
    severity=2,
    scopes=[workspace.id],
    window_size="PT5M",
    evaluation_frequency="PT5M",
    criteria={
        "all_of": [
            {
                "query": "AppTraces | summarize value = count()",
                "metric_measure_column": "value",
                "time_aggregation": "Maximum",
                "operator": "GreaterThanOrEqual",
                "threshold": 5.0,
                "failing_periods": {"number_of_evaluation_periods": 1, "min_failing_periods_to_alert": 1},
            }
        ]
    },
    auto_mitigate=True,
    skip_query_validation=True,
    actions={"action_groups": [told.id]},
    tags=tags,
    opts=opts,
    **rg,
)
az.monitor.MetricAlert(
    "throttles",
    rule_name="churn-throttles",
    location="Global",
    description="Requests were refused.",
    enabled=True,
    severity=2,
    scopes=[profile.id],
    window_size="PT5M",
    evaluation_frequency="PT1M",
    criteria=az.monitor.MetricAlertSingleResourceMultipleMetricCriteriaArgs(
        odata_type="Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria",
        all_of=[
            az.monitor.MetricCriteriaArgs(
                criterion_type="StaticThresholdCriterion",
                name="throttles",
                metric_namespace="Microsoft.Cdn/profiles",
                metric_name="RequestCount",
                time_aggregation="Total",
                operator="GreaterThanOrEqual",
                threshold=1.0,
                dimensions=[
                    az.monitor.MetricDimensionArgs(name="HttpStatus", operator="Include", values=["429"])
                ],
            )
        ],
    ),
    auto_mitigate=True,
    actions=[{"action_group_id": told.id}],
    tags=tags,
    opts=opts,
    **rg,
)
az.applicationinsights.Workbook(
    "dashboard",
    resource_name_="00000000-0000-4000-8000-000000000009",
    location="westeurope",
    kind="shared",
    category="workbook",
    display_name="churn-dashboard",
    source_id=workspace.id,
    serialized_data='{"version": "Notebook/1.0", "items": []}',
    tags=tags,
    opts=opts,
    **rg,
)
az.consumption.Budget(
    "budget",
    budget_name="churn-budget",
    scope=config.subscription_id.apply(lambda sub: f"/subscriptions/{sub}"),
    category="Cost",
    amount=100.0,
    time_grain="Monthly",
    time_period={"start_date": "2026-11-01T00:00:00Z"},
    filter={"dimensions": {"name": "ResourceGroupName", "operator": "In", "values": [group.name]}},
    notifications={
        of: {
            "enabled": True,
            "operator": "GreaterThanOrEqualTo",
            "threshold": 80.0,
            "threshold_type": of,
            "contact_emails": ["finance@example.com"],
        }
        for of in ("Actual", "Forecasted")
    },
    opts=pulumi.ResourceOptions(provider=provider, ignore_changes=["timePeriod"]),
)

pulumi.export("url", app.default_host_name.apply(lambda host: f"https://{host}"))
pulumi.export("image_url", container_app.configuration.ingress.fqdn)
pulumi.export("vault", vault.properties.vault_uri)
