import { RingstrasseError } from "../failure.js";

/** Why a message to `endpoint` could not be sent, and what to do. */
export function unsendable(endpoint: string, cause: unknown): RingstrasseError {
  const problem =
    codeOf(cause) === "EHOSTUNREACH"
      ? "a message could not be sent, since nobody is connected there under that name"
      : `a message could not be sent (${describe(cause)})`;
  const remedy = "See whether that process still runs and whether its host can be reached";
  return new RingstrasseError({ code: "ENDPOINT_UNAVAILABLE", endpoint, problem, remedy }, { cause });
}

/** Why `endpoint` can't be connected to, and what to do. */
export function unconnectable(endpoint: string, cause: unknown): RingstrasseError {
  const problem = `it can't be connected to (${describe(cause)})`;
  const remedy = "Give an address such as tcp://HOST:PORT or ipc:///path/of/socket";
  return new RingstrasseError({ code: "ENDPOINT_UNAVAILABLE", endpoint, problem, remedy }, { cause });
}

/** Why `endpoint` can't be listened on, and what to do. */
export function unbindable(endpoint: string, cause: unknown): RingstrasseError {
  const { problem, remedy } = explainBind(codeOf(cause), cause);
  return new RingstrasseError({ code: "ENDPOINT_UNAVAILABLE", endpoint, problem, remedy }, { cause });
}

function explainBind(code: string, cause: unknown): { problem: string; remedy: string } {
  switch (code) {
    case "EADDRINUSE":
      return {
        problem: "another process already listens there",
        remedy: "Stop that process, or choose another port; port 0 takes any free one",
      };
    case "EADDRNOTAVAIL":
    case "ENODEV":
      return {
        problem: "this host has no such address",
        remedy: "Choose the name or address of one of its network interfaces, or 0.0.0.0 for all of them",
      };
    case "EACCES":
      return {
        problem: "this user may not listen there",
        remedy: "Choose a port above 1023, or a folder that this user may write to",
      };
    case "ENOENT":
      return { problem: "the socket's folder does not exist", remedy: "Create it, or choose another folder" };
    case "ENAMETOOLONG":
      return {
        problem: "the socket's path is too long for the operating system",
        remedy: "Choose a folder with a shorter path (about 100 characters in all)",
      };
    default:
      return {
        problem: `it can't be listened on (${describe(cause)})`,
        remedy: "Give an address such as tcp://127.0.0.1:0 or ipc:///path/of/socket",
      };
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
