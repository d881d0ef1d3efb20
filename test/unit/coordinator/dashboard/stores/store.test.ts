import { describe, expect, it } from "vitest";
import { createStore } from "../../../../../coordinator/dashboard/stores/store.js";

describe("store", () => {
  it("tells its listeners of changes only, and until they leave", () => {
    const store = createStore(0, (state, step: number) => state + step);
    const heard: number[] = [];
    const leave = store.subscribe(() => heard.push(store.state));
    store.dispatch(2);
    store.dispatch(0);
    store.dispatch(3);
    leave();
    store.dispatch(4);
    expect(heard).toEqual([2, 5]);
    expect(store.state).toBe(9);
  });

  it("lets a listener leave while it is told", () => {
    const store = createStore(0, (state, step: number) => state + step);
    const heard: string[] = [];
    const leave = store.subscribe(() => {
      heard.push("first");
      leave();
    });
    store.subscribe(() => heard.push("second"));
    store.dispatch(1);
    store.dispatch(1);
    expect(heard).toEqual(["first", "second", "second"]);
  });
});
