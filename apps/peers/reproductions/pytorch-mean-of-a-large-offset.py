import torch

for shape in ((1000, 1), (1, 1, 1000)):
    layer = torch.nn.BatchNorm1d(1, momentum=1.0)
    layer(torch.full(shape, 1e7))
    print(shape, "mean", layer.running_mean.item(), "variance", layer.running_var.item())
print("expected of a constant: a variance of 0")
