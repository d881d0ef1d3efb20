"""What the contenders of bench/train.ts share: the workload's files, and the dialogue on stdin and stdout."""

import json
import os
import resource
import sys
import time

import numpy as np


class Workload:
    """A workload as bench/train/workload.ts writes it."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            described = json.load(file)
        self.layers = described["model"]["layers"]
        self.optimizer = described["optimizer"]
        self.batch_size = described["batchSize"]
        self.x, self.classes = read_rows(described["dataset"])
        self.order = np.fromfile(described["orderPath"], np.uint32).astype(np.int64)
        self.tensors = read_tensors(described)

    def batches(self):
        """Row numbers of one step after another, for ever: every epoch in the order of the first."""
        while True:
            for start in range(0, len(self.order), self.batch_size):
                yield self.order[start : start + self.batch_size]


def read_rows(dataset):
    """x as float32 [rows, features] and the class numbers, from a row file: bytes, then one uint32 per row."""
    file = dataset["train"]
    if file["featureType"] != "uint8" or dataset["transform"]["kind"] != "scale":
        raise ValueError("the rows are images of bytes")
    row = np.dtype([("x", np.uint8, file["features"]), ("class", "<u4")])
    rows = np.fromfile(file["path"], row)
    x = rows["x"].astype(np.float32) / np.float32(dataset["transform"]["divisor"])
    return np.ascontiguousarray(x), rows["class"].astype(np.int64)


def read_tensors(described):
    """The initial parameters by name, in the layout that Keras has."""
    flat = np.fromfile(described["weightsPath"], np.float32)
    tensors, at = {}, 0
    for tensor in described["tensors"]:
        size = int(np.prod(tensor["shape"]))
        tensors[tensor["name"]] = flat[at : at + size].reshape(tensor["shape"])
        at += size
    return tensors


def answer(ready, step):
    """Says `ready`, then runs as many steps as each line of input says. `step()` gives the mean loss of its rows."""
    print(json.dumps(ready), flush=True)
    for line in sys.stdin:
        losses, step_ms = [], []
        before, cpu_before = time.perf_counter(), time.process_time()
        for _ in range(int(line)):
            losses.append(step())
            now = time.perf_counter()
            step_ms.append((now - before) * 1e3)
            before = now
        cpu_ms = (time.process_time() - cpu_before) * 1e3
        burst = {"losses": losses, "stepMs": step_ms, "cpuMs": cpu_ms, "residentBytes": resident_bytes()}
        print(json.dumps(burst), flush=True)


def resident_bytes():
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def fastest(candidates, warm=4, steps=8):
    """The name in `candidates` (functions that run one step, by name) with the lowest median step time."""
    if len(candidates) == 1:
        return next(iter(candidates))
    times = {name: [] for name in candidates}
    for run in candidates.values():
        for _ in range(warm):
            run()
    for _ in range(steps):
        for name, run in candidates.items():
            before = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - before)
    return min(times, key=lambda name: sorted(times[name])[steps // 2])
