import { monitorEventLoopDelay } from "node:perf_hooks";
import process from "node:process";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { WorkerStateSchema } from "../../../shared/api/cluster.js";
import type { JobService } from "../../service/job-service.js";

/** An answered request. */
export interface AnsweredRequest {
  readonly method: string;
  /** The route's pattern, never the path: there are few of them. */
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
}

/** The server's figures for Prometheus: one registry of its own; dispose of it when the server closes. */
export class PrometheusFigures implements Disposable {
  readonly #registry = new Registry();
  readonly #requests: Histogram<"method" | "route" | "status">;
  readonly #eventLoop = monitorEventLoopDelay({ resolution: 20 });

  constructor(service: JobService, openStreams: () => number) {
    this.#requests = new Histogram({
      name: "ringstrasse_http_request_duration_seconds",
      help: "Time from a request's arrival to the end of its answer",
      labelNames: ["method", "route", "status"],
      buckets: [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10, 60],
      registers: [this.#registry],
    });
    this.#addJobs(service);
    this.#addWorkers(service);
    this.#addTraining(service);
    this.#gauge("ringstrasse_event_streams", "Clients that follow a job's events", openStreams);
    this.#addProcess();
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  observe({ method, route, status, seconds }: AnsweredRequest): void {
    this.#requests.observe({ method, route, status: String(status) }, seconds);
  }

  /** All figures as text. @throws what the service throws */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  [Symbol.dispose](): void {
    this.#eventLoop.disable();
    this.#registry.clear();
  }

  #addJobs(service: JobService): void {
    new Gauge({
      name: "ringstrasse_jobs",
      help: "Jobs by status",
      labelNames: ["status"],
      registers: [this.#registry],
      async collect() {
        for (const [status, count] of Object.entries(await service.counts())) this.set({ status }, count);
      },
    });
    const queued = async () => (await service.counts()).QUEUED;
    this.#gauge("ringstrasse_queue_length", "Jobs that wait for workers", queued);
  }

  #addWorkers(service: JobService): void {
    new Gauge({
      name: "ringstrasse_workers",
      help: "Workers by state",
      labelNames: ["state"],
      registers: [this.#registry],
      collect() {
        const workers = service.workers();
        for (const state of WorkerStateSchema.options) {
          this.set({ state }, workers.filter((worker) => worker.state === state).length);
        }
      },
    });
  }

  #addTraining(service: JobService): void {
    const { totals } = service;
    if (totals === undefined) return;
    const add = (figure: "steps" | "rows", help: string) =>
      new Counter({
        name: `ringstrasse_training_${figure}_total`,
        help: `${help}, by all jobs since the server started`,
        registers: [this.#registry],
        collect() {
          this.reset();
          this.inc(totals.call(service)[figure]);
        },
      });
    add("steps", "Optimizer updates");
    add("rows", "Rows that gradients were computed of");
  }

  /** Own ones: the library's watch garbage collection for the whole process and can't be stopped. */
  #addProcess(): void {
    const cpuSeconds = () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    };
    new Counter({
      name: "process_cpu_seconds_total",
      help: "Processor time of this process",
      registers: [this.#registry],
      collect() {
        this.reset();
        this.inc(cpuSeconds());
      },
    });
    const startedAt = Date.now() / 1000 - process.uptime();
    this.#gauge("process_start_time_seconds", "Start of this process, since 1970", () => startedAt);
    this.#gauge("process_resident_memory_bytes", "Memory of this process", () => process.memoryUsage.rss());
    this.#gauge("nodejs_heap_size_used_bytes", "Of it, by JavaScript's objects", () => process.memoryUsage().heapUsed);
    this.#eventLoop.enable();
    this.#gauge("nodejs_eventloop_lag_p99_seconds", "How late timers are", () => {
      return this.#eventLoop.count === 0 ? 0 : this.#eventLoop.percentile(99) / 1e9;
    });
  }

  #gauge(name: string, help: string, read: () => number | Promise<number>): void {
    new Gauge({
      name,
      help,
      registers: [this.#registry],
      async collect() {
        this.set(await read());
      },
    });
  }
}
