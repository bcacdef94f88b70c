"""The same network in Keras; serving needs no TensorFlow, since the weights become those of `classifier`."""

from __future__ import annotations

import numpy as np

from classifier import Classifier
from data import Flowers, UserError


def fit(model: Classifier, flowers: Flowers, epochs: int, learning_rate: float, seed: int) -> None:
    """Let Keras learn the weights of `model`.

    Raises:
        UserError: the image was built without TensorFlow.
    """
    try:
        import keras  # noqa: PLC0415 -- only the image built with requirements-tensorflow.txt has it
    except ImportError:
        raise UserError(
            "hyperparameter library: this image has no TensorFlow; "
            "build it with --build-arg REQUIREMENTS=requirements-tensorflow.txt"
        ) from None
    keras.utils.set_random_seed(seed)
    units = model.weights[1].shape[0]
    network = keras.Sequential(
        [
            keras.Input((len(model.mean),)),
            keras.layers.Dense(units, activation="tanh"),
            keras.layers.Dense(len(model.species), activation="softmax"),
        ]
    )
    network.compile(keras.optimizers.Adam(learning_rate), "sparse_categorical_crossentropy")
    wanted = np.array([model.species.index(name) for name in flowers.species])
    scaled = (flowers.features - model.mean) / model.deviation
    network.fit(scaled, wanted, epochs=epochs, batch_size=len(wanted), verbose=0)
    model.weights = [np.asarray(weight) for weight in network.get_weights()]
