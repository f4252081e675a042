"""The messages between the host of Azure Functions and its workers, as far as Python's worker reads or writes them.

Names and numbers are those of FunctionRpc.proto (github.com/Azure/azure-functions-language-worker-protobuf). Both
sides use this module: the host, and the process that stands in for Azure's own proxy to the worker.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2

PACKAGE = "AzureFunctionsRpcMessages"
STREAM = f"/{PACKAGE}.FunctionRpc/EventStream"
# A line without indentation begins a message. A field: number, name, type ([]T repeated, {}T a map from text), oneof.
FIELDS = """
StreamingMessage
  1 request_id string
  2 rpc_log RpcLog content
  4 invocation_request InvocationRequest content
  5 invocation_response InvocationResponse content
  8 function_load_request FunctionLoadRequest content
  9 function_load_response FunctionLoadResponse content
  12 worker_status_request WorkerStatusRequest content
  13 worker_status_response WorkerStatusResponse content
  16 worker_init_response WorkerInitResponse content
  17 worker_init_request WorkerInitRequest content
  20 start_stream StartStream content
  25 function_environment_reload_request FunctionEnvironmentReloadRequest content
  26 function_environment_reload_response FunctionEnvironmentReloadResponse content
  29 functions_metadata_request FunctionsMetadataRequest content
  30 function_metadata_response FunctionMetadataResponse content
StartStream
  2 worker_id string
WorkerStatusRequest
WorkerStatusResponse
WorkerInitRequest
  1 host_version string
  2 capabilities {}string
  4 worker_directory string
  5 function_app_directory string
WorkerInitResponse
  2 capabilities {}string
  3 result StatusResult
  4 worker_metadata WorkerMetadata
WorkerMetadata
  1 runtime_name string
  2 runtime_version string
  3 worker_version string
  4 worker_bitness string
  5 custom_properties {}string
StatusResult
  1 result string
  2 exception RpcException
  4 status StatusResult.Status
RpcException
  1 stack_trace string
  2 message string
  3 source string
FunctionEnvironmentReloadRequest
  1 environment_variables {}string
  2 function_app_directory string
FunctionEnvironmentReloadResponse
  1 worker_metadata WorkerMetadata
  2 capabilities {}string
  3 result StatusResult
FunctionsMetadataRequest
  1 function_app_directory string
FunctionMetadataResponse
  1 function_metadata_results []RpcFunctionMetadata
  2 result StatusResult
  3 use_default_metadata_indexing bool
RpcFunctionMetadata
  1 directory string
  2 script_file string
  3 entry_point string
  4 name string
  6 bindings {}BindingInfo
  7 is_proxy bool
  9 language string
  10 raw_bindings []string
  13 function_id string
  14 managed_dependency_enabled bool
  15 retry_options RpcRetryOptions
  16 properties {}string
RpcRetryOptions
  2 max_retry_count int32
BindingInfo
  2 type string
  3 direction BindingInfo.Direction
  4 data_type BindingInfo.DataType
FunctionLoadRequest
  1 function_id string
  2 metadata RpcFunctionMetadata
FunctionLoadResponse
  1 function_id string
  2 result StatusResult
InvocationRequest
  1 invocation_id string
  2 function_id string
  3 input_data []ParameterBinding
  4 trigger_metadata {}TypedData
  5 trace_context RpcTraceContext
  6 retry_context RetryContext
InvocationResponse
  1 invocation_id string
  2 output_data []ParameterBinding
  3 result StatusResult
  4 return_value TypedData
RpcTraceContext
  1 trace_parent string
  2 trace_state string
  3 attributes {}string
RetryContext
  1 retry_count int32
  2 max_retry_count int32
  3 exception RpcException
ParameterBinding
  1 name string
  2 data TypedData rpc_data
TypedData
  1 string string data
  2 json string data
  3 bytes bytes data
  5 http RpcHttp data
  6 int sint64 data
  7 double double data
