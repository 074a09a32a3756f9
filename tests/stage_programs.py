"""Training by hand on a task, stage by stage: programs without a cluster, on symbols or on values."""

import random

from rebuttal.core.graph import Graph, order_of
from rebuttal.core.task import Task
from rebuttal.core.update_rules import clipped, mean

LAYERS = 8


def order(program):
    """What the states that a program gives rest on."""
    graph = Graph()
    states = program(Task(graph.symbol, layer_bytes=(4,) * LAYERS))
    return order_of(graph, [state.number for state in states])


def gradients(stages, w, batch, at=None):
    """Each stage's gradient, forward at weights w, backward at weights `at` (default: the same)."""
    h = [stages[0].input(*batch)]
    for stage, part in zip(stages, w, strict=True):
        h.append(stage.forward(part, h[-1]))
    delta, found = stages[-1].loss(h[-1], *batch), []
    for stage, part in reversed(list(zip(stages, at or w, strict=True))):
        delta, g = stage.backward(part, h[stage.l + 1], delta)
        found.insert(0, g)
    return found


def mini_batch(task, m=1, steps=3):
    """Whole gradients."""
    w = [task.start()]
    for t in range(steps):
        w.append(task.update(w[-1], mean(*(task.gradient(w[-1], (i, t)) for i in range(m)))))
    return w


def flushed(task, n, m=1, steps=3):
    """A pipeline with flush over n stages and m micro-batches."""
    stages = task.stages(n)
    w = [stage.start() for stage in stages]
    states = [task.joined(*w)]
    for t in range(steps):
        each = [gradients(stages, w, (i, t)) for i in range(m)]
        means = [mean(*column) for column in zip(*each, strict=True)]
        w = [stage.update(part, g) for stage, part, g in zip(stages, w, means, strict=True)]
        states.append(task.joined(*w))
    return states


def clipped_by_stage(task, n=4, steps=3):
    """Each stage clips its own gradient, which is not what clipping the whole would be."""
    stages = task.stages(n)
    w = [stage.start() for stage in stages]
    states = [task.joined(*w)]
    for t in range(steps):
        found = gradients(stages, w, (0, t))
        w = [s.update(part, clipped(g, limit=0.1)) for s, part, g in zip(stages, w, found, strict=True)]
        states.append(task.joined(*w))
    return states


def one_block(task, n=4, steps=6):
    """Every step changes one stage only."""
    stages = task.stages(n)
    w = [stage.start() for stage in stages]
    states = [task.joined(*w)]
    for t in range(steps):
        l = t % n
        w[l] = stages[l].update(w[l], gradients(stages, w, (0, t))[l])
        states.append(task.joined(*w))
    return states


def torn(task, n=4, steps=6):
    """Two workers write parts of whole gradients over each other: each reads what the other has half written."""
    stages = task.stages(n)
    w = [stage.start() for stage in stages]
    states = [task.joined(*w)]
    late = task.gradient(states[0], (1, 0))
    for t in range(steps):
        g = task.gradient(task.joined(*w), (0, t))
        for stage in stages[: n // 2]:
            w[stage.l] = stage.update(w[stage.l], stage.part(late))
        late = task.gradient(task.joined(*w), (1, t + 1))
        for stage in stages:
            w[stage.l] = stage.update(w[stage.l], stage.part(g))
        states.append(task.joined(*w))
    return states


def continuous(task, n=4, steps=6, momentum=False):
    """Forward at old weights, backward of the stored activations at new ones; with the mitigations, if `momentum`."""
    stages = task.stages(n)
    w = [[stage.start() for stage in stages]]
    for t in range(steps):
        delays = [min(t, 2 * (n - 1 - stage.l)) for stage in stages]
        old = [w[t - D][l] for l, D in enumerate(delays)]
        if momentum:
            old = [s.predicted(part, D) for s, part, D in zip(stages, old, delays, strict=True)]
        found = gradients(stages, old, (0, t), at=w[-1])
        if momentum:
            w.append([s.compensated_update(w[-1][s.l], found[s.l], delays[s.l]) for s in stages])
        else:
            w.append([s.update(w[-1][s.l], found[s.l]) for s in stages])
    return [task.joined(*parts) for parts in w]


def smoothed(task, n=4, steps=3, K=2):
    """Gradients at perturbed weights, stage by stage."""
    stages = task.stages(n)
    w = [stage.start() for stage in stages]
    states = [task.joined(*w)]
    for t in range(steps):
        near = [[s.perturbed(w[s.l], 0.01, t, k) for s in stages] for k in range(K)]
        each = [gradients(stages, parts, (0, t)) for parts in near]
        means = [mean(*column) for column in zip(*each, strict=True)]
        w = [s.update(w[s.l], means[s.l]) for s in stages]
        states.append(task.joined(*w))
    return states


def smoothed_whole(task, steps=3, K=2):
    """As `smoothed`, on the whole model."""
    w = [task.start()]
    for t in range(steps):
        near = [task.perturbed(w[-1], 0.01, t, k) for k in range(K)]
        w.append(task.update(w[-1], mean(*(task.gradient(one, (0, t)) for one in near))))
    return w


def at_random(seed, n=4, steps=6):
    """Every pass at weights that are up to two updates old at each stage; not every stage is updated every time."""

    def program(task):
        draw, stages = random.Random(seed), task.stages(n)
        kept = [[stage.start()] for stage in stages]
        states = [task.joined(*(some[-1] for some in kept))]
        for t in range(steps):
            versions = [draw.choice(some[-2:]) for some in kept]
            same = draw.random() < 0.7
            at = versions if same else [draw.choice(some[-2:]) for some in kept]
            found = gradients(stages, versions, (draw.randrange(2), t), at)
            for stage in stages:
                if draw.random() < 0.8:
                    kept[stage.l].append(stage.update(kept[stage.l][-1], found[stage.l]))
            states.append(task.joined(*(some[-1] for some in kept)))
        return states

    return program
