"""Asks a deployment through KServe's SDK, in a process that has it: the request on standard input, what it found on
standard output.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import httpx
import numpy as np
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig


async def main(url: str, key: str, model: str, rows: list[list[float]]) -> dict[str, Any]:
    headers = {"x-api-key": key}
    found: dict[str, Any] = {}
    async with InferenceRESTClient(RESTConfig(protocol="v1")) as client:
        told: dict[str, str] = {}
        ready = await client.is_model_ready(url, model, headers=headers)
        answer = await client.infer(url, {"instances": rows}, model, headers, told)
        found["v1"] = {"ready": ready, **answer, "version": told["x-model-version"]}
        pin = {**headers, "x-model-version": "v2"}
        found["pinned"] = (await client.infer(url, {"inputs": rows}, model, pin))["predictions"]
        try:
            await client.infer(url, {"instances": [[1, 2]]}, model, headers)
        except httpx.HTTPStatusError as error:
            found["refused"] = error.response.status_code
    async with InferenceRESTClient(RESTConfig(protocol="v2")) as client:
        live = await client.is_server_live(url, headers=headers)
        ready = await client.is_server_ready(url, headers=headers) and await client.is_model_ready(
            url, model, headers=headers
        )
        found["v2"] = {"live": live, "ready": ready}
        for name, binary in (("json", False), ("binary", True)):
            tensor = InferInput("input", list(np.array(rows).shape), "FP64")
            tensor.set_data_from_numpy(np.array(rows), binary_data=binary)
            request = InferRequest(model, [tensor], parameters={"binary_data_output": binary})
            answer = await client.infer(url, request, model, dict(headers))
            (output,) = [output for output in answer.outputs if output.name == "predict"]
            found["v2"][name] = output.as_numpy().tolist()
    return found


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(**json.load(sys.stdin)))))
