"""A rank of PyTorch's DistributedDataParallel over Gloo: torch_ddp_steps.py WORKLOAD.json RANK RANKS STORE_FILE THREADS

A contender of bench/scaling.ts. Each rank takes its part of the rows of every step, in rank order; losses are means over its own part.
What is fastest is found as torch_steps.py finds it, on each rank's part without exchange; rank 0's finding holds for all.
"""

import sys
from datetime import timedelta

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel
from torch_steps import settings_of, stepper
from workload import Workload, answer, fastest


def main():
    workload = Workload(sys.argv[1])
    rank, ranks = int(sys.argv[2]), int(sys.argv[3])
    torch.set_num_threads(int(sys.argv[5]))
    # Ends when another rank could not start.
    store, patience = "file://" + sys.argv[4], timedelta(minutes=2)
    dist.init_process_group("gloo", init_method=store, rank=rank, world_size=ranks, timeout=patience)
    each = workload.batch_size // ranks
    if each * ranks != workload.batch_size:
        raise ValueError(f"{workload.batch_size} rows are no equal parts for {ranks} ranks")

    def part(rows):
        return rows[rank * each : (rank + 1) * each]

    settings = settings_of(workload)
    found = [fastest({name: stepper(workload, *setting, part=part) for name, setting in settings.items()})]
    dist.broadcast_object_list(found, src=0)
    best = found[0]

    def wrap(model):
        # Gradients live in the buckets that are sent: no copies.
        return DistributedDataParallel(model, gradient_as_bucket_view=True)

    ready = {"library": "PyTorch DDP over Gloo", "version": torch.__version__, "variant": best}
    answer(ready, stepper(workload, *settings[best], wrap=wrap, part=part))
    dist.destroy_process_group()


main()
