"""What comes after a bootstrap: the very commands. Pure."""

from __future__ import annotations

from lastmile_sls.bootstrap.document import BootstrapPlan


def next_steps(plan: BootstrapPlan) -> list[tuple[str, tuple[str, ...]]]:
    """Return what each step is for, and its commands."""
    steps: list[tuple[str, tuple[str, ...]]] = [
        ("Keep every deployment's state there:", (f"export PULUMI_BACKEND_URL='{plan['state']['url']}'",)),
        _secrets(plan),
    ]
    if plan["registry"]:
        steps.append(("Sign in to the registry:", _sign_in(plan, plan["registry"]["name"])))
    if plan["backend"] is None:
        again = f"lastmile bootstrap --target {plan['target']} --account {plan['account']} --move-state"
        steps.append(("Move this stack's own state there too:", (again,)))
    if plan["target"] == "aws" and not plan["cost_tags"]:
        again = f"lastmile bootstrap --target aws --account {plan['account']} --activate-tags"
        steps.append(("In 24 hours, when AWS has seen the tags:", (again,)))
    return steps


def _secrets(plan: BootstrapPlan) -> tuple[str, tuple[str, ...]]:
    if plan["key"]:
        url = plan["key"]["url"]
        return (
            "Encrypt a stack's secrets with the key: after lastmile build, in the folder that it names, before lastmile up:",
            (f"pulumi stack init STACK --secrets-provider '{url}'",),
        )
    return (
        "Choose the passphrase of its secrets, once for all who deploy, and keep it in your password manager:",
        ("export PULUMI_CONFIG_PASSPHRASE='...'",),
    )


def _sign_in(plan: BootstrapPlan, name: str) -> tuple[str, ...]:
    account, region = plan["account"], plan["region"]
    match plan["target"]:
        case "aws":
            host = f"{account}.dkr.ecr.{region}.amazonaws.com"
            password = f"aws ecr get-login-password --region {region}"
            return (f"{password} | docker login --username AWS --password-stdin {host}",)
        case "gcp":
            return (f"gcloud auth configure-docker {region}-docker.pkg.dev",)
        case "azure":
            return (f"az acr login --name {name}",)
