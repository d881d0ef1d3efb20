import "./api/no-code-generation.js";
import { render } from "preact";
import { ApiClient } from "./api/api-client.js";
import { SessionTokenKeeper } from "./api/session-token-keeper.js";
import { pageMayWait } from "./controllers/page-pause.js";
import { poll } from "./controllers/poll.js";
import { NO_CLUSTER, reduceCluster } from "./stores/cluster-store.js";
import { createStore } from "./stores/store.js";
import { App, type TokenState } from "./views/app.js";

const CLUSTER_INTERVAL_MS = 1_000;

/** Puts the page together; it lives as long as its tab. */
function start(place: HTMLElement): void {
  const tokens = new SessionTokenKeeper(window.sessionStorage);
  const token = createStore<TokenState, TokenState>({ asked: false, refused: false }, (_, next) => next);
  const api = new ApiClient({
    origin: "",
    tokens,
    unauthorised: () => token.dispatch({ asked: true, refused: tokens.get() !== null }),
  });
  const cluster = createStore(NO_CLUSTER, reduceCluster);
  void poll({
    read: (signal) => api.cluster(signal),
    loaded: (read) => cluster.dispatch({ kind: "loaded", cluster: read }),
    failed: (problem) => cluster.dispatch({ kind: "failed", problem }),
    intervalMs: CLUSTER_INTERVAL_MS,
    signal: new AbortController().signal,
    pause: pageMayWait,
  });
  const tokenEntered = (entered: string) => {
    tokens.set(entered);
    token.dispatch({ asked: false, refused: false });
  };
  render(<App api={api} cluster={cluster} token={token} tokenEntered={tokenEntered} />, place);
}

const place = document.getElementById("app");
if (place === null) throw new Error("the page has no element with the id `app`");
start(place);
