"""Compiled layers: products, the patches of convolutions, and pooling, forward and backward. It imports numba.

A `row` of a chain says what a layer is; n is the number of samples, which come last. Lines of n or more numbers are
taken out of buffers before they are looped over: so the compiler sees that they are contiguous.
"""

import numpy as np

from rebuttal.replaying.compiled.kept_compilation import inner
from rebuttal.replaying.compiled.layer_chain import (
    BIAS,
    CONV,
    KH,
    KIND,
    KW,
    LINEAR,
    OUT_C,
    OUT_H,
    OUT_W,
    PH,
    PW,
    WEIGHTS,
    C,
    H,
    W,
)  # fmt: skip


@inner
def _lines(row, i, j, out):
    """(line of an image, first and last column that a window reaches) at place i, j of a window in line `out`."""
    line = out + i - row[PH]
    left = min(row[OUT_W], max(0, row[PW] - j))
    right = max(left, min(row[OUT_W], row[W] + row[PW] - j))
    return (line, left, right) if 0 <= line < row[H] else (0, 0, 0)


@inner
def patch(row, x, patches, n):
    """Patches [C KH KW, OUT_H OUT_W n] of zero-padded images x [C, H, W n]."""
    size = row[OUT_W] * n
    to = patches[: row[C] * row[KH] * row[KW] * row[OUT_H] * size].reshape(-1, size)
    images, at = x.reshape(row[C], row[H], row[W] * n), 0
    for c in range(row[C]):
        for i in range(row[KH]):
            for j in range(row[KW]):
                for out in range(row[OUT_H]):
                    line, left, right = _lines(row, i, j, out)
                    shift = (left + j - row[PW]) * n
                    given, taken = images[c, line, shift:], to[at]
                    inside = taken[left * n : right * n]
                    if len(inside) < size:
                        taken[:] = 0
                    for k in range(len(inside)):
                        inside[k] = given[k]
                    at += 1


@inner
def gather(row, shares, below, n):
    """The reverse of `patch`: adds each patch's share to the pixels that it covers."""
    size = row[OUT_W] * n
    parts = shares[: row[C] * row[KH] * row[KW] * row[OUT_H] * size].reshape(-1, size)
    images, at = below[: row[C] * row[H] * row[W] * n].reshape(row[C], row[H], row[W] * n), 0
    images[:] = 0
    for c in range(row[C]):
        for i in range(row[KH]):
            for j in range(row[KW]):
                for out in range(row[OUT_H]):
                    line, left, right = _lines(row, i, j, out)
                    given = parts[at, left * n : right * n]
                    to = images[c, line, (left + j - row[PW]) * n :]
                    for k in range(len(given)):
                        to[k] += given[k]
                    at += 1


@inner
def product(row, weights, x, y, n):
    """y [O, places n] = matrix [O, I] x [I, places n] + bias."""
    outputs, inputs = row[OUT_C], row[C] * row[KH] * row[KW]
    places = row[OUT_H] * row[OUT_W] * n
    begin, bias = row[WEIGHTS], row[BIAS]
    matrix = weights[begin : begin + outputs * inputs].reshape(outputs, inputs)
    to = y.reshape(outputs, places)
    np.dot(matrix, x[: inputs * places].reshape(inputs, places), to)
    if bias >= 0:
        for o in range(outputs):
            line, add = to[o], weights[bias + o]
            for k in range(places):
                line[k] += add


@inner
def _images(row, flat, n):
    """Images [C, H, W, n] at the beginning of a buffer."""
    return flat[: row[C] * row[H] * row[W] * n].reshape(row[C], row[H], row[W], n)


@inner
def pooled(row, x, y, n):
    """The largest of each window."""
    images, to = _images(row, x, n), y.reshape(row[C], row[OUT_H], row[OUT_W], n)
    for c in range(row[C]):
        for h in range(row[OUT_H]):
            for w in range(row[OUT_W]):
                most, first = to[c, h, w], images[c, h * row[KH], w * row[KW]]
                for k in range(n):
                    most[k] = first[k]
                for i in range(row[KH]):
                    for j in range(row[KW]):
                        values = images[c, h * row[KH] + i, w * row[KW] + j]
                        for k in range(n):
                            value, before = values[k], most[k]
                            most[k] = value if value > before or value != value else before


@inner
def unpooled(row, x, y, above, below, n):
    """The first among the largest of a window gets the gradient, as in torch. `above` is written to."""
    zero = x.dtype.type(0)
    images, down = _images(row, x, n), _images(row, below, n)
    shape = (row[C], row[OUT_H], row[OUT_W], n)
    largest, up = y.reshape(shape), above[: len(y)].reshape(shape)
    down[:] = 0
    for c in range(row[C]):
        for h in range(row[OUT_H]):
            for w in range(row[OUT_W]):
                most, given = largest[c, h, w], up[c, h, w]
                for i in range(row[KH]):
                    for j in range(row[KW]):
                        values = images[c, h * row[KH] + i, w * row[KW] + j]
                        to = down[c, h * row[KH] + i, w * row[KW] + j]
                        for k in range(n):
                            share, here = given[k], values[k] == most[k]
                            to[k] = share if here else zero
                            given[k] = zero if here else share


@inner
def product_back(row, weights, x, above, out, n):
    """Writes the gradients of a layer's matrix and bias into `out`."""
    outputs, inputs = row[OUT_C], row[C] * row[KH] * row[KW]
    places = row[OUT_H] * row[OUT_W] * n
    begin, bias = row[WEIGHTS], row[BIAS]
    dy = above[: outputs * places].reshape(outputs, places)
    np.dot(dy, x[: inputs * places].reshape(inputs, places).T,
           out[begin : begin + outputs * inputs].reshape(outputs, inputs))  # fmt: skip
    if bias >= 0:
        for o in range(outputs):
            line, total = dy[o], dy.dtype.type(0)
            for k in range(places):
                total += line[k]
            out[bias + o] = total


@inner
def pass_below(row, weights, above, below, shares, n):
    """The gradient with respect to a layer's inputs."""
    outputs, inputs = row[OUT_C], row[C] * row[KH] * row[KW]
    places = row[OUT_H] * row[OUT_W] * n
    matrix = weights[row[WEIGHTS] : row[WEIGHTS] + outputs * inputs].reshape(outputs, inputs)
    to = below if row[KIND] == LINEAR else shares
    np.dot(matrix.T, above[: outputs * places].reshape(outputs, places),
           to[: inputs * places].reshape(inputs, places))  # fmt: skip
    if row[KIND] == CONV:
        gather(row, shares, below, n)
