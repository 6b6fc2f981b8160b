"""Native PyTorch on one thread, driven by competitors/pytorch.ts: a JSON object a line in, a JSON object a line out."""

import json
import sys
import time

import numpy
import torch

torch.set_num_threads(1)


def read(folder, name, shape):
    return torch.from_numpy(numpy.fromfile(f"{folder}/{name}", dtype=numpy.float32).reshape(shape))


class Contender:
    def __init__(self, task):
        folder, channels = task["folder"], task["size"][2]
        self.task = task
        self.training = task["work"] != "inference"
        self.backward = task["work"] == "forward + backward"
        self.x, self.dy = (self.tensor(read(folder, name, task["shape"])) for name in ("x", "dy"))
        self.gamma, self.beta, self.mean, self.variance = (
            read(folder, name, [channels]) for name in ("gamma", "beta", "movingMean", "movingVariance")
        )
        if self.backward:
            for each in (self.x, self.gamma, self.beta):
                each.requires_grad_(True)

    def tensor(self, data):
        """[N, C, H*W, 1] for PyTorch, in the memory order of the task: channels last is its memory format of that name."""
        if self.task["layout"] == "channels last":
            batch, positions, channels = self.task["size"]
            return data.reshape(batch, positions, 1, channels).permute(0, 3, 1, 2)
        return data.unsqueeze(3)

    def run(self):
        # PyTorch's momentum is the weight of the new value.
        y = torch.nn.functional.batch_norm(
            self.x, self.mean, self.variance, self.gamma, self.beta, self.training, 1 - self.task["momentum"], self.task["epsilon"]
        )
        if self.backward:
            self.x.grad = self.gamma.grad = self.beta.grad = None
            y.backward(self.dy)
        return y

    def results(self):
        y = self.run()
        outputs = {"y": y, "movingMean": self.mean}
        if self.backward:
            outputs |= {"dx": self.x.grad, "dgamma": self.gamma.grad, "dbeta": self.beta.grad}
        for name, value in outputs.items():
            value = value.detach()
            if value.dim() == 4:
                value = value.permute(0, 2, 3, 1) if self.task["layout"] == "channels last" else value
            value.contiguous().numpy().astype(numpy.float32).tofile(f"{self.task['folder']}/result-{name}")
        return {"outputs": list(outputs)}

    def sample(self, milliseconds):
        samples = []
        end = time.perf_counter() + milliseconds / 1000
        while time.perf_counter() < end or len(samples) < 3:
            start = time.perf_counter()
            self.run()
            samples.append((time.perf_counter() - start) * 1000)
        return {"samples": samples}


def main():
    contender = None
    print(json.dumps({"version": torch.__version__}), flush=True)
    for line in sys.stdin:
        command = json.loads(line)
        if command["do"] == "prepare":
            contender = Contender(command)
            answer = {}
        elif command["do"] == "results":
            answer = contender.results()
        else:
            answer = contender.sample(command["milliseconds"])
        print(json.dumps(answer), flush=True)


main()