RpcHttp
  1 method string
  2 url string
  3 headers {}string
  4 body TypedData
  10 params {}string
  12 status_code string
  15 query {}string
  16 enable_content_negotiation bool
  19 cookies []RpcHttpCookie
RpcHttpCookie
  1 name string
  2 value string
  3 domain NullableString
  4 path NullableString
  5 expires NullableTimestamp
  6 secure NullableBool
  7 http_only NullableBool
  8 same_site RpcHttpCookie.SameSite
  9 max_age NullableDouble
NullableString
  1 value string string
NullableDouble
  1 value double double
NullableBool
  1 value bool bool
NullableTimestamp
  1 value google.protobuf.Timestamp timestamp
RpcLog
  1 invocation_id string
  2 category string
  3 level RpcLog.Level
  4 message string
  8 log_category RpcLog.RpcLogCategory
"""
ENUMS = {
    "StatusResult.Status": "Failure Success Cancelled",
    "BindingInfo.Direction": "in out inout",
    "BindingInfo.DataType": "undefined string binary stream",
    "RpcHttpCookie.SameSite": "None Lax Strict ExplicitNone",
    "RpcLog.Level": "Trace Debug Information Warning Error Critical None",
    "RpcLog.RpcLogCategory": "User System CustomMetric",
}
_FIELD = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    "string": _FIELD.TYPE_STRING,
    "bytes": _FIELD.TYPE_BYTES,
    "bool": _FIELD.TYPE_BOOL,
    "int32": _FIELD.TYPE_INT32,
    "sint64": _FIELD.TYPE_SINT64,
    "double": _FIELD.TYPE_DOUBLE,
}


def _describe() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(name="FunctionRpc.proto", package=PACKAGE, syntax="proto3")
    file.dependency.append(timestamp_pb2.DESCRIPTOR.name)
    for line in FIELDS.strip().splitlines():
        if not line.startswith(" "):
            _add_enums(file.message_type.add(name=line))
        else:
            _add_field(file.message_type[-1], *line.split())
    return file


def _add_enums(message: descriptor_pb2.DescriptorProto) -> None:
    for path, names in ENUMS.items():
        parent, _, name = path.partition(".")
        if parent == message.name:
            enum = message.enum_type.add(name=name)
            for number, value in enumerate(names.split()):
                enum.value.add(name=value, number=number)


def _add_field(
    message: descriptor_pb2.DescriptorProto, number: str, name: str, type_: str, oneof: str | None = None
) -> None:
    field = message.field.add(name=name, number=int(number), label=_FIELD.LABEL_OPTIONAL)
    if type_[:2] in ("[]", "{}"):
        field.label = _FIELD.LABEL_REPEATED
    if type_.startswith("{}"):
        entry = message.nested_type.add(name=f"{name.title().replace('_', '')}Entry")
        entry.options.map_entry = True
        _add_field(entry, "1", "key", "string")
        _add_field(entry, "2", "value", type_[2:])
        type_ = f"{message.name}.{entry.name}"
    type_ = type_.removeprefix("[]")
    if type_ in _SCALARS:
        field.type = _SCALARS[type_]
    else:
        field.type = _FIELD.TYPE_ENUM if type_ in ENUMS else _FIELD.TYPE_MESSAGE
        field.type_name = f".{type_}" if type_.startswith("google.") else f".{PACKAGE}.{type_}"
    if oneof:
        names = [declared.name for declared in message.oneof_decl]
        if oneof not in names:
            message.oneof_decl.add(name=oneof)
        field.oneof_index = names.index(oneof) if oneof in names else len(names)


class Messages:
    """The messages' classes, by their names."""

    def __init__(self) -> None:
        file = _describe()
        descriptor_pool.Default().Add(file)
        for message in file.message_type:
            found = descriptor_pool.Default().FindMessageTypeByName(f"{PACKAGE}.{message.name}")
            setattr(self, message.name, message_factory.GetMessageClass(found))

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"{name} is no message that Python's worker needs; add it to FIELDS.")


protos = Messages()
