"""`worker`: delivers the outbox and runs periodic work until it is told to stop."""

from __future__ import annotations

import os
import signal
import socket
import threading
from datetime import timedelta
from types import FrameType
from typing import Any

import structlog
from django.core.management.base import BaseCommand, CommandParser
from django.db import Error, close_old_connections

from smartgov.blocks.ops import beating, outbox, periodic
from smartgov.shared import clock

logger = structlog.get_logger()
SHORTEST_SLEEP, LONGEST_SLEEP = 0.05, 0.5
BEAT_EVERY = timedelta(seconds=10)


class Command(BaseCommand):
    """A loop with short sleeps that grow to half a second while there is nothing to do."""

    help = "Deliver the outbox and run periodic work until SIGTERM."

    def add_arguments(self, parser: CommandParser) -> None:
        """`--once` for scripts and tests."""
        parser.add_argument("--once", action="store_true", help="one round, then stop")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run rounds until a signal comes; a delivery in progress is finished first."""
        self.stop = threading.Event()
        self.name = f"{socket.gethostname()}:{os.getpid()}"
        self.last_beat = clock.now() - BEAT_EVERY
        if options["once"]:
            self._round()
            return
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._told_to_stop)
        logger.info("worker_started", worker=self.name)
        self._loop()
        beating.ended(self.name)
        logger.info("worker_stopped", worker=self.name)

    def _told_to_stop(self, number: int, frame: FrameType | None) -> None:
        self.stop.set()

    def _loop(self) -> None:
        sleep = SHORTEST_SLEEP
        while not self.stop.is_set():
            try:
                sleep = SHORTEST_SLEEP if self._round() else min(sleep * 1.5, LONGEST_SLEEP)
            except Error as error:
                logger.warning("worker_round_failed", problem=type(error).__name__)
                close_old_connections()
                sleep = LONGEST_SLEEP
            self.stop.wait(sleep)

    def _round(self) -> int:
        """One round; the number of deliveries, because only those promise more work at once."""
        self._beat()
        periodic.run_due()
        return outbox.dispatch(stop=self.stop.is_set)

    def _beat(self) -> None:
        now = clock.now()
        if now - self.last_beat < BEAT_EVERY:
            return
        self.last_beat = now
        beating.beat(self.name)
