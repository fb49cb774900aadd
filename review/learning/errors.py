"""What can go wrong where outcomes become datasets and scores."""

from review.errors import ReviewError


class LearningError(ReviewError):
    """Something went wrong in learning."""

    code = "learning"


class DatasetEmpty(LearningError):
    """There is no outcome of '{model}' to freeze here; {left_out} were left out."""

    status = 409
    code = "dataset-empty"


class AnswersOutsideSchema(LearningError):
    """{count} outcomes are no answers of the label schema in force, the first one of prediction {prediction}; freeze
    what came after the schema with --since, or release the schema that they were given under."""

    status = 409
    code = "answers-outside-schema"


class InputsDiffer(LearningError):
    """The input '{name}' of prediction {prediction} does not fit the signature of '{model}'."""

    status = 409
    code = "inputs-differ"


class UnknownDataset(LearningError):
    """There is no dataset '{dataset}' here; the first characters of its SHA-256 will do when only one has them."""

    status = 404
    code = "unknown-dataset"


class LearningFailed(LearningError):
    """The work did not end: {why}. Nothing was kept of it; it can be asked for again."""

    code = "learning-failed"
