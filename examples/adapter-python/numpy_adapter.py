"""Batch normalization in numpy, as an adapter that holds nothing: three functions. x and dy are [outer, channels, inner]."""

import numpy

from batchnorm_exec import array, serve, tensor


def per_channel(values):
    return values[:, None]


def forward(request, mean, variance):
    """y, and what backward needs: 1 / sqrt(variance + epsilon) and the mean."""
    x = array(request["x"]).astype("float64")
    r = 1 / numpy.sqrt(variance + request["epsilon"])
    gamma, beta = array(request["gamma"]), array(request["beta"])
    y = (x - per_channel(mean)) * per_channel(r)
    if gamma is not None:
        y = y * per_channel(gamma)
    if beta is not None:
        y = y + per_channel(beta)
    # In the dtype of x, rounded once: sums and statistics are float64 here, whatever it is.
    return {"y": tensor(y, request["x"].dtype), "saved": {"mean": tensor(mean, "float64"), "r": tensor(r, "float64")}}


def infer(request):
    return forward(request, array(request["movingMean"]).astype("float64"), array(request["movingVariance"]).astype("float64"))


def visible(request):
    """1 where an element enters the statistics: a mask is [outer, inner]."""
    outer, _, inner = request["x"].shape
    mask = array(request["mask"])
    return (numpy.ones((outer, inner)) if mask is None else mask.astype("float64"))[:, None, :]


def total(values):
    return values.sum(axis=(0, 2))


def train(request):
    seen = visible(request)
    n = seen.sum()
    if n == 0:  # The whole batch is hidden: the moving statistics normalize, and stay (clause 9.4).
        return {**infer(request), "movingMean": request["movingMean"], "movingVariance": request["movingVariance"]}
    x = array(request["x"]).astype("float64")
    # What is hidden may be anything, a NaN too.
    mean = total(numpy.where(seen > 0, x, 0)) / n
    variance = total(numpy.where(seen > 0, (x - per_channel(mean)) ** 2, 0)) / n
    correction = n / max(n - 1, 1) if request["varianceEstimator"] == "sample" else 1
    momentum = request["momentum"]
    moved = lambda name, new: tensor(momentum * array(request[name]).astype("float64") + (1 - momentum) * new)
    answer = forward(request, mean, variance)
    return {**answer, "movingMean": moved("movingMean", mean), "movingVariance": moved("movingVariance", variance * correction)}


def backward(request):
    x, dy = array(request["x"]).astype("float64"), array(request["dy"]).astype("float64")
    mean, r = per_channel(array(request["saved"]["mean"])), per_channel(array(request["saved"]["r"]))
    gamma, beta = array(request["gamma"]), array(request["beta"])
    x_hat = (x - mean) * r
    dgamma, dbeta = total(dy * x_hat), total(dy)
    seen = visible(request)
    dx = dy
    if request["training"] and seen.sum() > 0:
        through = (per_channel(dbeta) + x_hat * per_channel(dgamma)) / seen.sum()
        dx = dy - numpy.where(seen > 0, through, 0)
    dx = dx * r * (1 if gamma is None else per_channel(gamma))
    learns = request["parameterGradients"]
    return {
        "dx": tensor(dx, request["x"].dtype),
        "dgamma": tensor(dgamma) if learns and gamma is not None else None,
        "dbeta": tensor(dbeta) if learns and beta is not None else None,
    }


numpy.seterr(all="ignore")
serve(
    name="numpy",
    holds="nothing",
    supports={
        "training": True,
        "gradients": True,
        "masks": True,
        "dtypes": ["float32", "float16", "bfloat16"],
        "varianceEstimators": ["population", "sample"],
        "accumulation": "float64",
    },
    handlers={"infer": infer, "train": train, "backward": backward},
)
