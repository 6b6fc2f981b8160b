"""One real model: a small CNN trained on scikit-learn's digits, and what enters and leaves its three BN layers.

    python digits.py FOLDER

Writes the family `digits` (without truth) and FOLDER/digits-accuracy.json. The fine-tuning run is plain SGD without
momentum, so the recorded steps replay it: x, dy, and the parameters that the optimizer left before each step.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits

from case import Case, Step, Tensors
from draw import SEED, Array
from store import write_family

TRAINING_IMAGES, EPOCHS, BATCH = 1500, 2, 32
FINE_TUNING_STEPS, FINE_TUNING_BATCH, LEARNING_RATE = 6, 8, 0.05
MOMENTUM, EPSILON = 0.9, 1e-3
NAMES = ("first", "middle", "last")


def build() -> keras.Sequential:
    """Two convolutions and two dense layers; BN after each but the last."""

    def norm() -> Any:
        return keras.layers.BatchNormalization(momentum=MOMENTUM, epsilon=EPSILON)

    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(8, 3, padding="same", use_bias=False),
            norm(),
            keras.layers.ReLU(),
            keras.layers.Conv2D(16, 3, strides=2, padding="same", use_bias=False),
            norm(),
            keras.layers.ReLU(),
            keras.layers.Flatten(),
            keras.layers.Dense(32, use_bias=False),
            norm(),
            keras.layers.ReLU(),
            keras.layers.Dense(10),
        ]
    )


def forward(model: keras.Sequential, images: Array, training: bool) -> tuple[Any, list[Any], list[Any]]:
    """The logits, and the tensors that enter and leave the BN layers. Layer by layer and eager, to hold them."""
    hidden, entering, leaving = tf.constant(images), [], []
    for layer in model.layers:
        before = hidden
        hidden = layer(hidden, training=training)
        if isinstance(layer, keras.layers.BatchNormalization):
            entering.append(before)
            leaving.append(hidden)
    return hidden, entering, leaving


def train_step(model: keras.Sequential, optimizer: Any, images: Array, labels: Array) -> tuple[Any, ...]:
    """One step of the optimizer: what entered and left the BN layers, and the tape's gradients of both."""
    loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    with tf.GradientTape() as tape:
        logits, entering, leaving = forward(model, images, training=True)
        loss = loss_of(labels, logits)
    variables = [variable.value for variable in model.trainable_variables]
    d_variables, dx, dy = tape.gradient(loss, [variables, entering, leaving])
    optimizer.apply(d_variables, model.trainable_variables)
    named = {variable.path: grad for variable, grad in zip(model.trainable_variables, d_variables, strict=True)}
    return entering, leaving, dx, dy, named


def norms(model: keras.Sequential) -> list[Any]:
    """The three BN layers."""
    return [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]


def state_of(layer: Any) -> Tensors:
    """A copy of a layer's state, by our names."""
    variables = {
        "gamma": layer.gamma,
        "beta": layer.beta,
        "movingMean": layer.moving_mean,
        "movingVariance": layer.moving_variance,
    }
    return {name: np.array(variable.numpy()) for name, variable in variables.items()}


def new_case(id: str, layer: Any) -> Case:
    """A case without steps that starts from the layer as it is now."""
    config = {
        "axis": -1,
        "momentum": MOMENTUM,
        "epsilon": EPSILON,
        "center": True,
        "scale": True,
        "trainable": layer.trainable,
        "varianceEstimator": "population",
        "nonFinite": "propagate",
    }
    return Case(f"digits/{id}", "16.4", [], "keras/tensorflow", config, state_of(layer))


def record(case: Case, layer: Any, training: bool, x: Any, y: Any, grads: Tensors, dy: Any = None) -> None:
    """Appends a step and what Keras gave in it. `layer` is read for the statistics after the step."""
    after = state_of(layer)
    result = {"y": y.numpy(), "movingMean": after["movingMean"], "movingVariance": after["movingVariance"], **grads}
    step = Step(training=training, trainable=layer.trainable, x=x.numpy(), dy=None if dy is None else dy.numpy())
    step.results = {"keras/tensorflow": result}
    case.steps.append(step)


def inference_cases(model: keras.Sequential, images: Array) -> list[Case]:
    """What the trained model does with images that it has not seen."""
    _, entering, leaving = forward(model, images, training=False)
    cases = []
    for layer, name, x, y in zip(norms(model), NAMES, entering, leaving, strict=True):
        case = new_case(f"inference-{name}", layer)
        record(case, layer, False, x, y, {"dx": None, "dgamma": None, "dbeta": None})
        cases.append(case)
    return cases


def fine_tuning_cases(model: keras.Sequential, images: Array, labels: Array) -> list[Case]:
    """Six steps of SGD with the middle BN layer frozen and everything else trained."""
    layers = norms(model)
    layers[1].trainable = False
    optimizer = keras.optimizers.SGD(LEARNING_RATE)
    optimizer.build(model.trainable_variables)
    cases = [new_case(f"fine-tuning-{name}", layer) for name, layer in zip(NAMES, layers, strict=True)]
    for index in range(FINE_TUNING_STEPS):
        batch = slice(index * FINE_TUNING_BATCH, (index + 1) * FINE_TUNING_BATCH)
        before = [state_of(layer) for layer in layers]
        entering, leaving, dx, dy, named = train_step(model, optimizer, images[batch], labels[batch])
        for i, layer in enumerate(layers):
            grads: Tensors = {"dx": dx[i].numpy(), "dgamma": None, "dbeta": None}
            if layer.trainable:
                grads["dgamma"], grads["dbeta"] = named[layer.gamma.path].numpy(), named[layer.beta.path].numpy()
            record(cases[i], layer, True, entering[i], leaving[i], grads, dy[i])
            if index > 0 and layer.trainable:
                cases[i].steps[-1].parameters = {name: before[i][name] for name in ("gamma", "beta")}
    return cases


def main(folder: Path) -> None:
    """Trains, records, writes."""
    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(SEED)
    digits = load_digits()
    images, labels = np.float32(digits.images / 16.0)[..., None], digits.target
    model = build()
    optimizer = keras.optimizers.Adam(1e-2)
    optimizer.build(model.trainable_variables)
    order = np.random.Generator(np.random.PCG64(SEED))
    for _ in range(EPOCHS):
        shuffled = order.permutation(TRAINING_IMAGES)
        for start in range(0, TRAINING_IMAGES - BATCH + 1, BATCH):
            batch = shuffled[start : start + BATCH]
            train_step(model, optimizer, images[batch], labels[batch])
    unseen, truth = images[TRAINING_IMAGES:], labels[TRAINING_IMAGES:]
    logits, _, _ = forward(model, unseen, training=False)
    accuracy = float(np.mean(np.argmax(logits.numpy(), axis=1) == truth))
    cases = inference_cases(model, unseen[:FINE_TUNING_BATCH]) + fine_tuning_cases(model, unseen, truth)
    write_family(folder, "digits", cases)
    description = {
        "trainingImages": TRAINING_IMAGES,
        "testImages": len(unseen),
        "epochs": EPOCHS,
        "accuracy": round(accuracy, 4),
    }
    (folder / "digits-accuracy.json").write_text(json.dumps(description))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
