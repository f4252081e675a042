from __future__ import annotations

from pathlib import Path

import pytest

from lastmile_sls.errors import LastmileError
from lastmile_sls.spec.load import check_files, load
from lastmile_sls.spec.model import Spec
from tests.lastmile_sls.spec.specs import FULL, SMALL, write_spec


def refusal(folder: Path, text: str) -> str:
    """Return what loading the text says, with the file's name in place of its path."""
    path = write_spec(folder, text)
    with pytest.raises(LastmileError) as caught:
        load(path)
    return str(caught.value).replace(str(path), "lastmile.yaml")


def test_a_small_spec_gets_every_default(tmp_path: Path) -> None:
    spec = load(write_spec(tmp_path, SMALL))
    assert spec.model_dump(exclude_defaults=True) == {
        "name": "churn",
        "owner": "team-a",
        "cost_center": "c-1",
        "versions": ({"id": "v1", "artifact": "model.joblib", "framework": "sklearn"},),
    }
    assert spec.environment == "dev"
    assert spec.champion() == "v1"
    assert spec.endpoint.auth == "key"
    assert (spec.resources.memory_mb, spec.resources.timeout_s, spec.resources.concurrency) == (512, 30, 4)


def test_every_field_can_be_given(tmp_path: Path) -> None:
    spec = load(write_spec(tmp_path, FULL))
    assert spec.traffic.weights == {"v1": 89.5, "v2": 10.25, "v3": 0.25}
    assert spec.contract.inputs[1].categories == ("yes", "no: maybe")
    assert spec.model_fields_set == set(Spec.model_fields)


def test_anchors_are_fine(tmp_path: Path) -> None:
    text = SMALL.replace("team-a", "&who team-a").replace("c-1", "*who")
    assert load(write_spec(tmp_path, text)).cost_center == "team-a"


