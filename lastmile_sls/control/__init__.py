"""What a deployment does now, asked of its cloud by the cloud's own client: state, logs, queue, and a smoke test."""
