"""Structured logs on standard error: JSON for machines, columns for people, and never a key or a payload."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog
from structlog.typing import Processor

from gateway.noted import log_requests
from lockgate.request_lines import NoLines, RequestLines, masked

QUIET = ("alembic", "asyncio", "httpx", "httpcore", "sqlalchemy", "aiosqlite", "uvicorn")
"""Libraries of which only warnings are logged: their news is in our own events."""


def configure_logs(level: str, format_: str, process: str) -> None:
    """Send the log of this process, libraries included, to standard error."""
    structlog.configure(
        processors=[*_shared(process), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter(format_, process))
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    if logging.getLogger().level > logging.INFO:
        log_requests(NoLines())
    elif not _for_people(format_):
        log_requests(RequestLines(sys.stderr, process))
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _shared(process: str) -> list[Processor]:
    def name_process(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event.setdefault("process", process)
        return event

    return [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        name_process,
        mask_keys,
    ]


def mask_keys(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The event with every key of ours cut short."""
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = masked(value)
    return event


def _for_people(format_: str) -> bool:
    return format_ == "console" or (format_ == "auto" and sys.stderr.isatty())


def _formatter(format_: str, process: str) -> logging.Formatter:
    last: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if _for_people(format_):
        last.append(structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()))
    else:
        last += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    return structlog.stdlib.ProcessorFormatter(foreign_pre_chain=_shared(process), processors=last)