RULES = {
    "resorces: {}": "lastmile.yaml:8 resorces is not a field. Did you mean resources?",
    "resources: {memory: 1}": "lastmile.yaml:8 resources.memory is not a field. Did you mean memory_mb?",
    "queue: {size: 1}": "lastmile.yaml:8 queue.size is not a field."
    " The fields here are max_attempts, visibility_timeout_s, retention_s, callback.",
    "queue: {callback: {urls: ['http://a.example/'], secret: HOOKS}}": "lastmile.yaml:8 queue.callback.urls[0] is"
    " 'http://a.example/', but must begin with https://, or be on this machine.",
    "schedule: {cron: '0 25 * * *', input: in, output: out}": "lastmile.yaml:8 schedule.cron has '25' for the hour, but it"
    " must be 0 to 23.",
    "schedule: {cron: '0 6 * * *', input: ../in, output: out}": "lastmile.yaml:8 schedule.input is '../in', but must be a"
    " folder, such as batch/in, or a URL of an object store, such as s3://bucket/folder.",
    "operations: {notify: []}": "lastmile.yaml:8 operations.notify is [], but must have at least 1.",
    "bundle: {python: '3'}": "lastmile.yaml:8 bundle.python is '3', but must be a version of Python in two numbers,"
    " such as 3.13.",
    "bundle: {bytecode: fast}": "lastmile.yaml:8 bundle.bytecode is 'fast', but must be one of 'compiled' or 'none'.",
    "bundle: {signature: {}}": "lastmile.yaml:8 bundle.signature needs one of key, certificates, or identity with issuer,"
    " and no more.",
    "bundle: {signature: {identity: a@example.com}}": "lastmile.yaml:8 bundle.signature needs identity and issuer together.",
    "endpoint: {domain: Churn.example.com}": "lastmile.yaml:8 endpoint.domain is 'Churn.example.com', but must be a domain"
    " name in lower case, such as predict.example.com.",
    "secrets: {DB-PASSWORD: x}": "lastmile.yaml:8 secrets has the key 'DB-PASSWORD', but it must be the name of an"
    " environment variable, such as DB_PASSWORD.",
    "secrets: {DB_PASSWORD: a/b}": "lastmile.yaml:8 secrets.DB_PASSWORD is 'a/b', but must be a secret's name that every"
    " vault takes: at most 127 letters, digits and dashes.",
    "secrets: {AWS_KEY: x}": "lastmile.yaml:8 secrets has AWS_KEY, but names that begin with LASTMILE_, AWS_, AZURE,"
    " FUNCTIONS_, WEBSITE_, GOOGLE_, K_, PYTHON, PORT, PATH, LD_ are the runtime's and the clouds'. Choose another.",
    "targets: {aws: {account: '12'}}": "lastmile.yaml:8 targets.aws.account is '12', but must be an AWS account's twelve"
    " digits.",
    "targets: {aws: {hosted_zone: z}}": "lastmile.yaml:8 targets.aws.hosted_zone is 'z', but must be a hosted zone's id,"
    " such as Z0123456789ABCDEFGHIJ.",
    "targets: {aws: {certificate: c}}": "lastmile.yaml:8 targets.aws.certificate is 'c', but must be a certificate's ARN,"
    " such as arn:aws:acm:eu-west-1:123456789012:certificate/ID.",
    "targets: {aws: {callers: ['a/b']}}": "lastmile.yaml:8 targets.aws.callers[0] is 'a/b', but must be the name"
    " of an IAM role.",
    "targets: {aws: {bucket: A}}": "lastmile.yaml:8 targets.aws.bucket is 'A', but must be a bucket's name: 3 to 63"
    " lower-case letters, digits, dots, dashes and underscores.",
    "targets: {gcp: {project: p}}": "lastmile.yaml:8 targets.gcp.project is 'p', but must be a Google Cloud project's id,"
    " such as my-project-123.",
    "targets: {gcp: {region: eu-west-1}}": "lastmile.yaml:8 targets.gcp.region is 'eu-west-1', but must be a region such as"
    " europe-west1.",
    "targets: {gcp: {dns_zone: A}}": "lastmile.yaml:8 targets.gcp.dns_zone is 'A', but must be the name of a managed zone:"
    " lower-case letters, digits and dashes.",
    "targets: {gcp: {callers: [ann]}}": "lastmile.yaml:8 targets.gcp.callers[0] is 'ann', but must be a member such as"
    " serviceAccount:NAME@PROJECT.iam.gserviceaccount.com.",
    "targets: {azure: {location: West Europe}}": "lastmile.yaml:8 targets.azure.location is 'West Europe', but must be an"
    " Azure location in lower case, such as westeurope.",
    "targets: {azure: {tenant: t}}": "lastmile.yaml:8 targets.azure.tenant is 't', but must be an id such as"
    " 00000000-0000-0000-0000-000000000000.",
    "targets: {azure: {bucket: b}}": "lastmile.yaml:8 targets.azure.bucket is 'b', but must be a storage account and a"
    " container in it, such as account/container.",
    "targets: {azure: {resource_group: 'a/b'}}": "lastmile.yaml:8 targets.azure.resource_group is 'a/b', but must be the"
    " name of a resource group.",
    "targets: {azure: {key_vault: v}}": "lastmile.yaml:8 targets.azure.key_vault is 'v', but must be the name of a Key"
    " Vault: 3 to 24 letters, digits and dashes.",
    "targets: {azure: {dns_zone: z}}": "lastmile.yaml:8 targets.azure.dns_zone is 'z', but must be a resource group and a"
    " zone in it, such as dns/example.com.",
    "targets: {azure: {key_vault: vault}}": "lastmile.yaml:8 targets.azure needs resource_group, where the bucket or the"
    " key_vault of yours is.",
    "budget: {}": "lastmile.yaml:8 budget.monthly_limit is missing. Add it.",
    "1: 2": "lastmile.yaml the spec has the key 1, but a key is text. Quote it.",
    "tags: {1: x}": "lastmile.yaml:8 tags has the key 1, but a key is text. Quote it.",
    "description: 1": "lastmile.yaml:8 description is 1, but must be text. Quote it: '1'.",
    "environment: [a]": "lastmile.yaml:8 environment is ['a'], but should be a valid string.",
    "environment: Dev": "lastmile.yaml:8 environment is 'Dev', but must have lower-case letters, digits and single"
    " dashes only, and begin with a letter.",
    "endpoint: {auth: none}": "lastmile.yaml:8 endpoint.auth is 'none', but must be one of 'key', 'jwt', 'iam' or 'public'.",
    "endpoint: {app: ../app.py:app}": "lastmile.yaml:8 endpoint.app is '../app.py:app', but must be a Python file relative"
    " to this spec, and the name of an application in it, such as app.py:app.",
    "endpoint: {app: app.py}": "lastmile.yaml:8 endpoint.app is 'app.py', but must be a Python file relative to"
    " this spec, and the name of an application in it, such as app.py:app.",
    "endpoint: {auth: jwt}": "lastmile.yaml:8 endpoint needs jwt with auth: jwt, and only there.",
    "endpoint: {rate_limit: {requests_per_s: .inf, burst: 1}}": "lastmile.yaml:8 endpoint.rate_limit.requests_per_s"
    " is inf, but should be a finite number.",
    "resources: {memory_mb: true}": "lastmile.yaml:8 resources.memory_mb is True, but should be a valid integer.",
    "resources: {timeout_s: '30'}": "lastmile.yaml:8 resources.timeout_s is '30', but should be a valid integer.",
    "resources: {memory_mb: 8}": "lastmile.yaml:8 resources.memory_mb is 8, but should be greater than or equal to 64.",
    "resources: {min_instances: 5, max_instances: 4}": "lastmile.yaml:8 resources has min_instances 5, but max_instances 4."
    " Lower the one or raise the other.",
    "traffic: {weights: {v1: 130}}": "lastmile.yaml:8 traffic.weights.v1 is 130, but should be less than or equal to 100.",
    "traffic: {weights: {v1: 99}}": "lastmile.yaml:8 traffic.weights sum to 99, but must sum to 100. Raise one of them.",
    "traffic: {weights: {v1: 70, v2: 60}}": "lastmile.yaml:8 traffic.weights sum to 130, but must sum to 100."
    " Lower one of them.",
    "traffic: {weights: {v1: 99.999}}": "lastmile.yaml:8 traffic.weights has 99.999 for v1, but a percentage has at most"
    " two decimals.",
    "traffic: {weights: {v9: 100}}": "lastmile.yaml:8 traffic.weights names 'v9', but the versions are v1."
    " Name one of them.",
    "traffic: {champion: v9}": "lastmile.yaml:8 traffic.champion names 'v9', but the versions are v1. Name one of them.",
    "traffic: {shadows: [{version: v9}]}": "lastmile.yaml:8 traffic.shadows names 'v9', but the versions are v1."
    " Name one of them.",
    "traffic: {sticky: {}}": "lastmile.yaml:8 traffic.sticky needs exactly one of header, cookie, input.",
    "traffic: {sticky: {header: a b}}": "lastmile.yaml:8 traffic.sticky.header is 'a b', but must be the name of an"
    " HTTP header.",
    "contract: {inputs: [{name: a, datatype: FP64}, {name: a, datatype: FP64}]}": "lastmile.yaml:8 contract.inputs has"
    " the name a twice. Give each its own.",
    "targets: {local: {port: 80}}": "lastmile.yaml:8 targets.local.port is 80, but should be greater than or equal to 1024.",
    "targets: {aws: {region: Ireland}}": "lastmile.yaml:8 targets.aws.region is 'Ireland', but must be a region such as"
    " eu-west-1.",
    "tags: {owner: x}": "lastmile.yaml:8 tags.owner is set by lastmile. Use the spec's own field, or another key.",
    "tags: {Team: x}": "lastmile.yaml:8 tags has the key 'Team', but a key is a-z, 0-9 and -, begins with a letter and has"
    " at most 63 characters. Write team.",
}


