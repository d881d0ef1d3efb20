import type { Failure } from "../../shared/failure.js";
import type { JoinMessage } from "./control-server.js";

/** For a worker that comes when its coordinator is about to end. */
export function poolIsClosing({ workerId, host }: JoinMessage): Failure {
  return {
    code: "WORKER_REFUSED",
    workerId,
    host,
    what: "the time",
    expected: "a coordinator that takes workers",
    got: "one that ends",
    remedy: "The coordinator is ending; start the worker again when the next one is there",
  };
}

/** For what bears the name of a process that the coordinator has launched, and is not that process, or is no more. */
export function processIsGone({ workerId, host, pid }: JoinMessage): Failure {
  return {
    code: "WORKER_REFUSED",
    workerId,
    host,
    what: "its process",
    expected: "the one of that name that this coordinator has started, and that still runs",
    got: `process ${pid}`,
    remedy: "Give a worker of your own another --worker-id, or leave it out",
  };
}
