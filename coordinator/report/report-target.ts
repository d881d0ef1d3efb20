import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { RingstrasseError } from "../../shared/failure.js";

/** A job on a server. */
export interface JobAddress {
  /** Scheme, host, port and what precedes `/vinnsl`, without a final slash. */
  readonly origin: string;
  readonly id: string;
}

export type ReportTarget =
  | { readonly kind: "http"; readonly address: JobAddress }
  /** `directory` is the job's own, named by its id, in the directory that the server watches. */
  | { readonly kind: "spool"; readonly directory: string; readonly id: string };

const ID = /^[A-Za-z0-9._-]{1,128}$/;

/** Reads the value of `--report-to`. @throws RingstrasseError USAGE */
export function readReportTarget(text: string): ReportTarget {
  if (!URL.canParse(text)) throw refused(text, "it is no address");
  const url = new URL(text);
  if (url.search !== "" || url.hash !== "") throw refused(text, "it has a query or a fragment");
  switch (url.protocol) {
    case "http:":
    case "https:":
      return { kind: "http", address: jobAddress(url, text) };
    case "file:":
      return spoolTarget(url, text);
    default:
      throw refused(text, `reports can't go to ${url.protocol}//`);
  }
}

function jobAddress(url: URL, text: string): JobAddress {
  if (url.username !== "" || url.password !== "") throw refused(text, "it has a user name or password");
  const found = /^(.*)\/vinnsl\/([^/]+)\/?$/.exec(url.pathname);
  const [, prefix, id] = found ?? [];
  if (prefix === undefined || id === undefined || !isJobId(id)) throw refused(text, "its path is not that of a job");
  return { origin: `${url.origin}${prefix}`, id };
}

function spoolTarget(url: URL, text: string): ReportTarget {
  if (url.host !== "" && url.host !== "localhost") throw refused(text, `it names the host ${url.host}`);
  const directory = fileURLToPath(new URL(url.pathname.replace(/\/+$/, "") || "/", "file:///"));
  const id = basename(directory);
  if (!isJobId(id)) throw refused(text, "its last part is not the id of a job");
  return { kind: "spool", directory, id };
}

/** Names a directory in a spool, too, so it is never one that goes up. */
export function isJobId(text: string): boolean {
  return ID.test(text) && !text.startsWith(".");
}

function refused(text: string, why: string): RingstrasseError {
  return new RingstrasseError({
    code: "USAGE",
    option: "--report-to",
    problem: `${JSON.stringify(text)}: ${why}`,
    remedy: "Give http://HOST:PORT/vinnsl/ID, or file:///SPOOL/DIRECTORY/ID",
  });
}
