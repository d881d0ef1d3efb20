import { RingstrasseError } from "../../shared/failure.js";

/** For whoever uses a link that was disposed of, or was never connected. */
export function linkClosed(endpoint: string): RingstrasseError {
  const problem = "the link is not connected, or was closed";
  const remedy = "Form the group anew: bind, connect, then exchange";
  return new RingstrasseError({ code: "ENDPOINT_UNAVAILABLE", endpoint, problem, remedy });
}

/** For a message of another number of parts than a frame's two. */
export function noFrame(parts: number, endpoint: string): RingstrasseError {
  const problem = `a message of ${parts} parts, expected header and payload`;
  return new RingstrasseError({ code: "PROTOCOL_VIOLATION", from: `whoever sends to ${endpoint}`, problem });
}
