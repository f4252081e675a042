"""What every part of the spec is made of: patterns, and how a broken rule is told."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic_core import PydanticCustomError

NAME = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
ID = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
HEADER = r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"
REGION = r"^[a-z]{2}(-[a-z]+)+-[0-9]$"
APP = r"^[A-Za-z_][A-Za-z0-9_]*(/[A-Za-z_][A-Za-z0-9_]*)*\.py:[A-Za-z_][A-Za-z0-9_]*$"
DIGEST = r"^sha256:[0-9a-f]{64}$"
PYTHON = r"^3\.[0-9]{1,2}$"
ISSUER = r"^(https://|http://(localhost|127\.0\.0\.1)[:/])"
CURRENCY = r"^[A-Z]{3}$"
DOMAIN = r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$"
VARIABLE = r"^[A-Za-z_][A-Za-z0-9_]*$"
VAULT_NAME = r"^[A-Za-z0-9]([A-Za-z0-9-]{0,125}[A-Za-z0-9])?$"
ACCOUNT = r"^[0-9]{12}$"
PROJECT = r"^[a-z][a-z0-9-]{4,28}[a-z0-9]$"
LOCATION = r"^[a-z0-9]+$"
GUID = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
BUCKET = r"^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$"
CONTAINER = r"^[a-z0-9]{3,24}/[a-z0-9]([a-z0-9-]{1,61})[a-z0-9]$"
HOSTED_ZONE = r"^[A-Z0-9]{4,32}$"
CERTIFICATE = r"^arn:aws[a-z-]*:acm:[a-z0-9-]+:[0-9]{12}:certificate/[A-Za-z0-9-]+$"
ROLE = r"^[A-Za-z0-9+=,.@_-]{1,64}$"
GOOGLE_REGION = r"^[a-z]+-[a-z]+[0-9]+$"
MANAGED_ZONE = r"^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$"
MEMBER = r"^(user|group|serviceAccount|domain|principal|principalSet):.+$"
RESOURCE_GROUP = r"^[A-Za-z0-9._()-]{1,90}$"
KEY_VAULT = r"^[A-Za-z][A-Za-z0-9-]{1,22}[A-Za-z0-9]$"
AZURE_ZONE = r"^[A-Za-z0-9._()-]{1,90}/[a-z0-9.-]+$"
BILLING_ACCOUNT = r"^[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}$"
EMAIL = r"^[A-Za-z0-9._%+-]+@([A-Za-z0-9-]+\.)+[A-Za-z]{2,63}$"
CALLBACK = r"^(https://|http://(localhost|127\.0\.0\.1)[:/])"
FOLDER = r"^([a-z][a-z0-9+.-]*://[^/ ]+(/[A-Za-z0-9._-]+)*|[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*)/?$"
PATTERNS = {
    NAME: "have lower-case letters, digits and single dashes only, and begin with a letter",
    ID: "have letters, digits, dots, dashes and underscores only, and begin with a letter or digit",
    HEADER: "be the name of an HTTP header",
    REGION: "be a region such as eu-west-1",
    APP: "be a Python file relative to this spec, and the name of an application in it, such as app.py:app",
    DIGEST: "be sha256: and 64 hexadecimal digits",
    PYTHON: "be a version of Python in two numbers, such as 3.13",
    ISSUER: "begin with https://, or be on this machine",
    CURRENCY: "be a currency's three capital letters, such as USD",
    DOMAIN: "be a domain name in lower case, such as predict.example.com",
    VARIABLE: "be the name of an environment variable, such as DB_PASSWORD",
    VAULT_NAME: "be a secret's name that every vault takes: at most 127 letters, digits and dashes",
    ACCOUNT: "be an AWS account's twelve digits",
    PROJECT: "be a Google Cloud project's id, such as my-project-123",
    LOCATION: "be an Azure location in lower case, such as westeurope",
    GUID: "be an id such as 00000000-0000-0000-0000-000000000000",
    BUCKET: "be a bucket's name: 3 to 63 lower-case letters, digits, dots, dashes and underscores",
    HOSTED_ZONE: "be a hosted zone's id, such as Z0123456789ABCDEFGHIJ",
    CERTIFICATE: "be a certificate's ARN, such as arn:aws:acm:eu-west-1:123456789012:certificate/ID",
    ROLE: "be the name of an IAM role",
    GOOGLE_REGION: "be a region such as europe-west1",
    MANAGED_ZONE: "be the name of a managed zone: lower-case letters, digits and dashes",
    MEMBER: "be a member such as serviceAccount:NAME@PROJECT.iam.gserviceaccount.com",
    RESOURCE_GROUP: "be the name of a resource group",
    KEY_VAULT: "be the name of a Key Vault: 3 to 24 letters, digits and dashes",
    AZURE_ZONE: "be a resource group and a zone in it, such as dns/example.com",
    BILLING_ACCOUNT: "be a billing account's id, such as 012345-6789AB-CDEF01",
    EMAIL: "be an e-mail address",
    CALLBACK: "begin with https://, or be on this machine",
    FOLDER: "be a folder, such as batch/in, or a URL of an object store, such as s3://bucket/folder",
    CONTAINER: "be a storage account and a container in it, such as account/container",
}
"""Each pattern in words, for messages."""


def rule(text: str, /, **context: Any) -> PydanticCustomError:
    """Return the error of a rule; its message goes on after the field's name, or stands alone for the whole spec."""
    return PydanticCustomError("rule", text, context)


class Section(BaseModel):
    """A part of the spec: nothing unknown in it, and nothing changes it."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
