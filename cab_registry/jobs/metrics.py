"""What the jobs' process measures of itself."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge


class JobMetrics:
    """Heartbeat, the outcome of each job, and what watching did."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.beat = Gauge("cab_jobs_heartbeat_seconds", "When the scheduler was last alive.", registry=self.registry)
        self.leads = Gauge("cab_jobs_leader", "1 where this process holds the schedule.", registry=self.registry)
        self.runs = Counter("cab_job_runs", "Runs by job and outcome.", ["job", "outcome"], registry=self.registry)
        self.faults = Gauge("cab_job_faults", "Faults that the last run found.", ["job"], registry=self.registry)
        self.failing = Gauge(
            "cab_job_failing_days",
            "Days for which a job failed and has not run since.",
            ["job"],
            registry=self.registry,
        )
        self.position = Gauge(
            "cab_watch_position", "Position up to which watched questions were asked again.", registry=self.registry
        )
        self.asked = Gauge("cab_watch_asked", "Watched questions asked again by this process.", registry=self.registry)
        self.notices = Gauge("cab_watch_notices", "Notices that this process wrote.", registry=self.registry)
