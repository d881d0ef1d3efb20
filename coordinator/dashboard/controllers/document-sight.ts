import type { PageSight } from "./page-sight.js";

/** The sight of the page that shows `page`. */
export function documentSight(page: Document): PageSight {
  return {
    get isHidden() {
      return page.hidden;
    },
    onChange: (listener, signal) => page.addEventListener("visibilitychange", listener, { signal }),
  };
}
