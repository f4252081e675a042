"""Writes down what a process asks of a cloud: a proxy in front of an emulator that reads each request as the cloud would."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import threading
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.conformance.aws.account import ACCOUNT, Account
from tests.conformance.iam.judge import Call

_SIGNED = re.compile(r"AWS4-HMAC-SHA256 Credential=[^/]+/\d{8}/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request,")
_HOP = frozenset({"connection", "transfer-encoding", "content-length", "date", "server"})


class UnreadableError(Exception):
    """A request of which nothing here knows what it needs."""


Reader = Callable[[str, str, Mapping[str, str], bytes], Call]
"""Method, path, headers by lower-case name, and body to what they need to be allowed; raises UnreadableError."""


class Recorder(ThreadingHTTPServer):
    """What was asked, in order."""

    daemon_threads = True

    def __init__(self, endpoint: str, read: Reader) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.endpoint = endpoint
        self.read = read
        self.calls: list[Call] = []
        self.unreadable: list[str] = []
        """Requests that count as no call: unsigned, or of a kind that nothing here knows. There must be none."""

    @property
    def url(self) -> str:
        """What stands in for AWS's own addresses."""
        return f"http://127.0.0.1:{self.server_port}"

    def once(self) -> list[Call]:
        """Return each different call. Raises UnreadableError when a request could not be read."""
        if self.unreadable:
            raise UnreadableError("; ".join(self.unreadable))
        return list(dict.fromkeys(self.calls))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Recorder

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        named = {name.lower(): value for name, value in self.headers.items()}
        try:
            call = self.server.read(self.command, self.path, named, body)
            self.server.calls.append(call)
        except UnreadableError as error:
            self.server.unreadable.append(str(error))
        host = self.server.endpoint.removeprefix("http://")
        connection = http.client.HTTPConnection(host, timeout=30)
        with contextlib.closing(connection):
            connection.request(self.command, self.path, body, dict(self.headers.items()))
            answer = connection.getresponse()
            content = answer.read()
            if answer.status == 404 and self.server.calls:
                self.server.calls += _told_of_absence(self.server.calls[-1])
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                if name.lower() not in _HOP:
                    self.send_header(name, value)
            of_what_is_there = answer.headers.get("content-length") if self.command == "HEAD" else None
            self.send_header("content-length", of_what_is_there or str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _pass_on

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base class names it
        return


def _told_of_absence(call: Call) -> list[Call]:
    """Return what a caller needs besides to be told that an object is not there, and not that it may not ask.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html, "Permissions" (read 2026-11-29)
    """
    if call.action != "s3:GetObject":
        return []
    context = {"aws:SecureTransport": "true"}
    return [Call("s3:ListBucket", call.resource.partition("/")[0], context, by="S3")]


def read_aws(method: str, path: str, headers: Mapping[str, str], body: bytes, account: Account) -> Call:
    """Return what a request to AWS needs. Raises UnreadableError for one that is not signed, or not known."""
    signed = _SIGNED.match(headers.get("authorization") or "")
    if not signed:
        raise UnreadableError(f"{method} {path} is not signed.")
    region, service = signed.groups()
    place, _, query = path.partition("?")
    parts = urllib.parse.unquote(place), urllib.parse.parse_qs(query, keep_blank_values=True)
    readers: dict[str, Callable[[], Call]] = {
        "s3": lambda: _read_s3(method, *parts, body),
        "lambda": lambda: _read_lambda(method, *parts, region),
        "secretsmanager": lambda: _read_secret(headers, json.loads(body or b"{}"), account),
        "sqs": lambda: _read_sqs(headers, json.loads(body or b"{}"), region),
    }
    if service not in readers:
        raise UnreadableError(f"{method} {path} asks {service}, of which nothing here knows what it needs.")
    call = readers[service]()
    return Call(call.action, call.resource, {"aws:SecureTransport": "true", **call.context})


_OBJECT = {
    "GET": "s3:GetObject",
    "HEAD": "s3:GetObject",
    "PUT": "s3:PutObject",
    "DELETE": "s3:DeleteObject",
}
"""https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html (read 2026-11-29)"""


_KEY = re.compile(rb"<Key>([^<]+)</Key>")


def _read_s3(method: str, path: str, query: Mapping[str, list[str]], body: bytes) -> Call:
    bucket, _, key = path.lstrip("/").partition("/")
    if key and method in _OBJECT and not set(query) - {"x-id"}:
        return Call(_OBJECT[method], f"arn:aws:s3:::{bucket}/{key}")
    if not key and method == "GET" and "list-type" in query:
        return Call("s3:ListBucket", f"arn:aws:s3:::{bucket}", {"s3:prefix": query.get("prefix", [""])[0]})
    keys = _KEY.findall(body)
    if not key and method == "POST" and "delete" in query and len(keys) == 1:
        return Call("s3:DeleteObject", f"arn:aws:s3:::{bucket}/{keys[0].decode()}")
    raise UnreadableError(f"{method} {path} with {sorted(query)} is nothing that is known of S3.")


_INVOKE = re.compile(r"/2015-03-31/functions/([^/]+)/invocations")


def _read_lambda(method: str, path: str, query: Mapping[str, list[str]], region: str) -> Call:
    found = _INVOKE.fullmatch(path)
    if method != "POST" or not found:
        raise UnreadableError(f"{method} {path} is nothing that is known of Lambda.")
    name = found[1]
    if not name.startswith("arn:"):
        name = f"arn:aws:lambda:{region}:{ACCOUNT}:function:{name}"
    qualifier = query.get("Qualifier")
    return Call("lambda:InvokeFunction", f"{name}:{qualifier[0]}" if qualifier else name)


def _read_sqs(headers: Mapping[str, str], body: Mapping[str, Any], region: str) -> Call:
    target = headers.get("x-amz-target") or ""
    if target != "AmazonSQS.SendMessage":
        raise UnreadableError(f"{target} is nothing that is known of SQS.")
    account, name = str(body["QueueUrl"]).split("/")[-2:]
    return Call("sqs:SendMessage", f"arn:aws:sqs:{region}:{account}:{name}")


def _read_secret(headers: Mapping[str, str], body: Mapping[str, Any], account: Account) -> Call:
    target = headers.get("x-amz-target") or ""
    if target != "secretsmanager.GetSecretValue":
        raise UnreadableError(f"{target} is nothing that is known of Secrets Manager.")
    named = str(body["SecretId"])
    name = named.split(":", 6)[6] if named.startswith("arn:") else named
    for secret in account.pages("secretsmanager", "list_secrets", "SecretList"):
        if named == secret["ARN"] or name == secret["Name"]:
            return Call("secretsmanager:GetSecretValue", secret["ARN"])
    raise UnreadableError(f"there is no secret {named}.")


_GCS = {
    "GET": "storage.objects.get",
    "HEAD": "storage.objects.get",
    "PUT": "storage.objects.create",
    "DELETE": "storage.objects.delete",
}
"""https://docs.cloud.google.com/storage/docs/access-control/iam-xml (read 2026-11-29)"""
_BLOB = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"
_BLOBS = {
    "GET": f"{_BLOB}/read",
    "HEAD": f"{_BLOB}/read",
    "PUT": f"{_BLOB}/write",
    "DELETE": f"{_BLOB}/delete",
}
_UPLOAD = {"block", "blocklist"}
_LIST = {"restype": ["container"], "comp": ["list"]}
_BATCH = {"restype": ["container"], "comp": ["batch"]}
_DELETED = re.compile(rb"^DELETE /[^/\s]+/(\S+) HTTP", re.MULTILINE)
"""With the account in front, as Azurite has it."""
_QUEUE = "Microsoft.Storage/storageAccounts/queueServices/queues"
"""https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory (read 2026-11-29)"""


def read_gcs(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Call:
    """Return what a request to Cloud Storage's XML API needs. Raises UnreadableError for one that is not known."""
    place, _, query = path.partition("?")
    bucket, _, key = urllib.parse.unquote(place).lstrip("/").partition("/")
    if key and method in _GCS and not query:
        return Call(_GCS[method], f"projects/_/buckets/{bucket}/objects/{key}")
    if bucket and not key and method == "GET" and "list-type" in urllib.parse.parse_qs(query):
        return Call("storage.objects.list", f"projects/_/buckets/{bucket}")
    raise UnreadableError(f"{method} {path} with {query!r} is nothing that is known of Cloud Storage.")


def read_pubsub(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Call:
    """Return what a request to Pub/Sub needs. Raises UnreadableError for one that is not known.

    https://cloud.google.com/pubsub/docs/access-control (read 2026-11-29)
    """
    topic, _, verb = path.removeprefix("/v1/").partition(":")
    if method == "POST" and verb == "publish":
        return Call("pubsub.topics.publish", topic)
    raise UnreadableError(f"{method} {path} is nothing that is known of Pub/Sub.")


def read_blob(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Call:
    """Return what a request to Azure's Blob service needs. Raises UnreadableError for one that is not known."""
    place, _, query = path.partition("?")
    _, _, container, blob = (*urllib.parse.unquote(place).split("/", 3), "", "", "")[:4]
    asked = urllib.parse.parse_qs(query, keep_blank_values=True)
    if (
        blob
        and method in _BLOBS
        and set(asked.get("comp", ())) <= _UPLOAD
        and set(asked) <= {"comp", "blockid"}
    ):
        return Call(_BLOBS[method], f"{container}/{blob}")
    if container and not blob and method == "POST" and asked == _BATCH:
        return Call(_BLOB.removesuffix("/blobs") + "/write", container)
    if container and not blob and method == "GET" and asked.items() >= _LIST.items():
        # The page names the action; the sub-operation and the attribute are those of conditions
        # (learn.microsoft.com/azure/storage/blobs/storage-auth-abac-attributes, "List blobs", read 2026-11-29).
        listed = {"suboperation": "Blob.List", "prefix": asked.get("prefix", [""])[0]}
        return Call(f"{_BLOB}/read", container, listed)
    raise UnreadableError(f"{method} {path} is nothing that is known of Azure's Blob service.")


def in_batch(path: str, body: bytes) -> list[Call]:
    """Return what the parts of a batch of Azure's Blob service need, which is a request of requests: only deletions."""
    if "comp=batch" not in path:
        return []
    blobs = [urllib.parse.unquote(found.decode()).partition("?")[0] for found in _DELETED.findall(body)]
    return [Call(f"{_BLOB}/delete", blob) for blob in blobs]


def read_storage_queue(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Call:
    """Return what a request to Azure's Queue service needs. Raises UnreadableError for one that is not known."""
    place, _, query = path.partition("?")
    _, _, queue, below = (*urllib.parse.unquote(place).split("/", 3), "", "", "")[:4]
    if (
        queue
        and below == "messages"
        and method == "POST"
        and set(urllib.parse.parse_qs(query)) <= {"messagettl"}
    ):
        return Call(f"{_QUEUE}/messages/add/action", queue)
    raise UnreadableError(f"{method} {path} is nothing that is known of Azure's Queue service.")


@contextlib.contextmanager
def recording(endpoint: str, read: Reader) -> Iterator[Recorder]:
    """Run a proxy in front of an emulator until the end of the block."""
    recorder = Recorder(endpoint, read)
    threading.Thread(target=recorder.serve_forever, daemon=True).start()
    try:
        yield recorder
    finally:
        recorder.shutdown()
        recorder.server_close()


def recording_aws(account: Account) -> contextlib.AbstractContextManager[Recorder]:
    """Run a proxy in front of moto until the end of the block."""

    def read(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Call:
        return read_aws(method, path, headers, body, account)

    return recording(account.endpoint, read)


def of_lambda(region: str, log_group: str) -> list[Call]:
    """Return what Lambda itself does in a function's name, with its role.

    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html, "Required IAM permissions" (read
    2026-11-29), without CreateLogGroup: the group is there. The names of the streams are like those of the page.
    """
    stream = (
        f"arn:aws:logs:{region}:{ACCOUNT}:log-group:{log_group}:log-stream:2026/11/29/[7]0123456789abcdef"
    )
    by = "Lambda"
    return [Call("logs:CreateLogStream", stream, by=by), Call("logs:PutLogEvents", stream, by=by)]


def of_lambdas_pollers(queue: str) -> list[Call]:
    """Return what Lambda does with a queue, by its ARN, with the role of the function that works on it.

    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html, "Execution role permissions" (read 2026-11-29).
    """
    actions = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
    return [Call(action, queue, {"aws:SecureTransport": "true"}, by="Lambda") for action in actions]