@pytest.mark.parametrize(("line", "says"), RULES.items(), ids=RULES)
def test_each_rule_names_line_field_value_and_rule(tmp_path: Path, line: str, says: str) -> None:
    assert refusal(tmp_path, f"{SMALL}{line}\n") == says


VERSIONS = {
    "{id: champion, artifact: a, framework: onnx}": ":5 versions[0].id is 'champion', an alias that requests use;"
    " the aliases are champion, challenger, shadow. Choose another.",
    "{id: 1, artifact: a, framework: onnx}": ":5 versions[0].id is 1, but must be text. Quote it: '1'.",
    "{id: v1, artifact: a, framework: python}": ":5 versions[0] needs entry, the class of a python artifact,"
    " with framework python and only there.",
    "{id: v1, artifact: a, framework: onnx, entry: M}": ":5 versions[0] needs entry, the class of a python artifact,"
    " with framework python and only there.",
    "{id: v1, artifact: a, framework: keras}": ":5 versions[0].framework is 'keras', but must be one of 'sklearn',"
    " 'xgboost', 'lightgbm', 'onnx', 'python', 'pytorch' or 'mlflow'.",
    "{id: v1, artifact: a, framework: onnx}\n  - {id: v1, artifact: b, framework: onnx}": ":4 versions has the id v1 twice."
    " Give each version its own.",
    "{id: v1, artifact: a, framework: onnx}\n  - {id: v2, artifact: b, framework: onnx}": " traffic.champion is missing,"
    " but there are 2 versions. Name one of v1, v2.",
}


