import { useLayoutEffect, useState } from "preact/hooks";
import { type Route, routeOf } from "../stores/route.js";

/** What the address asks for; the component is drawn anew, from its top, when that changes. */
export function useRoute(): Route {
  const [route, setRoute] = useState(() => routeOf(window.location.hash));
  // Before the browser does anything else: `useEffect` waits for a frame, and an address that changes meanwhile
  // (a link pressed at once, a page opened in a tab that is not seen) would never be heard of.
  useLayoutEffect(() => {
    const changed = () => {
      setRoute(routeOf(window.location.hash));
      window.scrollTo(0, 0);
    };
    window.addEventListener("hashchange", changed);
    return () => window.removeEventListener("hashchange", changed);
  }, []);
  return route;
}
