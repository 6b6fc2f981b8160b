"""BatchNormalization of Keras 3 on the backend that KERAS_BACKEND names, or of tf-keras, as an adapter that holds layers.

    KERAS_BACKEND=jax python keras_adapter.py keras
    python keras_adapter.py tf_keras

A layer is frozen with `layer.trainable = False`. Keras expands a mask at its end, so that it fits channels-last layers only: with a
mask, x of another axis is transposed there and back.
"""

import importlib
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "..", "examples", "adapter-python"))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from batchnorm_exec import array, serve, tensor

PACKAGE = sys.argv[1]
keras = importlib.import_module(PACKAGE)
BACKEND = keras.backend.backend() if PACKAGE == "keras" else "tensorflow"
FIELDS = {"gamma": "gamma", "beta": "beta", "movingMean": "moving_mean", "movingVariance": "moving_variance"}
layers = {}


class Layer:
    def __init__(self, config, state):
        self.axis = config["axis"]
        self.config = config
        self.state = {name: array(values) for name, values in state.items()}
        self.layer = None
        self.moved = False
        self.pull_back = None

    def build(self, shape, moved):
        """Keras wants to know the rank of x. It is one layer, whichever way round x comes to it."""
        if self.layer is not None and (self.moved, self.rank) == (moved, len(shape)):
            return
        state = self.read()
        options = {name: self.config[name] for name in ("momentum", "epsilon", "center", "scale")}
        self.layer = keras.layers.BatchNormalization(axis=-1 if moved else self.axis, **options)
        self.moved, self.rank = moved, len(shape)
        dimensions = [None] * len(shape)
        dimensions[-1 if moved else self.axis] = len(state["movingMean"])
        self.layer.build(tuple(dimensions))
        self.write(state)

    def read(self):
        if self.layer is None:
            return self.state
        variables = {name: getattr(self.layer, attribute, None) for name, attribute in FIELDS.items()}
        return {name: None if variable is None else to_numpy(variable) for name, variable in variables.items()}

    def write(self, state):
        self.pull_back = None
        for name, values in state.items():
            if values is None:
                continue
            if self.layer is None:
                self.state[name] = values
            else:
                getattr(self.layer, FIELDS[name]).assign(values)

    def call(self, x, mask, training, trainable, gradient):
        last = self.axis in (-1, x.ndim - 1)
        moved = not last and (mask is not None or self.moved)
        self.build(np.moveaxis(x, self.axis, -1).shape if moved else x.shape, moved)
        self.layer.trainable = trainable
        there = (lambda a: np.ascontiguousarray(np.moveaxis(a, self.axis, -1))) if moved else (lambda a: a)
        back = (lambda a: np.moveaxis(a, -1, self.axis)) if moved else (lambda a: a)
        y, pull_back = CALLS[BACKEND](self.layer, there(x), mask, training)
        self.pull_back = None
        if gradient:
            self.pull_back = lambda dy: (lambda found: {**found, "dx": back(found["dx"])})(pull_back(there(dy)))
        return back(y)


def to_numpy(variable):
    """A copy."""
    values = variable.numpy() if PACKAGE == "tf_keras" else keras.ops.convert_to_numpy(variable)
    return np.array(values, np.float32)


def learned(layer):
    """The parameters that the layer itself says may be trained."""
    trained = {id(variable) for variable in layer.trainable_variables}
    found = {name: getattr(layer, name, None) for name in ("gamma", "beta")}
    return {name: variable for name, variable in found.items() if variable is not None and id(variable) in trained}


def call_tensorflow(layer, x, mask, training):
    import tensorflow as tf

    x = tf.constant(x)
    options = {} if mask is None else {"mask": tf.constant(mask)}
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = layer(x, training=training, **options)
    # Keras 3 wraps the tf.Variable, tf-keras does not.
    inner = lambda variable: variable if isinstance(variable, tf.Variable) else variable.value
    sources = {"dx": x, **{f"d{name}": inner(variable) for name, variable in learned(layer).items()}}

    def pull_back(dy):
        grads = tape.gradient(y, sources, output_gradients=tf.constant(dy))
        return {name: value.numpy() for name, value in grads.items()}

    return y.numpy(), pull_back


def call_jax(layer, x, mask, training):
    import jax
    import jax.numpy as jnp

    fixed = [variable.value for variable in layer.non_trainable_variables]
    trained = [variable.value for variable in layer.trainable_variables]
    options = {} if mask is None else {"mask": jnp.asarray(mask)}

    def forward(trained, x):
        return layer.stateless_call(trained, fixed, x, training=training, **options)

    y, differentiate, after = jax.vjp(forward, trained, jnp.asarray(x), has_aux=True)
    for variable, value in zip(layer.non_trainable_variables, after):
        variable.assign(value)
    names = [variable.name for variable in layer.trainable_variables]

    def pull_back(dy):
        grads, dx = differentiate(jnp.asarray(dy))
        return {"dx": np.asarray(dx), **{f"d{name}": np.asarray(grad) for name, grad in zip(names, grads)}}

    return np.asarray(y), pull_back


def call_torch(layer, x, mask, training):
    import torch

    x = torch.tensor(x, requires_grad=True)
    options = {} if mask is None else {"mask": torch.tensor(mask)}
    y = layer(x, training=training, **options)
    sources = {"dx": x, **{f"d{name}": variable.value for name, variable in learned(layer).items()}}

    def pull_back(dy):
        grads = torch.autograd.grad(y, list(sources.values()), torch.tensor(dy), retain_graph=True)
        return {name: grad.numpy() for name, grad in zip(sources, grads)}

    return y.detach().numpy(), pull_back


CALLS = {"tensorflow": call_tensorflow, "jax": call_jax, "torch": call_torch}


def create(request):
    layers[request["layer"]] = Layer(request["config"], request["state"])


def call(request):
    x, mask = array(request["x"]), array(request["mask"])
    layer = layers[request["layer"]]
    return {"y": tensor(layer.call(x, mask, request["training"], request["trainable"], request["gradient"]))}


def backward(request):
    found = layers[request["layer"]].pull_back(array(request["dy"]))
    return {name: tensor(found.get(name)) for name in ("dx", "dgamma", "dbeta")}


def state(request):
    return {name: tensor(values) for name, values in layers[request["layer"]].read().items()}


def set_state(request):
    layers[request["layer"]].write({name: array(values) for name, values in request["state"].items()})


if __name__ == "__main__":
    version = keras.__version__
    serve(
        name=f"keras {version} on {BACKEND}" if PACKAGE == "keras" else f"tf-keras {version}",
        holds="layers",
        # TensorFlow and XLA flush subnormal numbers to zero on the CPU.
        supports={
            "training": True,
            "gradients": True,
            "masks": PACKAGE == "keras",
            "subnormals": "preserved" if BACKEND == "torch" else "flushed",
        },
        handlers={
            "create": create,
            "call": call,
            "backward": backward,
            "state": state,
            "setState": set_state,
            "dispose": lambda request: layers.pop(request["layer"]) and None,
        },
    )
