"""`pulumi-resource-lastmile`: the provider as a plugin of the Pulumi CLI."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from concurrent import futures
from typing import Any, NoReturn

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from lastmile_sls.errors import LastmileError
from lastmile_sls.local.home import find_home
from lastmile_sls.provider.lifetime import wait
from lastmile_sls.provider.service import LastmileProvider

_MAX_MESSAGE = [("grpc.max_receive_message_length", 400 * 1024 * 1024)]


class _UserErrors(grpc.ServerInterceptor):  # type: ignore[type-arg]  # generic in its stubs only
    """Turns a LastmileError into a status whose text Pulumi shows; anything else is a bug and keeps its traceback."""

    def intercept_service(self, continuation: Callable[[Any], Any], handler_call_details: Any) -> Any:
        handler = continuation(handler_call_details)
        if handler is None or handler.unary_unary is None:
            return handler

        def answer(request: Any, context: grpc.ServicerContext) -> Any:
            try:
                return handler.unary_unary(request, context)
            except LastmileError as error:
                _abort(context, str(error))

        return grpc.unary_unary_rpc_method_handler(
            answer, handler.request_deserializer, handler.response_serializer
        )


def _abort(context: grpc.ServicerContext, text: str) -> NoReturn:
    context.abort(grpc.StatusCode.UNKNOWN, text)
    raise AssertionError("abort raises")


def main() -> None:
    """Serve on a port of the loopback interface, print it, and wait to be ended."""
    parent = os.getppid()
    server = grpc.server(futures.ThreadPoolExecutor(8), interceptors=[_UserErrors()], options=_MAX_MESSAGE)
    provider = LastmileProvider("pulumi", find_home(os.environ))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.stop(grace=1))
    wait(server, parent)


if __name__ == "__main__":
    main()
