import torch

layer = torch.nn.BatchNorm1d(1, momentum=0.5)
layer.requires_grad_(False)
layer(torch.tensor([[10.0], [20.0]]))
print("with requires_grad_(False):", layer.running_mean.item(), layer.running_var.item())
layer.eval()
layer(torch.tensor([[30.0], [40.0]]))
print("and with eval(), after another batch:", layer.running_mean.item(), layer.running_var.item())
