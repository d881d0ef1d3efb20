import { useEffect, useState } from "preact/hooks";
import type { Store } from "../stores/store.js";

/** The state of `store`; the component is drawn anew when it changes. */
export function useStore<State, Action>(store: Store<State, Action>): State {
  const [state, setState] = useState(store.state);
  useEffect(() => {
    setState(store.state);
    return store.subscribe(() => setState(store.state));
  }, [store]);
  return state;
}
