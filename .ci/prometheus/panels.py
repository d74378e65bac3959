"""Asks a Prometheus what the panels of dashboards ask, and says which show nothing.

usage: panels.py ADDRESS DASHBOARD.json…

A panel passes when each of its queries returned a number within the last minutes. Those
of which a healthy system has nothing to show are named here: their queries must be
answered, with whatever. Panels of other data sources (ClickHouse) are left to the tests
of cmd/gendocs, which run them on the store.
"""

import json
import math
import sys
import time
import urllib.parse
import urllib.request

QUIET = {"Trouble", "Passed over"}
RANGE = 600  # seconds
STEP = 5


def samples(address: str, expr: str) -> int:
    """Returns how many numbers a query gave over the last RANGE seconds."""
    now = time.time()
    query = urllib.parse.urlencode({
        "query": expr.replace("$__rate_interval", "15s"), "start": now - RANGE, "end": now, "step": STEP,
    })
    with urllib.request.urlopen(f"{address}/api/v1/query_range?{query}", timeout=30) as answer:
        result = json.load(answer)["data"]["result"]
    return sum(not math.isnan(float(value)) for series in result for _, value in series["values"])


def main(address: str, *paths: str) -> int:
    passed, failed = 0, 0
    for path in paths:
        with open(path, encoding="utf-8") as file:
            dashboard = json.load(file)
        for panel in dashboard["panels"]:
            for expr in (t["expr"] for t in panel.get("targets", []) if "expr" in t):
                if samples(address, expr) or panel["title"] in QUIET:
                    passed += 1
                else:
                    failed += 1
                    print(f"{dashboard['title']}, {panel['title']}: no data for {expr}")
    print(f"{passed} passed, {failed} failed")
    return 0 if failed == 0 and passed > 30 else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
