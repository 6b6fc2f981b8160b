"""tf-keras's BatchNormalization where its fused kernel runs: the one that puts the sample variance into moving_variance."""

from __future__ import annotations

import tf_keras

from case import RESULT_FIELDS, Case, Tensors
from frameworks import Unsupported, tape

# tf.compat.v1.nn.fused_batch_norm raises a smaller epsilon to this, silently: cuDNN wants it, the CPU gets it too.
MIN_EPSILON = 1.001e-5


def run(case: Case) -> list[Tensors]:
    """The results of every step."""
    config = case.config
    if any(step.mask is not None for step in case.steps):
        raise Unsupported("The fused kernel ignores masks.")
    layer = tf_keras.layers.BatchNormalization(
        axis=case.axis, **{name: config[name] for name in ("momentum", "epsilon", "center", "scale")}
    )
    layer.build(case.shape)
    if not layer.fused:
        raise Unsupported("Not fused for this rank and axis, so the population variance enters moving_variance.")
    if config["epsilon"] < MIN_EPSILON:
        raise Unsupported(f"The fused op silently raises epsilon to {MIN_EPSILON}.")
    variables = {
        "gamma": layer.gamma,
        "beta": layer.beta,
        "movingMean": layer.moving_mean,
        "movingVariance": layer.moving_variance,
    }

    def assign(values: Tensors) -> None:
        for name, value in values.items():
            if value is not None:
                variables[name].assign(value)

    assign(case.state)
    results = []
    for step in case.steps:
        layer.trainable = step.trainable
        assign(step.parameters or {})
        result = tape.call(layer, step.x, step.training, None, step.dy)
        result["movingMean"] = layer.moving_mean.numpy()
        result["movingVariance"] = layer.moving_variance.numpy()
        results.append({name: result[name] for name in RESULT_FIELDS})
    return results
