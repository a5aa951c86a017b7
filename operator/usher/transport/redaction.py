"""HTTP libraries log whole URLs, and a SCIM query holds user names: their loggers are kept quiet."""

from __future__ import annotations

import logging
from typing import Final

_TALKERS: Final = ("aiohttp", "aiohttp.access", "aiohttp.client", "aiohttp.internal")


def silence_url_loggers() -> None:
    """Lets nothing below WARNING through; the libraries put URLs into INFO and DEBUG only."""
    for name in _TALKERS:
        logger = logging.getLogger(name)
        logger.setLevel(max(logger.level, logging.WARNING))
