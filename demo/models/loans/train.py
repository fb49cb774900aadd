"""A scaler over fourteen named columns, then a logistic regression."""

import pandas as pd
from skl2onnx.common.data_types import FloatTensorType, Int64TensorType
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from demo.data.loans import AMOUNTS, CODES, Application, ApplicationSplit
from demo.models.fitting import fitted
from demo.models.onnx_file import classifier_bytes


def train(split: ApplicationSplit) -> bytes:
    """The ONNX file of a model fitted to `split.train`: fourteen inputs (FP32 and INT64, each [n, 1]) to `label`."""
    amounts = [(name, FloatTensorType([None, 1])) for name in AMOUNTS]
    codes = [(name, Int64TensorType([None, 1])) for name in CODES]
    return classifier_bytes(fit(split), "loans", [*amounts, *codes])


def fit(split: ApplicationSplit) -> Pipeline:
    """The pipeline fitted to `split.train`, as scikit-learn knows it."""
    columns = ColumnTransformer(
        [("amounts", StandardScaler(), list(AMOUNTS)), ("codes", StandardScaler(), list(CODES))]
    )
    pipeline = Pipeline([("columns", columns), ("classifier", LogisticRegression(max_iter=2000))])
    return fitted(pipeline, _table(split.train), [each.decision for each in split.train])


def _table(applications: tuple[Application, ...]) -> pd.DataFrame:
    rows = [(*each.amounts, *each.codes) for each in applications]
    return pd.DataFrame(rows, columns=[*AMOUNTS, *CODES])
