"""The embedded cloud: functions, routes, queues, buckets and keys on this machine."""
