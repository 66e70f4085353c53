"""`python -m bench`: print the measurements, one line each."""

from __future__ import annotations

import os
import platform

import msgspec

from bench import in_process, neighbours, over_http
from bench.questions import read_questions


def main() -> None:
    """Measure and print."""
    asked = read_questions()
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(f"{len(asked)} questions on {len(asked[0].facts.routes)} routes")
    rate = in_process.measure(asked)
    print(f"in process, one core: {rate.median:,.0f} full answers a second (best round {rate.best:,.0f})")
    for verdict, spent in rate.by_verdict.items():
        print(f"  {verdict}: {spent:,.0f} microseconds")
    bodies = [msgspec.json.encode(item.case.ask) for item in asked if not item.case.given]
    served = over_http.measure(bodies)
    print(f"over HTTP, one process: {served.posted:,.0f} full answers a second by POST")
    print(f"over HTTP, same server: {served.constant:,.0f} constant bodies a second (answers reach {served.ratio:.0%})")
    for dear, waits in neighbours.measure().items():
        print(
            f"a plain question beside {neighbours.DEAR_CLIENTS} clients with {dear}: half within {waits.half:.1f} ms, "
            f"99 of 100 within {waits.p99:.1f} ms, all {waits.asked} within {waits.most:.1f} ms"
        )


if __name__ == "__main__":
    main()
