"""What can go wrong with bundles."""

from review.errors import ReviewError


class BundleError(ReviewError):
    """Something is wrong with a bundle."""

    code = "bundle"


class NotABundle(BundleError):
    """This is no bundle that can be read: {fault}."""

    status = 400
    code = "not-a-bundle"


class BundleDamaged(BundleError):
    """The bundle is not whole: {faults}."""

    status = 400
    code = "bundle-damaged"


class NothingToReplay(BundleError):
    """The bundle's report cannot be made again: {why}"""

    status = 409
    code = "nothing-to-replay"


class ImportRefused(BundleError):
    """The bundle of {release} cannot be imported: {why}"""

    status = 409
    code = "import-refused"


class BundleIncomplete(BundleError):
    """{release} cannot be bundled: {faults}"""

    status = 409
    code = "bundle-incomplete"
