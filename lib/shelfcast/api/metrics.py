"""What Prometheus is told of the process."""

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter("shelfcast_requests", "Answers given", ["method", "route", "status"])
SECONDS = Histogram(
    "shelfcast_request_seconds",
    "Time from a request to its answer",
    ["method", "route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.4, 1, 2.5, 10),
)
BUILDS = Counter("shelfcast_index_builds", "Indexes built", ["region", "outcome"])
BUILD_SECONDS = Gauge("shelfcast_index_build_seconds", "What building the newest index took", ["region"])
PUBLISHED = Gauge("shelfcast_published_timestamp_seconds", "When what is served was published", ["region"])
REFUSALS = Counter("shelfcast_refusals", "Requests refused", ["reason"])
