"""Averages of models: the weights are chosen on windows that lie before the cutoff they are used at."""

from collections import Counter
from collections.abc import Mapping

import numpy as np

from shelfcast.metrics import Metric, wape
from shelfcast.panel import FloatArray

ROUNDS = 20
# Each member is fitted at every cutoff, and the fifth adds little.
MEMBERS = 4


def select_weights(
    y: FloatArray, forecasts: Mapping[str, FloatArray], metric: Metric = wape, rounds: int = ROUNDS, most: int = MEMBERS
) -> dict[str, float]:
    """Greedy forward selection with replacement (Caruana et al. 2004): the weights, summing to 1, of the members of
    use.

    y and each forecast: equal shapes, units, of past windows; unknown demand is NaN. Each round adds the member whose
    addition makes `metric` of the average least; ties go to the first by name. When `most` are in, no other comes.
    """
    total, counts = np.zeros_like(y), Counter[str]()
    for done in range(rounds):
        names = sorted(counts if len(counts) == most else forecasts)
        losses = {name: metric(y, (total + forecasts[name]) / (done + 1)) for name in names}
        best = min(names, key=lambda name: losses[name])
        total, counts[best] = total + forecasts[best], counts[best] + 1
    return {name: count / rounds for name, count in sorted(counts.items())}
