import { parentPort, workerData } from "node:worker_threads";
import { toFailure } from "../../shared/failure.js";
import type { FromCoordinator } from "../../shared/protocol/control-message.js";
import { memorySharing } from "../collective/memory-domain.js";
import { attachMpi } from "../mpi/attach-mpi.js";
import type { Mpi } from "../mpi/mpi.js";
import { ControlConnection, type ControlHandlers } from "./control-connection.js";
import { ParentWatch } from "./parent-watch.js";
import { ProbeAnswers } from "./probe-answers.js";
import { ProgressBoard } from "./progress-board.js";
import { RingSession } from "./ring-session.js";
import { SnapshotBoard } from "./snapshot-board.js";
import { SnapshotSender } from "./snapshot-sender.js";
import type { FromThread, ThreadStart, ToThread } from "./thread-messages.js";

/**
 * Entry point of the communication thread: owns every socket of the worker, its heartbeats and the reduction over the shared
 * memory. Messages of the main thread are handled one after the other; exchanges run beside them so that heartbeats go on.
 */
function run(start: ThreadStart): void {
  const port = parentPort;
  if (port === null) throw new Error("communication-thread.ts runs as a worker thread only");
  const post = (message: FromThread): void => port.postMessage(message);
  const fail = (thrown: unknown): void => post({ kind: "broken", failure: toFailure(thrown) });
  const board = new ProgressBoard(start.board);
  const parent = start.parentPipe === null ? null : new ParentWatch(start.parentPipe, fail);
  let control: ControlConnection | null = null;
  let ring: RingSession | null = null;
  let mpi: Mpi | null = null;
  let wasWelcome = false;
  const probes = new ProbeAnswers(start.healthPort, board, fail);
  const sender = new SnapshotSender(new SnapshotBoard(start.snapshots), (body) => control?.send(body));

  const openLink = (link: number): ControlConnection => {
    const handlers: ControlHandlers = {
      received: (message) => {
        if (message.kind === "welcome") probes.joined = wasWelcome = true;
        if (sender.heard(message)) return;
        // A verdict frees an exchange that waits for a worker that will never answer.
        if (endsGeneration(message)) ring?.abort(message.failure);
        post({ kind: "received", link, message });
      },
      broken: (reason) => {
        probes.joined = false;
        ring?.abort(reason.failure);
        post({ kind: "linkBroken", link, failure: reason.failure });
      },
    };
    return new ControlConnection(start, board, handlers, wasWelcome);
  };

  const closeRing = async (): Promise<void> => {
    sender.drop();
    await ring?.[Symbol.asyncDispose]();
    ring = null;
  };

  const failRing = (thrown: unknown): void => post({ kind: "ringFailed", failure: toFailure(thrown) });

  const handle = async (message: Exclude<ToThread, { kind: "send" | "snapshot" }>): Promise<void> => {
    switch (message.kind) {
      case "connect":
        await closeRing();
        await control?.close();
        probes.joined = false;
        control = openLink(message.link);
        post({ kind: "connected", sharing: memorySharing() });
        break;
      case "bindRing":
        // The last generation's is closed; and a checkpoint that was asked for while the main thread prepared is of this one.
        if (ring !== null) throw new Error("bindRing before closeRing");
        if (message.plan.collectives.includes("mpi") && start.mpi !== null) mpi ??= await attachMpi(start.mpi);
        await RingSession.bind(message.plan, mpi, () => board.exchanging()).then((bound) => {
          ring = bound;
          post({ kind: "ringBound", ring: bound.bound });
        }, failRing);
        break;
      case "connectRing":
        post(await connected(ring, message));
        break;
      case "exchange":
      case "pushPull":
        post(await answered(ring, message));
        break;
      case "closeRing":
        await closeRing();
        post({ kind: "ringClosed" });
        break;
      case "close":
        parent?.close();
        await probes[Symbol.asyncDispose]();
        await closeRing();
        await control?.close();
        post({ kind: "closed" });
        port.close();
        break;
    }
  };

  let queue = Promise.resolve();
  port.on("message", (message: ToThread) => {
    // Control messages never wait behind an exchange: a failure report must get out while the ring stands still.
    if (message.kind === "send") return control?.send(message.body);
    if (message.kind === "snapshot") return sender.begin(message.snapshot);
    // Whoever leaves does not wait for an exchange that may never end.
    if (message.kind === "close" || message.kind === "closeRing" || message.kind === "connect") ring?.abort(null);
    queue = queue.then(() => handle(message)).catch(fail);
  });
}

async function connected(
  ring: RingSession | null,
  { endpoints, segments }: Extract<ToThread, { kind: "connectRing" }>,
): Promise<FromThread> {
  try {
    if (ring === null) throw new Error("connectRing before bindRing");
    return { kind: "ringConnected", ...(await ring.connect(endpoints, segments)) };
  } catch (thrown) {
    return { kind: "ringFailed", failure: toFailure(thrown) };
  }
}

async function answered(
  ring: RingSession | null,
  message: Extract<ToThread, { kind: "exchange" | "pushPull" }>,
): Promise<FromThread> {
  if (ring === null) throw new Error(`${message.kind} before bindRing`);
  try {
    return message.kind === "exchange"
      ? { kind: "exchanged", report: await ring.exchange(message.exchange) }
      : { kind: "pushed", report: await ring.pushPull(message.request) };
  } catch (thrown) {
    return { kind: "exchangeFailed", failure: toFailure(thrown) };
  }
}

type Verdict = Extract<FromCoordinator, { kind: "stop" | "refused" | "release" }>;

function endsGeneration(message: FromCoordinator): message is Verdict {
  return message.kind === "stop" || message.kind === "refused" || message.kind === "release";
}

run(workerData as ThreadStart);
