"""Specs that the tests share: a small one as text, and one that uses every field."""

from __future__ import annotations

from pathlib import Path

SMALL = """\
name: churn
owner: team-a
cost_center: c-1
versions:
  - id: v1
    artifact: model.joblib
    framework: sklearn
"""

FULL = """\
name: churn
environment: prod
owner: ada@example.com
cost_center: "4711"
description: Who leaves?
versions:
  - {id: v1, artifact: a.joblib, framework: sklearn, sample: s.csv, requirements: [scikit-learn==1.9.1], frame: true}
  - {id: v2, artifact: m.py, framework: python, entry: Model, description: a class}
  - {id: v3, artifact: "s3://models/m.onnx", framework: onnx}
  - id: v4
    artifact: own.pkl
    framework: sklearn
    trusted: true
    data: "sha256:0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f"
traffic:
  champion: v1
  weights: {v1: 89.5, v2: 10.25, v3: 0.25}
  shadows: [{version: v4, percent: 50}]
  sticky: {cookie: visitor}
endpoint:
  auth: jwt
  jwt: {issuer: "https://login.example.com", audiences: [churn]}
  cors: {allow_origins: ["https://app.example.com"]}
  rate_limit: {requests_per_s: 10.5, burst: 20}
  domain: churn.example.com
resources:
  {memory_mb: 1024, timeout_s: 60, concurrency: 8, min_instances: 1, max_instances: 9, processor: arm64}
contract:
  inputs:
    - {name: age, datatype: FP64, minimum: 18, maximum: 99.5}
    - {name: plan, datatype: BYTES, categories: ["yes", "no: maybe"]}
  outputs:
    - {name: predict_proba, datatype: FP64, shape: [-1, 2]}
bundle:
  {python: "3.12", bytecode: none, cold_start_budget_ms: 500, signature: {key: team.pem}}
secrets: {DB_PASSWORD: churn-db}
storage: {results_days: 7, capture_days: 14, old_versions_days: 5}
queue: {max_attempts: 3, visibility_timeout_s: 60, retention_s: 3600}
schedule: {cron: "0 3 * * *", input: in/, output: "s3://out/", format: jsonl}
operations:
  notify: [oncall@example.com]
  alarms: {errors_percent: 1, latency_p95_ms: 800, throttles: 5, queue_age_s: 600, dead_letters: 2}
  dashboard: false
  log_retention_days: 90
budget: {monthly_limit: 25.5, currency: EUR}
tags: {team: growth}
targets:
  local: {port: 9000, idle_timeout_s: 60}
  aws: {region: eu-west-1, package: image, base_image: "public.ecr.aws/lambda/python:3.12"}
  gcp: {project: acme-models, region: europe-west1, base_image: "oci:base"}
  azure: {subscription: 00000000-0000-0000-0000-000000000001, location: westeurope, package: zip}
"""


def write_spec(folder: Path, text: str) -> Path:
    """Write a spec into a folder, and return its path."""
    path = folder / "lastmile.yaml"
    path.write_text(text, encoding="utf-8")
    return path
