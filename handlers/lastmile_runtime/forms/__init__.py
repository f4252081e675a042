"""One module per form that a platform reads events in: each turns an event of `lastmile_runtime.telemetry` into it."""
