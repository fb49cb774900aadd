"""TF-IDF over words and word pairs, then a logistic regression."""

from collections.abc import Sequence

import msgspec
import numpy as np
from skl2onnx.common.data_types import StringTensorType
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from demo.data.reviews import Snippet, SnippetSplit
from demo.models.fitting import fitted
from demo.models.onnx_file import classifier_bytes

# Given to scikit-learn and to the graph alike: their own defaults differ on words of one letter.
WORD = r"[a-zA-Z0-9_']+"


def train(split: SnippetSplit) -> bytes:
    """The ONNX file of a model fitted to `split.train`: `text` (BYTES [n, 1]) to `label` (BYTES [n])."""
    return onnx_bytes(fit(split))


def train_swapped(split: SnippetSplit) -> bytes:
    """A model like `train`'s that learned from labels in which negative and positive were swapped."""
    return train(msgspec.structs.replace(split, train=tuple(map(_swapped, split.train))))


def _swapped(snippet: Snippet) -> Snippet:
    return msgspec.structs.replace(snippet, ratings=tuple(-rating for rating in snippet.ratings))


def fit(split: SnippetSplit) -> Pipeline:
    """The pipeline fitted to `split.train`, as scikit-learn knows it."""
    return fit_sentences([each.text for each in split.train], [each.label for each in split.train])


def fit_sentences(texts: Sequence[str], labels: Sequence[str]) -> Pipeline:
    """The pipeline fitted to sentences with their labels."""
    words = TfidfVectorizer(token_pattern=WORD, ngram_range=(1, 2), min_df=2)
    pipeline = Pipeline([("words", words), ("classifier", LogisticRegression(C=5.0, max_iter=2000))])
    return fitted(pipeline, np.array(texts), np.array(labels))


def onnx_bytes(pipeline: Pipeline) -> bytes:
    """A fitted pipeline as the ONNX file that serves."""
    # The locale names how letters are lowered; only `C` is there on every machine.
    options = {"tokenexp": WORD, "locale": "C"}
    return classifier_bytes(pipeline, "sentiment", [("text", StringTensorType([None, 1]))], options)
