"""Every rule, in the order in which they are told."""

from __future__ import annotations

from lastmile_sls.policy.rule import Rule
from lastmile_sls.policy.rules.access import NO_ANONYMOUS, PRIVATE_STORAGE
from lastmile_sls.policy.rules.capacity import INSTANCES, MEMORY
from lastmile_sls.policy.rules.encryption import ENCRYPTED
from lastmile_sls.policy.rules.endpoints import ENDPOINT_AUTH
from lastmile_sls.policy.rules.logs import LOG_GROUPS, LOG_RETENTION
from lastmile_sls.policy.rules.operations import ALARMS, BUDGET
from lastmile_sls.policy.rules.queues import DEAD_LETTERS
from lastmile_sls.policy.rules.regions import REGIONS
from lastmile_sls.policy.rules.tags import TAGS
from lastmile_sls.policy.rules.tls import BUCKETS_TLS, TLS

RULES: tuple[Rule, ...] = (
    TAGS,
    REGIONS,
    PRIVATE_STORAGE,
    NO_ANONYMOUS,
    ENDPOINT_AUTH,
    ENCRYPTED,
    TLS,
    BUCKETS_TLS,
    LOG_RETENTION,
    LOG_GROUPS,
    MEMORY,
    INSTANCES,
    DEAD_LETTERS,
    ALARMS,
    BUDGET,
)
