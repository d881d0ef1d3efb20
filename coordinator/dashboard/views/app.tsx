import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { unreachable } from "../../../shared/unreachable.js";
import type { ApiClient } from "../api/api-client.js";
import type { ClusterAction, ClusterState } from "../stores/cluster-store.js";
import { hashOf, type Route } from "../stores/route.js";
import type { Store } from "../stores/store.js";
import { JobPage } from "./job-page.js";
import { JobsPage } from "./jobs-page.js";
import { SubmitPage } from "./submit-page.js";
import { TokenDialog } from "./token-dialog.js";
import { useRoute } from "./use-route.js";
import { useStore } from "./use-store.js";
import { WorkersPage } from "./workers-page.js";

/** Whether the server has asked for a token, and refused one. */
export interface TokenState {
  readonly asked: boolean;
  readonly refused: boolean;
}

export interface AppProps {
  readonly api: ApiClient;
  readonly cluster: Store<ClusterState, ClusterAction>;
  readonly token: Store<TokenState, TokenState>;
  readonly tokenEntered: (token: string) => void;
}

/** Frame of all pages: navigation, state of the cluster, and the page that the address asks for. */
export function App({ api, cluster, token, tokenEntered }: AppProps) {
  const route = useRoute();
  const { asked, refused } = useStore(token);
  const clusterState = useStore(cluster);
  useEffect(() => {
    document.title = `${titleOf(route)} · Ringstrasse`;
  }, [route]);
  return (
    <>
      <header class="bar">
        <a class="name" href={hashOf({ page: "jobs", status: null })}>
          <RingMark /> Ringstrasse
        </a>
        <nav aria-label="Pages">
          <PageLink to={{ page: "jobs", status: null }} current={route.page === "jobs" || route.page === "job"}>
            Jobs
          </PageLink>
          <PageLink to={{ page: "workers" }} current={route.page === "workers"}>
            Workers
          </PageLink>
          <PageLink to={{ page: "submit" }} current={route.page === "submit"}>
            Submit
          </PageLink>
        </nav>
        <ClusterLine state={clusterState} />
      </header>
      <main>
        <Page route={route} api={api} cluster={clusterState} />
      </main>
      {asked ? <TokenDialog key={String(refused)} refused={refused} entered={tokenEntered} /> : null}
    </>
  );
}

interface PageProps {
  readonly route: Route;
  readonly api: ApiClient;
  readonly cluster: ClusterState;
}

function Page({ route, api, cluster }: PageProps) {
  switch (route.page) {
    case "jobs":
      return <JobsPage api={api} status={route.status} />;
    case "job":
      return <JobPage key={route.id} api={api} id={route.id} />;
    case "workers":
      return <WorkersPage state={cluster} />;
    case "submit":
      return <SubmitPage api={api} />;
    case "unknown":
      return (
        <div class="note">
          <p>
            There is no page at <code>{route.hash}</code>.{" "}
            <a href={hashOf({ page: "jobs", status: null })}>See all jobs</a>
          </p>
        </div>
      );
    default:
      return unreachable(route);
  }
}

interface PageLinkProps {
  readonly to: Exclude<Route, { page: "unknown" }>;
  readonly current: boolean;
  readonly children: ComponentChildren;
}

function PageLink({ to, current, children }: PageLinkProps) {
  return (
    <a href={hashOf(to)} aria-current={current ? "page" : undefined}>
      {children}
    </a>
  );
}

function ClusterLine({ state: { cluster, problem } }: { readonly state: ClusterState }) {
  if (problem !== null) {
    return (
      <p class="cluster-line bad" role="status">
        {problem.code === "UNREACHABLE" ? "coordinator not reachable" : problem.code}
      </p>
    );
  }
  if (cluster === null) return <p class="cluster-line">…</p>;
  const count = (state: string) => cluster.workers.filter((worker) => worker.state === state).length;
  const lost = count("lost");
  return (
    <p class="cluster-line">
      <span>{count("busy")} busy</span> <span>{count("idle")} idle</span>{" "}
      {lost === 0 ? null : <span class="bad">{lost} lost</span>} <span>{cluster.queued} queued</span>{" "}
      <span class="version">v{cluster.version}</span>
    </p>
  );
}

function RingMark() {
  return (
    <svg viewBox="0 0 32 32" width="20" height="20" aria-hidden="true">
      <circle cx="16" cy="16" r="10" fill="none" stroke="currentColor" stroke-width="3" />
      <circle cx="16" cy="6" r="4" fill="currentColor" />
      <circle cx="24.7" cy="21" r="4" fill="currentColor" />
      <circle cx="7.3" cy="21" r="4" fill="currentColor" />
    </svg>
  );
}

function titleOf(route: Route): string {
  switch (route.page) {
    case "job":
      return `Job ${route.id}`;
    case "workers":
      return "Workers";
    case "submit":
      return "Submit";
    default:
      return "Jobs";
  }
}
