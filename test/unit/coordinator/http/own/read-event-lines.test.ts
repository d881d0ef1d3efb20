import { describe, expect, it } from "vitest";
import { readEvents } from "../../../../../coordinator/http/own/read-event-lines.js";
import { encodeTrainEvent } from "../../../../../shared/train-events.js";
import { failureWithCode } from "../../../../support/failure-with-code.js";
import { recordedEvents } from "../../../../support/recorded-job.js";
import { startedEvent, stepEvent } from "../../../../support/train-events.js";

const lines = (events: readonly Parameters<typeof encodeTrainEvent>[0][], end = "\n") =>
  events.map((event) => encodeTrainEvent(event) + end).join("");

describe("readEvents", () => {
  it("reads what train --json has printed, line by line or as an array", () => {
    const events = recordedEvents();
    expect(readEvents(lines(events), "ndjson")).toEqual(events);
    expect(readEvents(lines(events, "\r\n"), "ndjson")).toEqual(events);
    expect(readEvents(JSON.stringify(events), "json")).toEqual(events);
  });

  it.each([
    { what: "no JSON", text: `${lines([startedEvent()])}\n{"event":`, line: 3, path: null, why: "not JSON" },
    {
      what: "another event",
      text: `${lines([startedEvent()])}{"event":"rumour"}`,
      line: 2,
      path: "/event",
      why: "no event of a run",
    },
    {
      what: "a wrong figure",
      text: lines([{ ...stepEvent(1, 1), accuracy: 2 }]),
      line: 1,
      path: "/accuracy",
      why: "no event of a run",
    },
    {
      what: "something more",
      text: lines([stepEvent(1, 1)]).replace('"rows":60', '"rows":60,"extra":1'),
      line: 1,
      path: null,
      why: "extra",
    },
  ])("names the line of $what", async ({ text, line, path, why }) => {
    const failure = await failureWithCode("DOCUMENT_INVALID", () => readEvents(text, "ndjson"));
    expect(failure).toMatchObject({ line, elementPath: path });
    expect(failure.problem).toContain(`line ${line} of the body`);
    expect(failure.problem).toContain(why);
    expect(failure.remedy).toContain("train --json");
  });

  it("names the place of a wrong event in an array", async () => {
    const text = JSON.stringify([startedEvent(), { ...stepEvent(1, 1), loss: "low" }]);
    const failure = await failureWithCode("DOCUMENT_INVALID", () => readEvents(text, "json"));
    expect(failure.elementPath).toBe("/1/loss");
  });

  it.each([
    ["ndjson", "\n\n", "no event"],
    ["json", "[]", "no event"],
    ["json", "{}", "no array"],
    ["json", JSON.stringify(Array.from({ length: 1001 }, () => stepEvent(1, 1))), "1001 events"],
  ] as const)("refuses %s without events, or with too many", async (format, text, why) => {
    const failure = await failureWithCode("DOCUMENT_INVALID", () => readEvents(text, format));
    expect(failure.problem).toContain(why);
  });
});
