"""Finds, among the nodes of a graph, forward and backward passes of a batch through all stages at the same weights."""

from collections.abc import Callable, Sequence

from rebuttal.core.graph import Graph


class WholePasses:
    """Is shown the stage-wise nodes of a graph as they are added, and knows which of them make up a whole gradient.

    A pass is named by its *top*, the activations of the last stage: the weights of all stages and the batch are
    behind them.
    """

    def __init__(self, graph: Graph, joined: Callable[[tuple[int, ...]], int]) -> None:
        self._graph, self._join = graph, joined
        self._sound: set[int] = set()  # forward nodes that rest on a whole forward pass from the data on
        self._of: dict[int, tuple[int, int]] = {}  # δ -> (activations that it belongs to, top)
        self._deltas: dict[int, list[int]] = {}  # top -> every δ that comes from its loss
        self._gradients: dict[int, int] = {}  # top -> gradient

    def forward(self, node: int) -> None:
        """Sound if it takes the data at the first stage, or the sound activations of the stage below."""
        (_, below), (l, n) = self._graph.inputs[node], self._graph.arguments[node]
        data = l == 0 and self._graph.operations[below] == "input"
        if data or (below in self._sound and self._graph.arguments[below] == (l - 1, n)):
            self._sound.add(node)

    def loss(self, node: int) -> None:
        """δ of a whole forward pass, if this is the last stage and the loss is on the data that came in."""
        (top,), (l, n, *batch) = self._graph.inputs[node], self._graph.arguments[node]
        if top in self._sound and l == n - 1 and self._batch(top) == tuple(batch):
            self._note(node, top, top)

    def input_gradient(self, node: int) -> None:
        """δ below, if it is made at the weights of the forward pass."""
        _, h, delta = self._graph.inputs[node]
        below = self._graph.inputs[h][1]
        if self._at_same_weights(node) and below in self._sound:
            self._note(node, below, self._of[delta][1])

    def weight_gradient(self, node: int) -> tuple[int, int] | None:
        """(gradient of which this is a part, top), if it is made at the weights of the forward pass."""
        if not self._at_same_weights(node):
            return None
        top = self._of[self._graph.inputs[node][2]][1]
        if top not in self._gradients:
            weights = self._join(tuple(self._graph.inputs[h][0] for h in self._from_below(top)))
            self._gradients[top] = self._graph.node("gradient", (weights,), self._batch(top))
        return self._gradients[top], top

    def stand_alone(self, top: int, uses: Sequence[int]) -> bool:
        """Whether a pass's activations and δs are used by that pass alone; `uses`: how often each node is an input.

        Activations are used by the stage above or the loss and by both halves of the backward pass; a δ by these
        halves. The first stage has but one half.
        """
        halves = {h: 2 if level else 1 for level, h in enumerate(self._from_below(top))}
        activations = all(uses[h] == 1 + count for h, count in halves.items())
        return activations and all(uses[delta] == halves[self._of[delta][0]] for delta in self._deltas[top])

    def _note(self, delta: int, h: int, top: int) -> None:
        if delta not in self._of:
            self._of[delta] = (h, top)
            self._deltas.setdefault(top, []).append(delta)

    def _at_same_weights(self, node: int) -> bool:
        """Whether a backward pass is at the weights of its forward pass, and its δ comes from that pass's loss."""
        w, h, delta = self._graph.inputs[node]
        return delta in self._of and self._of[delta][0] == h and self._graph.inputs[h][0] == w

    def _batch(self, top: int) -> tuple[float, ...]:
        return self._graph.arguments[self._graph.inputs[self._from_below(top)[0]][1]]

    def _from_below(self, top: int) -> list[int]:
        """The forward nodes of a pass, from the first stage to `top`."""
        found = [top]
        while self._graph.arguments[found[-1]][0]:
            found.append(self._graph.inputs[found[-1]][1])
        return found[::-1]
