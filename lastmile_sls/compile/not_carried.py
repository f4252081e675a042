"""What neither the readers of pipelines nor the export to ONNX carry, each with its reason."""

from __future__ import annotations

from lastmile_sls.compile.refusal import CannotCompile

REFUSALS = {
    "step": "only scikit-learn's own scalers, imputers, encoders, selectors, polynomials and projections are read, and no "
    "class that derives from them",
    "final step": "only linear models and the ensembles of trees that the readers name are read, and no class that "
    "derives from them",
    "output": "this model answers with the methods that scikit-learn's class has, and nothing else",
    "transform": "columns that come out as they were sent have the type that each request gives them",
    "columns": "a pipeline is evaluated on rows of values, and the model does not say how many they have",
    "products per row": "from 10000 on ONNX Runtime is faster",
    "encoder dtype": "codes are float64 numbers",
    "encoder category": "categories must be numbers, booleans or text",
    "SimpleImputer missing_values": "a request can hold NaN, numbers and text",
    "FunctionTransformer func": "only numpy's abs, exp, expm1, log, log10, log1p, log2, negative, sign, sqrt, square "
    "and tanh are carried, without arguments",
    "transformer_weights": "weighted columns are not carried",
    "RidgeClassifier labels": "several labels per row are not carried",
    "TweedieRegressor link": "only the links auto, identity and log are known",
    "LogisticRegression multi_class": "only auto, ovr and multinomial are known",
    "ONNX output": "only predict, predict_proba and transform are exported",
    "ONNX converter": "skl2onnx must convert every part of the model",
    "ONNX graph": "its answers must have the types and shapes of the model's",
}
"""Each option, and why it is refused."""


class NotCarried(CannotCompile):
    """A model that is not carried."""

    refusals = REFUSALS
