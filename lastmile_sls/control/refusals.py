"""What is told when a cloud does not answer: which deployment, what the cloud said, and the way out. No secrets."""

from __future__ import annotations

from dataclasses import dataclass

from lastmile_sls.errors import LastmileError
from lastmile_sls.plan.document import Target

_NAMES: dict[Target, str] = {"aws": "AWS", "gcp": "Google Cloud", "azure": "Azure"}
_LOGIN: dict[Target, str] = {
    "aws": "Log in again: aws sso login. Or renew AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.",
    "gcp": "Log in again: gcloud auth application-default login. Or renew GOOGLE_APPLICATION_CREDENTIALS.",
    "azure": "Log in again: az login. Or renew AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET.",
}
_WHOSE: dict[Target, str] = {
    "aws": "aws sts get-caller-identity",
    "gcp": "gcloud auth application-default print-access-token",
    "azure": "az account show",
}
_LONGEST = 300


class MissingError(LastmileError):
    """Something that the stack's outputs name is not there."""


class UntoldError(LastmileError):
    """A cloud does not tell this, or not to whoever asks; of other things it may."""


@dataclass(frozen=True)
class Asked:
    """Who was asked, and about which deployment."""

    target: Target
    deployment: str
    region: str | None = None
    account: str | None = None

    @property
    def cloud(self) -> str:
        """The cloud, for people."""
        return _NAMES[self.target]

    @property
    def where(self) -> str:
        """Where the deployment is, for people: `churn-dev (eu-west-1, account 1234)`."""
        words = [self.region, f"account {self.account}" if self.account else None]
        told = ", ".join(word for word in words if word)
        return f"{self.deployment} ({told})" if told else self.deployment

    def expired(self, said: str) -> LastmileError:
        """Return that the credentials are not taken."""
        return LastmileError(
            f"{self.cloud} does not take your credentials for {self.where}: {_line(said)}.",
            _LOGIN[self.target],
        )

    def denied(self, what: str, said: str) -> UntoldError:
        """Return that whoever asks may not know."""
        return UntoldError(
            f"{self.cloud} does not let you see {what} of {self.where}: {_line(said)}.",
            f"Are these the right credentials? {_WHOSE[self.target]}\nElse have whoever owns the account allow it.",
        )

    def missing(self, what: str, said: str, other_account: str | None = None) -> MissingError:
        """Return that something is not there, though the stack's outputs name it."""
        if other_account:
            return MissingError(
                f"{what} of {self.where} is not there: your credentials are those of the account {other_account}.",
                f"Use the credentials of the account {self.account}: {_WHOSE[self.target]}",
            )
        return MissingError(
            f"{what} of {self.where} is not there: {_line(said)}.",
            "The stack has it, so it was deleted beside it, or your credentials are another account's: "
            f"{_WHOSE[self.target]}\nMake it again: lastmile up --target {self.target}",
        )

    def throttled(self, what: str, said: str) -> LastmileError:
        """Return that the cloud refused, again and again, because there were too many questions."""
        return LastmileError(
            f"{self.cloud} was asked for {what} of {self.where} again and again, and refused because there are too many "
            f"requests: {_line(said)}.",
            "Wait a minute, then run it again; whoever else asks this account's API counts too.",
        )

    def unreachable(self, what: str, said: str) -> LastmileError:
        """Return that there was no answer."""
        return LastmileError(
            f"{self.cloud} cannot be reached for {what} of {self.where}: {_line(said)}.",
            "Is there a network? Behind a proxy, set HTTPS_PROXY. Is the region right?",
        )

    def failed(self, what: str, said: str) -> UntoldError:
        """Return what else the cloud said."""
        return UntoldError(
            f"{self.cloud} did not tell {what} of {self.where}: {_line(said)}.",
            "Run it again; if that stays, look at the cloud's own status page.",
        )


def no_sdk(target: Target, package: str) -> LastmileError:
    """Return that a cloud's client is not installed here."""
    return LastmileError(
        f"{package} is not installed, with which {_NAMES[target]} is asked.",
        f"Install it: pip install 'lastmile-sls[{target}]'",
    )


def _line(said: str) -> str:
    """Return the first line of what a cloud said."""
    lines = said.strip().splitlines()
    return (lines[0][:_LONGEST] if lines else "it did not say why").rstrip(". ")
