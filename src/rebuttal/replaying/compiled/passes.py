"""Compiled passes through a chain of layers: forward, backward, and the scores of a split. Importing it imports numba.

Samples come last, as in `kernels`: the activations of n samples are [F, n] in a flat buffer. `work` is what
`Chain.workspace` says. Comparisons are written so that what is not a number stays so, as in torch: a run that diverges
is a result.
"""

import numpy as np

from rebuttal.replaying.compiled.kept_compilation import compiled, inner
from rebuttal.replaying.compiled.layer_chain import (
    CONV,
    INPUT,
    KIND,
    LINEAR,
    OUT_C,
    OUT_H,
    OUT_W,
    OUTPUT,
    PATCHES,
    POOL,
    RELU,
    C,
    H,
    W,
)  # fmt: skip
from rebuttal.replaying.compiled.layer_code import (
    pass_below,
    patch,
    pooled,
    product,
    product_back,
    unpooled,
)


@inner
def _forward(layers, weights, n, work):
    """Outputs [classes, n] of the inputs at the beginning of the activations."""
    activations, patches = work[0], work[1]
    zero = weights.dtype.type(0)
    for l in range(len(layers)):
        row = layers[l]
        x = activations[row[INPUT] * n : (row[INPUT] + row[C] * row[H] * row[W]) * n]
        y = activations[row[OUTPUT] * n : (row[OUTPUT] + row[OUT_C] * row[OUT_H] * row[OUT_W]) * n]
        if row[KIND] == RELU:
            for k in range(len(x)):
                y[k] = zero if x[k] < zero else x[k]
        elif row[KIND] == POOL:
            pooled(row, x, y, n)
        elif row[KIND] == LINEAR:
            product(row, weights, x, y, n)
        else:
            there = patches[row[PATCHES] * n :]
            patch(row, x, there, n)
            product(row, weights, there, y, n)
    last = layers[-1]
    return activations[last[OUTPUT] * n : (last[OUTPUT] + last[OUT_C]) * n].reshape(last[OUT_C], n)


@inner
def _backward(layers, lowest, weights, out, n, work):
    """Writes the gradient into `out` [P]; the one with respect to the outputs is at the beginning of work[2]."""
    activations, patches, above, below, shares = work[0], work[1], work[2], work[3], work[4]
    zero = weights.dtype.type(0)
    for l in range(len(layers) - 1, lowest - 1, -1):
        row = layers[l]
        x = activations[row[INPUT] * n : (row[INPUT] + row[C] * row[H] * row[W]) * n]
        y = activations[row[OUTPUT] * n : (row[OUTPUT] + row[OUT_C] * row[OUT_H] * row[OUT_W]) * n]
        if row[KIND] == RELU:
            for k in range(len(y)):
                above[k] = zero if y[k] <= zero else above[k]
            continue
        if row[KIND] == POOL:
            unpooled(row, x, y, above, below, n)
        else:
            if row[KIND] == CONV:
                x = patches[row[PATCHES] * n :]
            product_back(row, weights, x, above, out, n)
            if l > lowest:
                pass_below(row, weights, above, below, shares, n)
        above, below = below, above


@inner
def _exponentials(outputs, sums):
    """(largest output, sum of exp(output - largest)) of each sample of outputs [classes, n], into sums [2 n]."""
    n = outputs.shape[1]
    largest, total = sums[:n], sums[n : 2 * n]
    total[:] = 0
    for c in range(len(outputs)):
        line = outputs[c]
        for k in range(n):
            largest[k] = line[k] if c == 0 or line[k] > largest[k] else largest[k]
    for c in range(len(outputs)):
        line = outputs[c]
        for k in range(n):
            total[k] += np.exp(line[k] - largest[k])
    return largest, total


@inner
def gradient(layers, lowest, weights, out, x, y, rows, work):
    """Writes the gradient of the mean loss over samples `rows` of x [N, F], y [N] into `out` [P]."""
    features, classes = x.shape[1], layers[-1, OUT_C]
    activations, delta, partial = work[0], work[2], work[5]
    scale = weights.dtype.type(1 / len(rows))
    at_once = len(work[6]) // 2
    for begin in range(0, len(rows), at_once):
        n = min(at_once, len(rows) - begin)
        some, given = rows[begin : begin + n], activations[: features * n].reshape(features, n)
        for k in range(n):
            sample = x[some[k]]
            for f in range(features):
                given[f, k] = sample[f]
        outputs = _forward(layers, weights, n, work)
        largest, total = _exponentials(outputs, work[6])
        for c in range(classes):
            line, to = outputs[c], delta[c * n : (c + 1) * n]
            for k in range(n):
                to[k] = np.exp(line[k] - largest[k]) / total[k] * scale
        for k in range(n):
            delta[y[some[k]] * n + k] -= scale
        own = out if begin == 0 else partial
        _backward(layers, lowest, weights, own, n, work)
        if begin > 0:
            for p in range(len(out)):
                out[p] += partial[p]


@compiled
def gradients(layers, lowest, weights, x, y, work, out):
    """Gradients [M, P] of M replicas at weights [M, P], group m // (M/G) of x [G, n, F], y [G, n] for each."""
    rows = np.arange(x.shape[1])
    shared = len(weights) // len(x)
    for m in range(len(weights)):
        gradient(layers, lowest, weights[m], out[m], x[m // shared], y[m // shared], rows, work)


@inner
def scores(layers, weights, x, y, begin, end, work):
    """(mean loss, share of right answers) over samples from begin to end of x, which `samples_last` laid out."""
    features, classes = layers[0, C] * layers[0, H] * layers[0, W], layers[-1, OUT_C]
    loss, right = 0.0, 0
    at_once = len(work[6]) // 2
    for first in range(begin, end, at_once):
        n = min(at_once, end - first)
        activations, given = work[0], x[features * first : features * (first + n)]
        for k in range(len(given)):
            activations[k] = given[k]
        outputs = _forward(layers, weights, n, work)
        largest, total = _exponentials(outputs, work[6])
        for k in range(n):
            own = outputs[y[first + k], k]
            loss += np.log(total[k]) + largest[k] - own
            best = 0
            for c in range(1, classes):
                value, most = outputs[c, k], outputs[best, k]
                if value > most or (value != value and most == most):
                    best = c
            right += best == y[first + k]
    return loss / (end - begin), right / (end - begin)