@pytest.mark.parametrize(("version", "says"), VERSIONS.items(), ids=VERSIONS)
def test_rules_of_versions(tmp_path: Path, version: str, says: str) -> None:
    text = f"name: churn\nowner: a\ncost_center: c\nversions:\n  - {version}\n"
    assert refusal(tmp_path, text) == f"lastmile.yaml{says}"


def test_all_mistakes_are_told_together_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = "nme: churn\nowner: a\ncost_center: c\nversions:\n  - {id: v1, artifact: a, framwork: onnx}\n"
    assert refusal(tmp_path, text).splitlines() == [
        "lastmile.yaml name is missing. Add it.",
        "lastmile.yaml:1 nme is not a field. Did you mean name?",
        "lastmile.yaml:5 versions[0].framework is missing. Add it.",
        "lastmile.yaml:5 versions[0].framwork is not a field. Did you mean framework?",
    ]


def test_missing_files_are_named_with_what_is_near(tmp_path: Path) -> None:
    spec = load(write_spec(tmp_path, SMALL.replace("model.joblib", "models/champion.joblib")))
    models = tmp_path / "models"
    models.mkdir()
    (models / "champoin.joblib").touch()
    with pytest.raises(LastmileError) as caught:
        check_files(spec, tmp_path)
    assert caught.value.message == (
        "versions[0].artifact is 'models/champion.joblib', but there is no such file "
        f"({models / 'champion.joblib'}). Did you mean champoin.joblib?"
    )
    assert caught.value.hint == "Paths are relative to the spec."


def test_a_folder_is_no_artifact_and_a_uri_is_not_looked_for(tmp_path: Path) -> None:
    (tmp_path / "model.joblib").mkdir()
    with pytest.raises(LastmileError) as caught:
        check_files(load(write_spec(tmp_path, SMALL)), tmp_path)
    assert (
        caught.value.message
        == "versions[0].artifact is 'model.joblib', which is a folder, but must be a file."
    )
    check_files(load(write_spec(tmp_path, SMALL.replace("model.joblib", "s3://models/m.joblib"))), tmp_path)


def test_an_mlflow_model_is_a_folder(tmp_path: Path) -> None:
    spec = load(write_spec(tmp_path, SMALL.replace("framework: sklearn", "framework: mlflow")))
    with pytest.raises(
        LastmileError, match=r"^versions\[0\]\.artifact is 'model\.joblib', but there is no such folder"
    ):
        check_files(spec, tmp_path)
    (tmp_path / "model.joblib").write_bytes(b"")
    with pytest.raises(LastmileError) as refused:
        check_files(spec, tmp_path)
    assert str(refused.value).splitlines()[0] == (
        "versions[0].artifact is 'model.joblib', which is a file, but with framework mlflow must be a model's folder."
    )
    (tmp_path / "model.joblib").unlink()
    (tmp_path / "model.joblib").mkdir()
    check_files(spec, tmp_path)
