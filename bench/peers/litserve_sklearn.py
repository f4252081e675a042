"""The estimator in LitServe."""

import os
import sys

import joblib
import litserve


class Classifier(litserve.LitAPI):
    def setup(self, device):
        self.model = joblib.load(os.environ["BENCH_MODEL"])

    def decode_request(self, request):
        return request["features"]

    def predict(self, features):
        return self.model.predict_proba([features])[0].tolist()

    def encode_response(self, probability):
        return {"probability": probability}


if __name__ == "__main__":
    server = litserve.LitServer(Classifier(), accelerator="cpu")
    server.run(host="127.0.0.1", port=int(sys.argv[1]), generate_client_file=False)
