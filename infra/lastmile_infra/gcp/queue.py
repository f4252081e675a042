"""The queue of work that waits: Pub/Sub, which pushes each message to the function, and keeps those that were set aside.

Google encrypts what is stored, always, and no address of Pub/Sub's takes plain HTTP
(cloud.google.com/pubsub/docs/encryption, read 2026-11-29).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from lastmile_infra.gcp.function import Function
from lastmile_infra.gcp.identity import allow_to_call, make_pusher
from lastmile_infra.gcp.scope import Scope
from lastmile_sls.plan.document import QueuePlan

PUBLISHER = "roles/pubsub.publisher"
"""pubsub.topics.publish and nothing else (cloud.google.com/pubsub/docs/access-control, read 2026-11-29)."""
SUBSCRIBER = "roles/pubsub.subscriber"
"""pubsub.subscriptions.consume; its two others are about snapshots and topics, and mean nothing on a subscription."""
TOKEN_MAKER = "roles/iam.serviceAccountOpenIdTokenCreator"  # noqa: S105 - a role's name
"""iam.serviceAccounts.getOpenIdToken and nothing else (cloud.google.com/iam/docs/roles-permissions/iam, 2026-11-29)."""
PUSH_PATH = "/_lastmile/queue"
"""Where `lastmile_runtime.adapters.gcp` takes pushes."""
_SHORTEST_WAIT_S, _LONGEST_WAIT_S = 10, 600
"""Before a message is pushed again: what Pub/Sub does where a subscription has a retry policy, said aloud (the discovery
document of pubsub v1, RetryPolicy)."""
_REDRIVE_S = 60
"""Whoever redrives a message has so long between fetching it and having sent it on."""


@dataclass(frozen=True)
class Queue:
    """A topic with the messages that wait, and one with those that nobody could work on."""

    topic: gcp.pubsub.Topic
    set_aside: gcp.pubsub.Topic
    dead_letters: gcp.pubsub.Subscription
    """Keeps what was set aside until somebody fetches it."""
    account: gcp.serviceaccount.Account
    """Whose pushes the function takes."""
    agent: gcp.projects.ServiceIdentity
    """Pub/Sub itself, in this project."""

    @property
    def url(self) -> pulumi.Output[str]:
        """As functions know it (see `lastmile_runtime.queues`)."""
        return pulumi.Output.concat("pubsub://", self.topic.project, "/", self.topic.name)


def make_queue(scope: Scope, plan: QueuePlan, identity: str) -> Queue:
    """Make the topics, and whoever pushes, called after the deployment's identity. Nothing is pushed yet."""
    name = f"{scope.name}-{plan['name']}"
    set_aside = _make_topic(scope, f"{name}-dead", plan["dead_letters"])
    dead_letters = gcp.pubsub.Subscription(
        f"{name}-dead-letters",
        name=plan["dead_letters"],
        topic=set_aside.id,
        ack_deadline_seconds=_REDRIVE_S,
        message_retention_duration=f"{plan['dead_letters_s']}s",
        expiration_policy=_NEVER,
        labels=scope.labels,
        opts=scope.opts,
    )
    return Queue(
        _make_topic(scope, name, plan["resource"]),
        set_aside,
        dead_letters,
        make_pusher(scope, identity),
        gcp.projects.ServiceIdentity(f"{name}-agent", service="pubsub.googleapis.com", opts=scope.opts),
    )


_NEVER = gcp.pubsub.SubscriptionExpirationPolicyArgs(ttl="")
"""Without it a subscription that was idle for 31 days is gone, and its messages with it."""


def _make_topic(scope: Scope, name: str, resource: str) -> gcp.pubsub.Topic:
    """Make a topic whose messages stay in the deployment's region."""
    return gcp.pubsub.Topic(
        name,
        name=resource,
        message_storage_policy=gcp.pubsub.TopicMessageStoragePolicyArgs(
            allowed_persistence_regions=[scope.region]
        ),
        labels=scope.labels,
        opts=scope.opts,
    )


def allow_to_send(scope: Scope, name: str, queue: Queue, member: pulumi.Input[str]) -> pulumi.Resource:
    """Let a member send messages; `name` tells the grants of a deployment apart."""
    return _allow(scope, f"{scope.name}-{name}", queue.topic, member)


def _allow(scope: Scope, name: str, topic: gcp.pubsub.Topic, member: pulumi.Input[str]) -> pulumi.Resource:
    grant: pulumi.Resource = gcp.pubsub.TopicIAMMember(
        name, topic=topic.id, role=PUBLISHER, member=member, opts=scope.opts
    )
    return grant


def work_on(
    scope: Scope, plan: QueuePlan, queue: Queue, function: Function, audience: str
) -> gcp.pubsub.Subscription:
    """Have Pub/Sub push messages to a function, each again until it was worked on or has to be set aside.

    Args:
        scope: Where, and with which labels.
        plan: How often, and how long each time.
        queue: What is pushed.
        function: Who works on it.
        audience: Whom the pushes' tokens are for.
    """
    name = f"{scope.name}-{plan['name']}"
    token = gcp.pubsub.SubscriptionPushConfigOidcTokenArgs(
        service_account_email=queue.account.email, audience=audience
    )
    subscription = gcp.pubsub.Subscription(
        f"{name}-pushes",
        name=plan["resource"],
        topic=queue.topic.id,
        push_config=gcp.pubsub.SubscriptionPushConfigArgs(
            push_endpoint=pulumi.Output.concat(function.service.uri, PUSH_PATH), oidc_token=token
        ),
        ack_deadline_seconds=plan["visibility_timeout_s"],
        message_retention_duration=f"{plan['retention_s']}s",
        expiration_policy=_NEVER,
        dead_letter_policy=gcp.pubsub.SubscriptionDeadLetterPolicyArgs(
            dead_letter_topic=queue.set_aside.id, max_delivery_attempts=plan["max_attempts"]
        ),
        retry_policy=gcp.pubsub.SubscriptionRetryPolicyArgs(
            minimum_backoff=f"{_SHORTEST_WAIT_S}s", maximum_backoff=f"{_LONGEST_WAIT_S}s"
        ),
        labels=scope.labels,
        opts=scope.options(depends_on=_allow_pushes(scope, name, queue, function)),
    )
    gcp.pubsub.SubscriptionIAMMember(
        f"{name}-takes-away",
        subscription=subscription.name,
        role=SUBSCRIBER,
        member=queue.agent.member,
        opts=scope.opts,
    )
    return subscription


def _allow_pushes(scope: Scope, name: str, queue: Queue, function: Function) -> Sequence[pulumi.Resource]:
    """Let the pushes in, and Pub/Sub prove whose they are and set messages aside."""
    invoker = allow_to_call(scope, "pushes-called", function.service, queue.account.member)
    tokens = gcp.serviceaccount.IAMMember(
        f"{name}-proves",
        service_account_id=queue.account.name,
        role=TOKEN_MAKER,
        member=queue.agent.member,
        opts=scope.opts,
    )
    return [invoker, tokens, _allow(scope, f"{name}-sets-aside", queue.set_aside, queue.agent.member)]
