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


class DatasetImported(LearningError):
    """The dataset {dataset} was imported: what became of its items since is known where they were predicted, and not
    here, so nothing can be compared with it."""

    status = 409
    code = "dataset-imported"


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
    """The dataset {dataset} is of '{model}', and {release} is of another model."""

    status = 409
    code = "other-model"


class ReleaseNotRunnable(LearningError):
    """The release {release} has no model file here that could be run: {why}."""

    status = 409
    code = "release-not-runnable"


class ElsewhereNotAsked(LearningError):
    """{release} runs at {address}, and could not be asked about all items: {fault} Nothing was kept of what it said;
    evaluate again once that is mended."""

    status = 503
    code = "elsewhere-not-asked"


class RecipesOff(LearningError):
    """This server runs no recipes. Whoever runs it names a folder of recipes in the setting training_recipes, as
    docs/retraining.md explains."""

    status = 409
    code = "recipes-off"


class UnknownRecipe(LearningError):
    """There is no recipe '{name}' in this server's folder of recipes; there are: {names}."""

    status = 404
    code = "unknown-recipe"


class RecipeRefused(LearningError):
    """The recipe is not right: {fault}"""

    status = 400
    code = "recipe-refused"


class RecipeChanged(LearningError):
    """The file '{path}' of the recipe '{name}' is not what it was when the recipe was declared: look at it, and declare
    the recipe again."""

    status = 409
    code = "recipe-changed"


class NoRecipe(LearningError):
    """'{model}' has no recipe: declare one with 'lockgate recipe set {model} NAME'."""

    status = 409
    code = "no-recipe"


class NothingToLearn(LearningError):
    """The dataset {dataset} has no items in its training split."""

    status = 409
    code = "nothing-to-learn"


class DatasetOfOtherModel(LearningError):
    """The dataset {dataset} is of '{of}', and not of '{model}'."""

    status = 409
    code = "dataset-of-other-model"


class UnknownJob(LearningError):
    """There is no job with this id here."""

    status = 404
    code = "unknown-job"


class JobOver(LearningError):
    """The job can be cancelled no more: it is {state}."""

    status = 409
    code = "job-over"


class TrainingFailed(LearningError):
    """The training came to nothing: {fault} Nothing was kept of it but its log."""

    status = 409
    code = "training-failed"


class LearningFailed(LearningError):
    """The work did not end: {why}. Nothing was kept of it; it can be asked for again."""

    code = "learning-failed"
