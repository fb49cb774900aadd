"""`python -m demo.models` makes the three models and prints how good they are on the items kept back."""

import sys
import time

from demo.errors import DemoError
from demo.home import HOME
from demo.models.build import BuiltModel, make_props


def main() -> int:
    """The exit status: 0, or 1 after a sentence that says what is missing."""
    started = time.perf_counter()
    try:
        props = make_props(HOME)
    except DemoError as error:
        print(error, file=sys.stderr)
        return 1
    print(
        f"{'model':10} {'items':>6} {'right':>6} {'doubtful':>9} {'right if doubtful':>18} {'right if not':>13} made in"
    )
    for model in props.models:
        print(_row(model))
    print(f"ready in {time.perf_counter() - started:.1f} s")
    return 0


def _row(model: BuiltModel) -> str:
    told = model.figures
    doubtful = f"{_share(told.doubtful_accuracy):>18} {_share(told.confident_accuracy):>13}"
    plain = f"{model.name:10} {told.items:6} {told.accuracy:6.3f} {told.doubtful_share:9.3f}"
    return f"{plain} {doubtful} {model.seconds:.1f} s"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


if __name__ == "__main__":
    sys.exit(main())
