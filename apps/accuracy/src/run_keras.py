"""Keras's BatchNormalization on TensorFlow: reads cases from stdin, a JSON line each, and writes its results beside their data."""

import json
import os
import sys

os.environ.update(
    {
        "CUDA_VISIBLE_DEVICES": "",
        "KERAS_BACKEND": "tensorflow",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TF_ENABLE_ONEDNN_OPTS": "0",
        "TF_NUM_INTEROP_THREADS": "1",
        "TF_NUM_INTRAOP_THREADS": "1",
    }
)

import keras
import numpy as np
import tensorflow as tf

for line in sys.stdin:
    case = json.loads(line)
    folder, shape, axis, channels = case["folder"], case["shape"], case["axis"], case["channels"]
    read = lambda name, kind=np.float32: np.fromfile(f"{folder}/{name}", kind)
    x, dy = (read(name).reshape(shape) for name in ("x", "dy"))
    mask = read("mask", np.uint8).astype(bool) if case["masked"] else None
    # Keras understands a mask for the last axis only.
    moved = mask is not None and axis != -1
    if moved:
        x, dy = (np.ascontiguousarray(np.moveaxis(each, axis, -1)) for each in (x, dy))
    layer = keras.layers.BatchNormalization(axis=-1 if moved else axis, epsilon=case["epsilon"], momentum=0.0)
    layer.build(x.shape)
    layer.gamma.assign(read("gamma"))
    layer.beta.assign(read("beta"))
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x, training=True, **({} if mask is None else {"mask": tf.constant(mask.reshape(x.shape[:-1]))}))
    dx, dgamma, dbeta = tape.gradient(y, [x, layer.gamma.value, layer.beta.value], tf.constant(dy))
    y, dx = y.numpy(), dx.numpy()
    if moved:
        y, dx = (np.moveaxis(each, -1, axis) for each in (y, dx))
    results = {
        "y": y,
        "dx": dx,
        "dgamma": dgamma.numpy(),
        "dbeta": dbeta.numpy(),
        "movingMean": layer.moving_mean.value.numpy(),
        "movingVariance": layer.moving_variance.value.numpy(),
    }
    for name, value in results.items():
        np.ascontiguousarray(value, np.float32).tofile(f"{folder}/result-{name}")
    print("done", flush=True)
