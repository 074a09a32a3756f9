"""What accelerated methods share: the weights μ_t, and the settings with which theory runs them."""

import math
from collections.abc import Iterator

from rebuttal.base.errors import refuse


def mu() -> Iterator[float]:
    """μ_0, μ_1, …: μ_t = (λ_t − 1)/λ_{t+1}, with λ_0 = 1 and λ_{t+1} = (1 + √(1 + 4 λ_t²))/2.

    Nesterov (1983). They begin with 0 and come ever closer to 1.
    """
    now = 1.0
    while True:
        following = (1 + math.sqrt(1 + 4 * now * now)) / 2
        yield (now - 1) / following
        now = following


def paper_settings(T: int, d: int, R: float = 1.0, L: float = 1.0) -> dict[str, float]:
    """K, γ and η of PPRS for T updates of d weights, an L-Lipschitz loss and a start at distance R of the best point.

    K = ⌈(T + 1)/√d⌉, γ = R d^(−1/4)/(T + 1), η = R d^(−1/4)/(L (T + 1)): a reconstruction of Colin, Dos Santos & Scaman
    (2019); they balance the terms of its error bound, each R L d^(1/4)/T. Raises InputError.
    """
    for name, given in (("T", T), ("d", d), ("R", R), ("L", L)):
        if not given > 0:
            raise refuse(name, given, "a positive number")
    step = R * d**-0.25 / (T + 1)
    return {"K": math.ceil((T + 1) / math.sqrt(d)), "gamma": step, "eta": step / L}
