"""Monte Carlo tree search over a predictor, after HAO (Dong et al., FCCM 2021, arXiv 2104.12766).

Each level of the tree is a decision, each leaf a network. An evaluation takes minutes, so the tree is searched by
predicted costs, learned from the networks evaluated so far. The most promising networks are evaluated, the predictors
learn from them too, and so on. The reward of a network is the hypervolume that it would add to the front found so far.
"""

from __future__ import annotations

import math
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from dse.architecture.evaluations import Costs, Evaluations
from dse.architecture.space import Choice, Space
from dse.hypervolume import hypervolume
from dse.predictor import Predictor, gaussian_process

by_value = partial(gaussian_process, ranks=False)
"""The predictor of ``tree_search``: a hypervolume depends on the values of costs, and ranks alone do not give them."""


@dataclass(frozen=True)
class Effort:
    """How much effort a tree search takes.

    Parameters
        first        networks evaluated before the first prediction, at least 2
        batch        networks evaluated between two fits of the predictors
        simulations  walks down the tree for each proposed network
        rollouts     random leaves tried in each walk, below where it leaves the tree
        exploration  weight of the exploration term, in rewards of the best leaf so far
    Raises           ValueError: when a figure is out of range
    """

    first: int = 10
    batch: int = 5
    simulations: int = 60
    rollouts: int = 8
    exploration: float = 0.5

    def __post_init__(self) -> None:
        for name in ("first", "batch", "simulations", "rollouts"):
            least = 2 if name == "first" else 1
            if getattr(self, name) < least:
                raise ValueError(f"{name}: {getattr(self, name)} must be {least} or more")
        if not 0 <= self.exploration < math.inf:
            raise ValueError(f"exploration: {self.exploration} must be 0 or more")


def tree_search(
    evaluations: Evaluations, seed: int, effort: Effort = Effort(), learner: Callable[[], Predictor] = by_value
) -> None:
    """Evaluate networks until the evaluation budget is spent.

    The same seed and the same costs give the same networks.

    Parameters
        evaluations  where networks are evaluated
        seed         seed of the random choices
        effort       effort of the search
        learner      makes a predictor for one cost
    Source           HAO (Dong et al., FCCM 2021, arXiv 2104.12766)
    """
    rng = random.Random(seed)
    evaluations.ask(spread(evaluations.space, min(effort.first, evaluations.remaining), rng))
    while evaluations.remaining:
        predict = _Predictions(evaluations, learner)
        proposals: list[Choice] = []
        for _ in range(min(effort.batch, evaluations.remaining)):
            gain = _Gain(predict, evaluations, proposals)
            proposals.append(_Tree(evaluations.space, [*evaluations.costs, *proposals], gain, effort, rng).best())
        evaluations.ask(proposals)


def spread(space: Space, count: int, rng: random.Random) -> list[Choice]:
    """Distinct random networks in which the options of each decision occur about equally often.

    Duplicates are replaced by random networks.

    Parameters
        space  the space of networks
        count  how many
        rng    source of randomness
    """
    columns = []
    for size in space.sizes:
        column: list[int] = []
        while len(column) < count:
            column += rng.sample(range(size), size)
        columns.append(rng.sample(column[:count], count))
    spread = dict.fromkeys(zip(*columns, strict=True))
    while len(spread) < count:
        spread[space.draw(rng)] = None
    return list(spread)


class _Predictions:
    """Predicted costs of networks, from one predictor per cost; each network is predicted once."""

    def __init__(self, evaluations: Evaluations, learner: Callable[[], Predictor]) -> None:
        self._space = evaluations.space
        # a network that cannot be built counts as one that costs as much as the reference
        outcomes = [costs or evaluations.reference for costs in evaluations.costs.values()]
        features = self._space.features(list(evaluations.costs))
        self._predictors = [learner().fit(features, np.array(column)) for column in zip(*outcomes, strict=True)]
        self._expected: dict[Choice, Costs] = {}

    def __call__(self, choices: Sequence[Choice]) -> list[Costs]:
        new = [choice for choice in dict.fromkeys(choices) if choice not in self._expected]
        if new:
            features = self._space.features(new)
            columns = [predictor.predict(features).tolist() for predictor in self._predictors]
            self._expected.update(zip(new, zip(*columns, strict=True), strict=True))
        return [self._expected[choice] for choice in choices]


class _Gain:
    """The hypervolume that a network would add; networks proposed before it count with their predicted costs."""

    def __init__(self, predict: _Predictions, evaluations: Evaluations, proposals: Sequence[Choice]) -> None:
        self._predict, self._reference = predict, evaluations.reference
        self._costs = [*evaluations.front.values(), *predict(proposals)]
        self._covered = hypervolume(self._costs, self._reference)

    def __call__(self, choices: Sequence[Choice]) -> list[float]:
        return [hypervolume([*self._costs, own], self._reference) - self._covered for own in self._predict(choices)]


class _Tree:
    """A search tree over the networks that are not ``excluded``; each walk adds a node."""

    def __init__(
        self, space: Space, excluded: Collection[Choice], gain: Callable[[Sequence[Choice]], list[float]],
        effort: Effort, rng: random.Random,
    ) -> None:  # fmt: skip
        self._space, self._gain, self._effort, self._rng = space, gain, effort, rng
        self._excluded = Counter(choice[:depth] for choice in excluded for depth in range(len(choice) + 1))
        self._visits: Counter[Choice] = Counter()
        self._rewards: defaultdict[Choice, float] = defaultdict(float)
        self._best: tuple[float, Choice] | None = None

    def best(self) -> Choice:
        """The most promising leaf of all that the walks reached."""
        for _ in range(self._effort.simulations):
            self._walk()
        assert self._best is not None, "there is a walk at least, and it ends in a leaf"
        return self._best[1]

    def _walk(self) -> None:
        node: Choice = ()
        path: list[Choice] = [node]
        while len(node) < len(self._space.sizes) and self._visits[node]:
            node = self._branch(node)
            path.append(node)
        leaves = list(dict.fromkeys(self._leaf(node) for _ in range(self._effort.rollouts)))
        reward, leaf = max(zip(self._gain(leaves), leaves, strict=True), key=lambda entry: entry[0])
        if self._best is None or reward > self._best[0]:
            self._best = reward, leaf
        for node in path:
            self._visits[node] += 1
            self._rewards[node] += reward

    def _branch(self, node: Choice) -> Choice:
        """The branch to take: one never visited, otherwise the one with the largest upper confidence bound."""
        branches = self._open(node)
        fresh = [branch for branch in branches if not self._visits[branch]]
        if fresh:
            return self._rng.choice(fresh)
        assert self._best is not None
        scale = self._effort.exploration * self._best[0] * math.sqrt(math.log(self._visits[node]))

        def bound(branch: Choice) -> float:
            visits = self._visits[branch]
            return self._rewards[branch] / visits + scale / math.sqrt(visits)

        return max(branches, key=bound)

    def _leaf(self, node: Choice) -> Choice:
        while len(node) < len(self._space.sizes):
            node = self._rng.choice(self._open(node))
        return node

    def _open(self, node: Choice) -> list[Choice]:
        """The branches below which at least one network is not taken."""
        below = math.prod(self._space.sizes[len(node) + 1 :])
        branches = [(*node, option) for option in range(self._space.sizes[len(node)])]
        return [branch for branch in branches if self._excluded[branch] < below]
