"""A small network that tells species apart, in numpy alone: four measures, one hidden layer, softmax."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data import Flowers

FILE = "iris.npz"


@dataclass
class Classifier:
    """What was learned. `weights` are (4, units), (units,), (units, species), (species,)."""

    species: list[str]
    mean: np.ndarray
    deviation: np.ndarray
    weights: list[np.ndarray]

    def probabilities(self, features: np.ndarray) -> np.ndarray:
        """The probability of each species, of shape (n, species)."""
        return _softmax(self._layers((features - self.mean) / self.deviation)[1])

    def _layers(self, scaled: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        first, first_bias, second, second_bias = self.weights
        hidden = np.tanh(scaled @ first + first_bias)
        return hidden, hidden @ second + second_bias

    def fit(self, flowers: Flowers, epochs: int, learning_rate: float) -> None:
        """Learn by Adam from all rows at once: there are few enough."""
        scaled = (flowers.features - self.mean) / self.deviation
        wanted = np.eye(len(self.species))[[self.species.index(name) for name in flowers.species]]
        first = [np.zeros_like(weight) for weight in self.weights]
        second = [np.zeros_like(weight) for weight in self.weights]
        for step in range(1, epochs + 1):
            hidden, output = self._layers(scaled)
            error = (_softmax(output) - wanted) / len(scaled)
            inner = error @ self.weights[2].T * (1 - hidden**2)
            gradients = [scaled.T @ inner, inner.sum(0), hidden.T @ error, error.sum(0)]
            for index, gradient in enumerate(gradients):
                _step(self.weights[index], gradient, first[index], second[index], learning_rate, step)

    def save(self, folder: Path) -> None:
        """Write the model's one file."""
        arrays = {f"weight_{index}": weight for index, weight in enumerate(self.weights)}
        species = json.dumps(self.species)
        np.savez(folder / FILE, mean=self.mean, deviation=self.deviation, species=species, **arrays)


def untrained(flowers: Flowers, units: int, seed: int) -> Classifier:
    """A network for the species of these flowers, which knows nothing yet."""
    source = np.random.default_rng(seed)
    species = sorted(set(flowers.species))
    count = flowers.features.shape[1]
    return Classifier(
        species=species,
        mean=flowers.features.mean(0),
        deviation=flowers.features.std(0) + 1e-9,
        weights=[
            source.normal(0, count**-0.5, (count, units)),
            np.zeros(units),
            source.normal(0, units**-0.5, (units, len(species))),
            np.zeros(len(species)),
        ],
    )


def load(folder: Path) -> Classifier:
    """Read what `save` wrote."""
    with np.load(folder / FILE, allow_pickle=False) as file:
        weights = [file[f"weight_{index}"] for index in range(4)]
        return Classifier(json.loads(str(file["species"])), file["mean"], file["deviation"], weights)


def _softmax(values: np.ndarray) -> np.ndarray:
    exponentials = np.exp(values - values.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def _step(
    weight: np.ndarray, gradient: np.ndarray, mean: np.ndarray, square: np.ndarray, rate: float, step: int
) -> None:
    """One step of Adam, in place."""
    mean += 0.1 * (gradient - mean)
    square += 0.001 * (gradient**2 - square)
    weight -= rate * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
