"""What this process counts; served on a port of its own, never beside the API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from cab_registry.services.logs import make_logger

_BUCKETS: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5)


class Metrics:
    """Counters and gauges of one application, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._answers = Counter("cab_answers", "Answers by verdict.", ["verdict"], registry=self.registry)
        self._seconds = Histogram(
            "cab_answer_seconds", "Time of the engine for one answer.", buckets=_BUCKETS, registry=self.registry
        )
        self._responses = Counter(
            "cab_responses", "HTTP responses by method and status.", ["method", "status"], registry=self.registry
        )
        self._damage = Counter(
            "cab_register_damage",
            "Times that a record read was not what was recorded; anything above zero needs an operator.",
            registry=self.registry,
        )
        self._position = Gauge("cab_register_position", "Log position of the register held.", registry=self.registry)
        self._lag = Gauge(
            "cab_follower_lag_seconds", "Seconds since the log was last read to its end.", registry=self.registry
        )

        self._shed = Counter(
            "cab_shed", "Work that was refused at once, since too much of its kind waits.", ["work"],
            registry=self.registry,
        )  # fmt: skip

    def count_shed(self, work: str) -> None:
        """Count work that was refused at once."""
        self._shed.labels(work).inc()

    def count_damage(self) -> None:
        """Count that something read was not what was recorded."""
        self._damage.inc()

    def count_answer(self, verdict: str, seconds: float) -> None:
        """Count an answer and the time it took."""
        self._answers.labels(verdict).inc()
        self._seconds.observe(seconds)

    def count_response(self, method: str, status: int) -> None:
        """Count a response."""
        self._responses.labels(method, str(status)).inc()

    def watch(self, position: Callable[[], float], lag: Callable[[], float]) -> None:
        """Read position and lag whenever somebody looks."""
        self._position.set_function(position)
        self._lag.set_function(lag)

    @contextmanager
    def served(self, host: str, port: int) -> Iterator[int]:
        """Serve the metrics while the application runs; gives the port that was taken.

        Where another process of this service holds the port already, this one runs without.
        """
        try:
            server, thread = start_http_server(port, host, registry=self.registry)
        except OSError as fault:
            make_logger().warning("metrics_not_served", host=host, port=port, reason=fault.strerror or str(fault))
            yield 0
            return
        try:
            yield server.server_port
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
