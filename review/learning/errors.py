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


class UnknownRelease(LearningError):
    """There is no release '{release}' here; releases are named like sentiment@7."""

    status = 404
    code = "unknown-release"


class UnknownEvaluation(LearningError):
    """There is no evaluation with this id here."""

    status = 404
    code = "unknown-evaluation"


class NoEffect(LearningError):
    """There is no effect of this case to show: it is not settled, was settled as unanswerable or as a disagreement, or
    no release was measured on its answer yet."""

    status = 404
    code = "no-effect"


class NothingHeldOut(LearningError):
    """The dataset {dataset} holds nothing out, so nothing can be measured on it."""

    status = 409
    code = "nothing-held-out"


class OtherModel(LearningError):
    """The dataset {dataset} is of '{model}', and {release} is a release of another model."""

    status = 409
    code = "other-model"


class ReleaseNotRunnable(LearningError):
    """The release {release} has no model file here that could be run: {why}."""

    status = 409
    code = "release-not-runnable"


class LearningFailed(LearningError):
    """The work did not end: {why}. Nothing was kept of it; it can be asked for again."""

    code = "learning-failed"
