import { type JobStatus, JobStatusSchema } from "../../../shared/api/job-status.js";

/** What the part of the address behind `#` asks for. */
export type Route =
  | { readonly page: "jobs"; readonly status: JobStatus | null }
  | { readonly page: "job"; readonly id: string }
  | { readonly page: "workers" }
  | { readonly page: "submit" }
  | { readonly page: "unknown"; readonly hash: string };

/** Pure. Inverse of {@link hashOf} for all that it gives. */
export function routeOf(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#?\/?/, "").split("?");
  const [page = "", id, ...more] = path.split("/");
  if (more.length > 0) return { page: "unknown", hash };
  if (page === "jobs" && id !== undefined && id !== "") {
    const decoded = decodeId(id);
    return decoded === null ? { page: "unknown", hash } : { page: "job", id: decoded };
  }
  if (page === "jobs" || page === "") {
    const status = JobStatusSchema.safeParse(new URLSearchParams(query).get("status"));
    return { page: "jobs", status: status.success ? status.data : null };
  }
  if ((page === "workers" || page === "submit") && id === undefined) return { page };
  return { page: "unknown", hash };
}

/** Pure. The address of a page, for links. */
export function hashOf(route: Exclude<Route, { page: "unknown" }>): string {
  switch (route.page) {
    case "jobs":
      return route.status === null ? "#/jobs" : `#/jobs?status=${route.status}`;
    case "job":
      return `#/jobs/${encodeURIComponent(route.id)}`;
    default:
      return `#/${route.page}`;
  }
}

/** Null: not a percent-encoding. */
function decodeId(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
