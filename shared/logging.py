"""Logs are JSON lines with one `action` each, on stderr. No personal text, no secret."""

from __future__ import annotations

import logging
import sys

import structlog


def configure(service: str, *, level: int = logging.INFO) -> None:
    """Set structlog up for a process; call once, at its start."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
    # Libraries speak through the standard library; only their warnings matter here.
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)


def logger(area: str) -> structlog.stdlib.BoundLogger:
    """A logger whose lines say which part of the system they come from."""
    bound: structlog.stdlib.BoundLogger = structlog.get_logger(area=area)
    return bound
