"""LitServe around a model that costs nothing."""

import sys

import litserve


class Total(litserve.LitAPI):
    def setup(self, device):
        pass

    def decode_request(self, request):
        return request["features"]

    def predict(self, features):
        return sum(features)

    def encode_response(self, total):
        return {"total": total}


if __name__ == "__main__":
    server = litserve.LitServer(Total(), accelerator="cpu")
    server.run(host="127.0.0.1", port=int(sys.argv[1]), generate_client_file=False)
