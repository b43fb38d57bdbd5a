"""Data quality: what became of the rows that came in, and how good forecasts were."""

from fastapi.responses import Response

from shelfcast.api.routes.quality import quality
from shelfcast.web.guard import ViewerVisit
from shelfcast.web.routing import page_router

ROUTER = page_router()


@ROUTER.get("/quality")
def show_quality(visit: ViewerVisit) -> Response:
    told = quality(visit.view)
    features = sorted({row["feature"] for row in told.drift})
    drift = [{"feature": name, "psi": max(_psi(row) for row in told.drift if row["feature"] == name),
              "bins": [row for row in told.drift if row["feature"] == name]} for name in features]  # fmt: skip
    return visit.show("quality.html", told=told, drift=drift)


def _psi(row: dict[str, float | None]) -> float:
    return row["psi"] or 0.0
