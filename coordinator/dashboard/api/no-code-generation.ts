import { z } from "zod";

// zod speeds schemas up with `new Function`, which the page's content security policy forbids; even trying is reported as a violation.
// Must be evaluated before the first schema is made: main.tsx imports it first.
z.config({ jitless: true });
