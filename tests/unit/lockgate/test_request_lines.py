"""The events of requests are lines of JSON like those of all other events."""

import asyncio
import io
import json

from lockgate.request_lines import RequestLines


async def test_the_events_of_a_turn_are_written_together_at_its_end() -> None:
    """One line each, in their order, with what every event has; nothing of a key is written."""
    stream = io.StringIO()
    lines = RequestLines(stream, "gateway-1")
    lines.put("tabular", 200, "", 0.51)
    lines.put("lg_0123456789abcdefghij", 404, "unknown-model", 0.1)
    assert stream.getvalue() == ""
    await asyncio.sleep(0)
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert first.pop("at").endswith("Z")
    assert first == {
        "event": "request", "level": "info", "process": "gateway-1",
        "model": "tabular", "status": 200, "error": "", "ms": 0.51,
    }  # fmt: skip
    assert "0123456789" not in second["model"]
    lines.put("tabular", 200, "", 0.5)
    await asyncio.sleep(0)
    assert len(stream.getvalue().splitlines()) == 3
