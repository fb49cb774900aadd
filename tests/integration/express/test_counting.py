"""Plain requests are counted a moment later, and whoever reads counts finds every answer in them."""

from gateway import metrics
from gateway.express.tally import MOST
from gateway.statistics import STATISTICS
from tests.integration.express.test_both_ways import ROW, answering, body, send


async def test_whoever_reads_counts_finds_every_answer() -> None:
    """More of them than are added up at once, in the metrics and in the statistics, as soon as they are answered."""
    content, asked = body(ROW, ROW), MOST + 3
    async with answering() as stand:
        metrics.catch_up()  # of gateways that answered here before
        metrics.PREDICTIONS.forget()
        metrics.PREDICTION_SECONDS.forget()
        model = stand.follower.live.model(stand.tenant_id, "m", None)
        before = STATISTICS.of(model)[0].execution_count
        several = [send(stand, content) for _ in range(asked)]
        assert all(map(stand.express.take, several))
        for sent in several:
            await sent.done.wait()
        told = metrics.render("gateway-1")
        assert STATISTICS.of(model)[0].execution_count - before == asked
        assert sum(metrics.PREDICTIONS.values.values()) == asked
        assert f'lockgate_prediction_seconds_count{{model="m",process="gateway-1"}} {asked}' in told
