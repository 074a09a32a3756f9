"""Compiled code that runs along a tape (`order_tape`) for one replica. Importing it imports numba.

A value is a slot [W, P]: the weights first, then the momentum if the rule has one; a gradient has the first row only.
"""

import numpy as np

from rebuttal.replaying.compiled.kept_compilation import compiled, inner
from rebuttal.replaying.compiled.order_tape import (
    ADAPT,
    BATCHES,
    CLIP,
    CODE,
    COMBINE,
    GRADIENT,
    INPUTS,
    NUMBERS,
    OBSERVE,
    PREDICT,
    SLOT,
    SQUARE,
    START,
    UPDATE,
)  # fmt: skip
from rebuttal.replaying.compiled.passes import gradient, scores


@inner
def _combine(out, slots, inputs, numbers):
    """Σ c x, with coefficients of its own for the rows behind the first."""
    for r in range(out.shape[0]):
        coefficients = numbers[: len(inputs)] if r == 0 else numbers[len(inputs) :]
        for i in range(len(inputs)):
            c, x, to = coefficients[i], slots[inputs[i], r], out[r]
            if i == 0:
                for p in range(len(to)):
                    to[p] = c * x[p]
            else:
                for p in range(len(to)):
                    to[p] += c * x[p]


@inner
def _update(out, state, given, numbers, rate, rule):
    """w − η (a v' + b g), v' = m v + g; g has λ w added to it."""
    a, b, m, decay = numbers[0], numbers[1], rule[0], rule[1]
    w, to = state[0], out[0]
    if len(out) == 1:
        for p in range(len(w)):
            to[p] = w[p] - rate * ((a + b) * (given[p] + decay * w[p]))
        return
    v, velocity = state[1], out[1]
    for p in range(len(w)):
        g = given[p] + decay * w[p]
        velocity[p] = m * v[p] + g
        to[p] = w[p] - rate * (a * velocity[p] + b * g)


@inner
def _clip(to, given, limit):
    """The gradient, shortened to norm `limit` where it is longer."""
    square = given.dtype.type(0)
    for p in range(len(given)):
        square += given[p] * given[p]
    norm = np.sqrt(square)
    factor = limit / (limit if norm < limit else norm)
    for p in range(len(given)):
        to[p] = given[p] * factor


@inner
def _elementwise(code, out, slots, inputs, number, rate):
    """The steps on a gradient, or on weights and momentum, that are one formula."""
    x, y = slots[inputs[0]], slots[inputs[-1]]
    to, first = out[0], x[0]
    if code == PREDICT:
        velocity, kept = x[1], out[1]
        for p in range(len(to)):
            to[p] = first[p] - rate * number * velocity[p]
            kept[p] = velocity[p]
    elif code == SQUARE:
        g, rest = y[0], to.dtype.type(1) - number
        for p in range(len(to)):
            to[p] = first[p] * number + g[p] * g[p] * rest
    else:
        now, then, square = slots[inputs[1], 0], slots[inputs[2], 0], y[0]
        for p in range(len(to)):
            by = number / np.sqrt(square[p] + to.dtype.type(1e-7)) if code == ADAPT else number
            to[p] = first[p] + first[p] * first[p] * (now[p] - then[p]) * by


@inner
def _all_finite(weights):
    found = True
    for p in range(len(weights)):
        found &= np.isfinite(weights[p])
    return found


@inner
def _observe(layers, weights, splits, work, found):
    """Loss and metric of each split, then whether all weights are finite, into found [2 splits + 1]."""
    x, y, ends = splits
    for s in range(len(ends) - 1):
        found[2 * s], found[2 * s + 1] = scores(layers, weights, x, y, ends[s], ends[s + 1], work)
    found[-1] = _all_finite(weights)


@compiled
def run(model, tape, data, splits, start, rate, rule, work, slots, found):
    """One replica along a tape: what is observed into found [points, 2 splits + 1].

    model: (layers, lowest). tape: (steps, inputs, numbers). data: (x [N, F], y [N], rows [batches, n] of samples).
    splits: (x, y, ends) of the splits end to end. rule: (momentum, weight decay). slots: [K, W, P].
    """
    layers, lowest = model
    steps, inputs, numbers = tape
    x, y, rows = data
    for t in range(len(steps) - 1):
        step, after = steps[t], steps[t + 1]
        code, mine = step[CODE], inputs[step[INPUTS] : after[INPUTS]]
        own = numbers[step[NUMBERS] : after[NUMBERS]]
        if code == OBSERVE:
            _observe(layers, slots[mine[0], 0], splits, work, found[step[SLOT]])
            continue
        out = slots[step[SLOT]]
        if code == GRADIENT:
            some = rows[step[BATCHES] : after[BATCHES]].reshape(-1)
            gradient(layers, lowest, slots[mine[0], 0], out[0], x, y, some, work)
        elif code == UPDATE:
            _update(out, slots[mine[0]], slots[mine[1], 0], own, rate, rule)
        elif code == COMBINE:
            _combine(out[: len(own) // len(mine)], slots, mine, own)
        elif code == START:
            to = out[0]
            for p in range(len(to)):
                to[p] = start[p]
            out[1:] = 0
        elif code == CLIP:
            _clip(out[0], slots[mine[0], 0], own[0])
        else:
            _elementwise(code, out, slots, mine, own[0], rate)
