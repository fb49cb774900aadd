"""What a bench found out, as a picture or as a page that stands by itself: no script, no address, its own style."""

from gateway.inference.benched import Benched, sentences
from review.console.assets import FILES
from review.console.bench_plot import bench_plot
from review.console.pages import document
from review.console.report import STYLE

PLOT_STYLE = FILES["bench.css"].decode()


def bench_svg(benched: Benched) -> str:
    """The plot."""
    said = list(sentences(benched))
    return document("_bench.svg", benched=benched, said=said, plot=bench_plot(benched), style=PLOT_STYLE)


def bench_html(benched: Benched) -> str:
    """The whole page, with the table behind the plot."""
    return document(
        "bench.html",
        benched=benched,
        said=list(sentences(benched)),
        plot=bench_plot(benched),
        style=PLOT_STYLE,
        page_style=STYLE,
    )
