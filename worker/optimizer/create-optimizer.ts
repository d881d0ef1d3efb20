import type { OptimizerSpec } from "../../shared/model-spec.js";
import { unreachable } from "../../shared/unreachable.js";
import type { Kernels } from "../kernels/kernels.js";
import { AdagradOptimizer } from "./adagrad-optimizer.js";
import { AdamOptimizer } from "./adam-optimizer.js";
import { MomentumOptimizer } from "./momentum-optimizer.js";
import type { Optimizer } from "./optimizer.js";
import { RmspropOptimizer } from "./rmsprop-optimizer.js";
import { SgdOptimizer } from "./sgd-optimizer.js";

/** The optimizer that a job asks for; its learning rate comes with each update. Formulas and their rounding: worker/kernels/kernels.ts. */
export function createOptimizer(spec: OptimizerSpec, kernels: Kernels): Optimizer {
  switch (spec.kind) {
    case "sgd":
      return new SgdOptimizer(kernels);
    case "momentum":
      return new MomentumOptimizer(spec, (...update) => kernels.momentum(...update));
    case "nesterov":
      return new MomentumOptimizer(spec, (...update) => kernels.nesterov(...update));
    case "adam":
      return new AdamOptimizer({ ...spec, weightDecay: 0 }, kernels);
    case "adamw":
      return new AdamOptimizer(spec, kernels);
    case "rmsprop":
      return new RmspropOptimizer(spec, kernels);
    case "adagrad":
      return new AdagradOptimizer(spec, kernels);
    default:
      return unreachable(spec);
  }
}
