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
        self._refusals = Counter(
            "cab_refusals", "Requests that were refused, by kind of problem.", ["kind"], registry=self.registry
        )
        self._closed = Counter(
            "cab_connections_closed",
            "Connections that were closed or refused for a limit, by reason.",
            ["reason"],
            registry=self.registry,
        )
        self._connections = Gauge("cab_connections", "Connections held.", registry=self.registry)
        self._working = Gauge("cab_requests_at_work", "Requests worked on.", registry=self.registry)
        self._bodies = Gauge("cab_bodies", "Request bodies being received or in use.", registry=self.registry)
        self._body_bytes = Gauge("cab_body_bytes", "Bytes of request bodies held.", registry=self.registry)
        self._position = Gauge("cab_register_position", "Log position of the register held.", registry=self.registry)
        self._lag = Gauge(
            "cab_follower_lag_seconds", "Seconds since the log was last read to its end.", registry=self.registry
        )

        self._untrailed = Gauge(
            "cab_audit_lines_unwritten",
            "Acts that are not in the audit log; anything above zero needs an operator.",
            registry=self.registry,
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

    def count_refusal(self, kind: str) -> None:
        """Count a request that was refused."""
        self._refusals.labels(kind).inc()

    def count_closed(self, reason: str) -> None:
        """Count a connection that was closed or refused for a limit."""
        self._closed.labels(reason).inc()

    def watch_use(
        self, working: Callable[[], float], bodies: Callable[[], float], body_bytes: Callable[[], float]
    ) -> None:
        """Read what is in use whenever somebody looks."""
        self._working.set_function(working)
        self._bodies.set_function(bodies)
        self._body_bytes.set_function(body_bytes)

    def watch_connections(self, connections: Callable[[], float]) -> None:
        """Read how many connections there are whenever somebody looks."""
        self._connections.set_function(connections)

    def watch_audit(self, unwritten: Callable[[], float]) -> None:
        """Read how many acts were not written down whenever somebody looks."""
        self._untrailed.set_function(unwritten)

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
