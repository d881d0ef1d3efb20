import { arcOf } from "../../shared/epoch-plan.js";
import { RingstrasseError } from "../../shared/failure.js";
import type { Kernels } from "../kernels/kernels.js";
import type { RingTransport } from "../transport/ring-transport.js";
import { type AddressableMemory, BlockFolder } from "./block-folder.js";
import type { Collective, ExchangeBuffers, Membership } from "./collective.js";
import { FoldSchedule } from "./fold-schedule.js";
import { LocalCollective } from "./local-collective.js";
import { RingCollective } from "./ring-collective.js";

export interface LocalCollectiveOptions {
  readonly membership: Membership;
  readonly buffers: ExchangeBuffers;
  /** What the addresses in `buffers` and the kernels refer to. */
  readonly memory: AddressableMemory;
  readonly kernels: Pick<Kernels, "add">;
}

export interface CollectiveOptions extends LocalCollectiveOptions {
  /** `auto` takes what the number of workers asks for: `local` for one, `ring` for several. */
  readonly choice: "auto" | "local" | "ring";
  /** Connected to the next worker; unused, and may be null, with one worker. */
  readonly transport: RingTransport | null;
  /** Hex; see `layoutHash` in shared/arena-layout.ts. */
  readonly layoutHash: string;
}

/**
 * The collective for this worker's place in its group. A ring of one worker is `local`: the same folds, no sockets.
 * @throws RingstrasseError CHOICE_UNSUPPORTED when `local` is asked for and there are several workers.
 * @throws RangeError for more workers than replicas, a wrong number of buffers, or a missing transport.
 */
export function createCollective(options: CollectiveOptions): Collective {
  const { choice, membership, transport, layoutHash } = options;
  if (membership.worldSize === 1) return createLocalCollective(options);
  if (choice === "local") {
    const remedy = `Use --workers 1, or --collective ring for ${membership.worldSize} workers`;
    throw new RingstrasseError({
      code: "CHOICE_UNSUPPORTED",
      option: "--collective",
      value: choice,
      supported: ["auto", "ring"],
      remedy,
    });
  }
  if (transport === null) throw new RangeError(`a ring of ${membership.worldSize} workers needs a transport`);
  return new RingCollective({ membership, folder: folderOf(options), transport, layoutHash });
}

/** The collective of a group of one worker. @throws RangeError for more than one worker or a wrong number of buffers. */
export function createLocalCollective(options: LocalCollectiveOptions): Collective {
  const { worldSize, replicas } = options.membership;
  return new LocalCollective(new FoldSchedule(worldSize, replicas), folderOf(options));
}

function folderOf({ membership, buffers, memory, kernels }: LocalCollectiveOptions): BlockFolder {
  const arc = arcOf(membership.rank, membership.worldSize, membership.replicas);
  return new BlockFolder({ buffers, memory, kernels, arc });
}
