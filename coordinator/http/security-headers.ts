import type { HttpApp } from "./http-app.js";

/** What every answer says to browsers: nothing from elsewhere runs, frames it, or guesses its type. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
};

/** Files of users are documents of their own, from which nothing may start at all. */
export const USER_FILE_POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox";

/** Sets {@link SECURITY_HEADERS} on every answer, and `no-store` on those that don't say how they may be cached. */
export function registerSecurityHeaders(app: HttpApp): void {
  app.addHook("onRequest", (_request, reply, done) => {
    void reply.headers(SECURITY_HEADERS);
    done();
  });
  app.addHook("onSend", (_request, reply, payload, done) => {
    if (!reply.hasHeader("cache-control")) void reply.header("cache-control", "no-store");
    done(null, payload);
  });
}
