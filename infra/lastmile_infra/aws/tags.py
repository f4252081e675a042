"""The deployment's tags where AWS takes fewer than fifty."""

from __future__ import annotations

MOST_ON_AN_OBJECT = 10
"""docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html (2026-11-29)."""
_FIXED = ("model", "environment", "owner", "cost-center", "managed-by")


def object_tags(tags: dict[str, str]) -> dict[str, str]:
    """Return the tags of an object in S3: all, or where they are too many the ones that every deployment has.

    What an object costs is its bucket's cost, which has them all: S3 tells the costs of buckets, never of objects.
    """
    if len(tags) <= MOST_ON_AN_OBJECT:
        return tags
    return {key: tags[key] for key in _FIXED if key in tags}
