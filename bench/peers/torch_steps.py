"""PyTorch as a contender of bench/train.ts: torch_steps.py WORKLOAD.json THREADS

Eager, as most people train: rows gathered by index from a tensor in memory, cross entropy, backward, step. Where there is a choice
(fused or ordinary optimizer; channels last or first) the faster one is taken, found by trying each for some steps.
"""

import inspect
import itertools
import sys

import torch
import torch.nn.functional as F
from torch import nn
from workload import Workload, answer, fastest


class Images(nn.Module):
    """Rows as images: from [rows, 784] to [rows, 1, 28, 28]; a view."""

    def forward(self, x):
        return x.view(-1, 1, 28, 28)


def network(workload):
    """The layers, with the workload's initial parameters. Images are [channels, height, width] here."""
    modules, shape = [], [workload.x.shape[1]]
    for layer in workload.layers:
        kind = layer["kind"]
        if kind == "conv2d":
            if len(shape) == 1:
                modules.append(Images())
                shape = [28, 28, 1]
            modules.append(convolution(workload, layer))
            shape = [shape[0] - layer["kernel"][0] + 1, shape[1] - layer["kernel"][1] + 1, layer["filters"]]
        elif kind == "maxPool":
            modules.append(nn.MaxPool2d(tuple(layer["window"]), tuple(layer["stride"])))
            shape = [shape[0] // layer["stride"][0], shape[1] // layer["stride"][1], shape[2]]
        elif kind == "flatten":
            modules.append(nn.Flatten())
        elif kind == "dense":
            modules.append(dense(workload, layer, shape))
            shape = [layer["units"]]
        if layer.get("activation") == "relu":
            modules.append(nn.ReLU())
    return nn.Sequential(*modules)


def convolution(workload, layer):
    kernel = torch.tensor(workload.tensors[layer["name"] + "/kernel"]).permute(3, 2, 0, 1).contiguous()
    module = nn.Conv2d(kernel.shape[1], kernel.shape[0], tuple(layer["kernel"]), tuple(layer["stride"]))
    return fill(module, kernel, workload.tensors[layer["name"] + "/bias"])


def dense(workload, layer, shape):
    kernel = torch.tensor(workload.tensors[layer["name"] + "/kernel"])
    if len(shape) == 3:
        # After flattening, channels come first here and last there.
        kernel = kernel.view(*shape, -1).permute(2, 0, 1, 3).reshape(-1, kernel.shape[1])
    module = nn.Linear(*kernel.shape)
    return fill(module, kernel.t().contiguous(), workload.tensors[layer["name"] + "/bias"])


def fill(module, weight, bias):
    with torch.no_grad():
        module.weight.copy_(weight)
        module.bias.copy_(torch.tensor(bias))
    return module


def optimizer(spec, parameters, fused):
    more = {"fused": True} if fused else {}
    if spec["kind"] == "adam":
        betas = (spec["beta1"], spec["beta2"])
        return torch.optim.Adam(parameters, lr=spec["learningRate"], betas=betas, eps=spec["epsilon"], **more)
    return torch.optim.SGD(parameters, lr=spec["learningRate"], momentum=spec.get("momentum", 0), **more)


def has_fused(spec):
    """Newer releases have fused optimizers for processors, too."""
    kind = torch.optim.Adam if spec["kind"] == "adam" else torch.optim.SGD
    if "fused" not in inspect.signature(kind).parameters:
        return False
    try:
        parameter = nn.Parameter(torch.zeros(2))
        made = optimizer(spec, [parameter], True)
        parameter.grad = torch.ones(2)
        made.step()
        return True
    except RuntimeError:
        return False


def stepper(workload, fused, channels_last, wrap=lambda model: model, part=lambda rows: rows):
    """A function that runs the next step of a training of its own: of `part` of the rows, on a model that `wrap` may surround."""
    model = network(workload)
    if channels_last:
        model = model.to(memory_format=torch.channels_last)
    model = wrap(model)
    made = optimizer(workload.optimizer, model.parameters(), fused)
    x, classes = torch.from_numpy(workload.x), torch.from_numpy(workload.classes)
    batches = workload.batches()

    def step():
        rows = torch.from_numpy(part(next(batches)))
        made.zero_grad(set_to_none=True)
        loss = F.cross_entropy(model(x[rows]), classes[rows])
        loss.backward()
        made.step()
        return loss.item()

    return step


def settings_of(workload):
    """What there is to choose from: for each name whether the optimizer is fused and whether channels come last."""
    images = any(layer["kind"] == "conv2d" for layer in workload.layers)
    fusions = [False, True] if has_fused(workload.optimizer) else [False]
    choices = itertools.product(fusions, [False, True] if images else [False])
    return {
        ("fused" if fused else "ordinary") + " optimizer" + (", channels last" if last else ""): (fused, last)
        for fused, last in choices
    }


def main():
    workload = Workload(sys.argv[1])
    torch.set_num_threads(int(sys.argv[2]))
    settings = settings_of(workload)
    # Tried on copies: the training that is measured starts from the workload's parameters.
    best = fastest({name: stepper(workload, *setting) for name, setting in settings.items()})
    ready = {"library": "PyTorch", "version": torch.__version__, "variant": best}
    answer(ready, stepper(workload, *settings[best]))


if __name__ == "__main__":
    main()
