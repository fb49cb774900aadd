"""Fitting that gives the same numbers each time."""

from typing import Any

from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits


def fitted(pipeline: Pipeline, inputs: Any, labels: Any) -> Pipeline:
    """`pipeline`, fitted on one thread.

    Several threads would add up in an order that depends on the machine's load, and on problems as small as these they
    wait for each other longer than they work.
    """
    with threadpool_limits(limits=1):
        return pipeline.fit(inputs, labels)
