"""PyTorch's own BatchNorm layer as an adapter that holds layers: its state, its moving average, and what it does when it is frozen.

    batchnorm-conformance --exec "python torch_adapter.py"

What PyTorch calls otherwise is translated here: momentum is the weight of the new value, the channels lie on axis 1, the moving
variance takes the sample variance, and a layer is frozen with `eval()` and `requires_grad_(False)`.
"""

import torch

from batchnorm_exec import array, serve, tensor

FIELDS = {"gamma": "weight", "beta": "bias", "movingMean": "running_mean", "movingVariance": "running_var"}
layers = {}


class Layer(torch.nn.modules.batchnorm._BatchNorm):
    """What BatchNorm1d, 2d and 3d are, for any rank."""

    def __init__(self, config, state):
        affine = config["scale"] or config["center"]
        super().__init__(state["movingMean"].shape[0], eps=config["epsilon"], momentum=1 - config["momentum"], affine=affine)
        self.config = config
        self.parameter_names = [FIELDS[name] for name in ("gamma", "beta") if state[name] is not None]
        self.write(state)

    def _check_input_dim(self, x):
        pass

    @torch.no_grad()
    def write(self, state):
        for name, values in state.items():
            if values is not None:
                getattr(self, FIELDS[name]).copy_(torch.from_numpy(array(values)))
        self.x = self.y = None

    def run(self, x, training, trainable, gradient):
        self.train(training and trainable)
        self.requires_grad_(trainable)
        before = self.running_var.clone()
        x.requires_grad_(gradient)
        y = super().__call__(x.movedim(self.config["axis"], 1)).movedim(1, self.config["axis"])
        if self.training and self.config["varianceEstimator"] == "population":
            self.take_population_variance(before, x.numel() // self.num_features)
        self.x, self.y = (x, y) if gradient else (None, None)
        return y.detach()

    def take_population_variance(self, before, n):
        """PyTorch has moved the variance towards that of a sample of n elements. The old array is what backward goes by."""
        kept = (1 - self.momentum) * before
        self.running_var = kept + (self.running_var - kept) * ((n - 1) / n)


def create(request):
    layers[request["layer"]] = Layer(request["config"], request["state"])


def call(request):
    x = torch.from_numpy(array(request["x"]))
    return {"y": tensor(layers[request["layer"]].run(x, request["training"], request["trainable"], request["gradient"]))}


def backward(request):
    layer = layers[request["layer"]]
    learned = [name for name in layer.parameter_names if getattr(layer, name).requires_grad]
    wanted = [layer.x, *(getattr(layer, name) for name in learned)]
    dx, *others = torch.autograd.grad(layer.y, wanted, torch.from_numpy(array(request["dy"])), retain_graph=True)
    found = dict(zip(learned, others))
    return {"dx": tensor(dx), "dgamma": tensor(found.get("weight")), "dbeta": tensor(found.get("bias"))}


def state(request):
    layer = layers[request["layer"]]
    values = {name: getattr(layer, attribute) for name, attribute in FIELDS.items()}
    return {name: None if value is None else tensor(value.detach()) for name, value in values.items()}


serve(
    name=f"pytorch {torch.__version__}",
    holds="layers",
    supports={"training": True, "gradients": True, "minElements": 2, "varianceEstimators": ["population", "sample"]},
    handlers={
        "create": create,
        "call": call,
        "backward": backward,
        "state": state,
        "setState": lambda request: layers[request["layer"]].write(request["state"]),
        "dispose": lambda request: layers.pop(request["layer"]) and None,
    },
)
