"""A logistic regression on raw grey values, held back by strong regularisation."""

import numpy as np
from skl2onnx.common.data_types import FloatTensorType
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from demo.data.images import SIDE, DigitSplit
from demo.models.fitting import fitted
from demo.models.onnx_file import classifier_bytes


def train(split: DigitSplit) -> bytes:
    """The ONNX file of a model fitted to `split.train`: `pixels` (FP32 [n, 64], 0 to 16) to `label` (INT64 [n])."""
    return classifier_bytes(fit(split), "digits", [("pixels", FloatTensorType([None, SIDE * SIDE]))])


def fit(split: DigitSplit) -> Pipeline:
    """The pipeline fitted to `split.train`, as scikit-learn knows it."""
    pipeline = Pipeline([("classifier", LogisticRegression(C=0.001, max_iter=2000))])
    return fitted(
        pipeline,
        np.array([each.pixels for each in split.train], dtype=np.float32),
        np.array([each.label for each in split.train], dtype=np.int64),
    )
