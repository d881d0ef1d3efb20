import type { SidecarPlace } from "./sidecar/sidecar-mpi.js";

/** How a thread gets at the MPI that has begun for this process. Plain data: it goes from the thread that began MPI to others. */
export type MpiAccess =
  | { readonly kind: "library"; readonly file: string }
  | { readonly kind: "sidecar"; readonly place: SidecarPlace };
