import { ReportIntake } from "../../report/report-intake.js";
import type { HttpApp, HttpServices } from "../http-app.js";
import { registerClusterRoutes } from "./cluster-routes.js";
import { registerCommandRoutes } from "./command-routes.js";
import { registerDashboardFiles } from "./dashboard-files.js";
import { registerEvaluateRoute } from "./evaluate-route.js";
import { registerEventsRoute } from "./events-route.js";
import { registerHealthRoute } from "./health-route.js";
import { registerIngestRoutes } from "./ingest-routes.js";
import { registerModelRoutes } from "./model-routes.js";
import { registerPrometheusRoute } from "./prometheus-route.js";

/** This server's own routes: commands, curves, live events, models, cluster, monitoring, ingest, and the page. */
export async function registerOwnRoutes(app: HttpApp, services: HttpServices): Promise<void> {
  registerCommandRoutes(app, services);
  registerEvaluateRoute(app, services);
  registerClusterRoutes(app, services);
  registerModelRoutes(app, services);
  registerHealthRoute(app, services);
  registerIngestRoutes(app, services, new ReportIntake(services.service));
  const streams = registerEventsRoute(app, services, { most: Math.ceil(services.limits.connections / 2) });
  registerPrometheusRoute(app, services, streams);
  await registerDashboardFiles(app);
}
