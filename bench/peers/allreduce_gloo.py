"""All-reduce of float32 sums by Gloo, in place: one line of "count microseconds wrong" for each size, from rank 0.

Usage: allreduce_gloo.py RANK RANKS STORE_FILE COUNT:REPETITIONS:WARMUPS...
Microseconds are the mean on the slowest rank. The tensors hold zeros while it is timed: summed in place again and again, anything
else would leave the range of float32.
"""
import sys
import time

import torch
import torch.distributed as dist

rank, ranks = int(sys.argv[1]), int(sys.argv[2])
torch.set_num_threads(1)
dist.init_process_group("gloo", init_method="file://" + sys.argv[3], rank=rank, world_size=ranks)


def contribution(of, count):
    return ((torch.arange(count, dtype=torch.int64) * 7 + of * 13) % 1021 - 500).to(torch.float32)


for size in sys.argv[4:]:
    count, repetitions, warm_ups = (int(part) for part in size.split(":"))
    values = contribution(rank, count)
    dist.all_reduce(values)
    expected = sum(contribution(other, count) for other in range(ranks))
    wrong = int((values != expected).sum())
    values.zero_()
    for _ in range(warm_ups):
        dist.all_reduce(values)
    dist.barrier()
    began = time.perf_counter()
    for _ in range(repetitions):
        dist.all_reduce(values)
    mean = (time.perf_counter() - began) * 1e6 / repetitions
    slowest = torch.tensor([mean], dtype=torch.float64)
    dist.all_reduce(slowest, op=dist.ReduceOp.MAX)
    all_wrong = torch.tensor([wrong], dtype=torch.int64)
    dist.all_reduce(all_wrong)
    if rank == 0:
        print(count, f"{slowest.item():.3f}", int(all_wrong.item()), flush=True)
dist.destroy_process_group()
