import { useMemo, useState } from "preact/hooks";
import type { ApiClient } from "../api/api-client.js";
import { LatestText } from "../controllers/latest-text.js";
import { readMarkup } from "../controllers/read-markup.js";
import { submitJob } from "../controllers/submit-controller.js";
import { hashOf } from "../stores/route.js";
import { createStore } from "../stores/store.js";
import { checkDraft, type Finding } from "../stores/submission-check.js";
import { isRunning, NOTHING_SUBMITTED, reduceSubmit, type SubmitState } from "../stores/submit-store.js";
import { FileField } from "./file-field.js";
import { ProblemNote } from "./problem-note.js";
import { SubmitSteps } from "./submit-steps.js";
import { useStore } from "./use-store.js";

const DATA_TYPES = ".csv,.txt,.data,.gz,.idx,.ubyte";

/** Makes a job of a document and its data. */
export function SubmitPage({ api }: { readonly api: ApiClient }) {
  const [store] = useState(() => createStore(NOTHING_SUBMITTED, reduceSubmit));
  const state = useStore(store);
  const [xml, setXml] = useState("");
  const [data, setData] = useState<File | null>(null);
  const [labels, setLabels] = useState<File | null>(null);
  const [train, setTrain] = useState(true);
  const [tried, setTried] = useState(false);
  const findings = useMemo(() => checkDraft({ xml, data, labels }, readMarkup(xml)), [xml, data, labels]);
  const running = isRunning(state);

  const changed = (what: "document" | "files") => store.dispatch({ kind: "changed", what });
  const setDocument = (text: string) => {
    setXml(text);
    changed("document");
  };
  const submit = async (event: Event) => {
    event.preventDefault();
    setTried(true);
    if (running || findings.some(({ weight }) => weight === "error")) return;
    const id = await submitJob(api, store, { xml, data, labels, train });
    if (id !== null) window.location.hash = hashOf({ page: "job", id });
  };
  return (
    <form class="submit" onSubmit={(event) => void submit(event)} noValidate>
      <div class="heading">
        <h1>Submit</h1>
      </div>
      <DocumentField xml={xml} disabled={running} entered={setDocument} />
      <Findings findings={findings} about="document" silent={!tried && xml === ""} />
      <div class="columns">
        <FileField
          label="Data"
          hint="A CSV file, or an IDX images file (.gz or not). Drop it here or choose it."
          file={data}
          accept={DATA_TYPES}
          disabled={running}
          chosen={(file) => {
            setData(file);
            changed("files");
          }}
        />
        <FileField
          label="Labels"
          hint="Only for IDX images: the file with their labels."
          file={labels}
          accept={DATA_TYPES}
          disabled={running}
          chosen={(file) => {
            setLabels(file);
            changed("files");
          }}
        />
      </div>
      <Findings findings={findings} about="data" silent={!tried && xml === ""} />
      <Findings findings={findings} about="labels" silent={false} />
      <label class="check">
        <input
          type="checkbox"
          checked={train}
          disabled={running}
          onChange={(event) => {
            setTrain(event.currentTarget.checked);
            changed("files");
          }}
        />{" "}
        Start training when a worker is free
      </label>
      <div class="buttons">
        <button type="submit" class="primary" disabled={running}>
          {state.problem === null ? "Submit" : "Try again"}
        </button>
      </div>
      <Outcome state={state} />
    </form>
  );
}

function Outcome({ state }: { readonly state: SubmitState }) {
  const { steps, problem, handed } = state;
  return (
    <>
      {steps.length === 0 ? null : <SubmitSteps state={state} />}
      {problem === null ? null : <ProblemNote problem={problem} />}
      {problem === null || handed.jobId === null ? null : (
        <p>
          The job is there already: <a href={hashOf({ page: "job", id: handed.jobId })}>{handed.jobId}</a>. Trying again
          goes on behind the last step that was done.
        </p>
      )}
    </>
  );
}

interface DocumentFieldProps {
  readonly xml: string;
  readonly disabled: boolean;
  readonly entered: (xml: string) => void;
}

function DocumentField({ xml, disabled, entered }: DocumentFieldProps) {
  const [name, setName] = useState<File | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [latest] = useState(() => new LatestText());
  const write = (text: string) => {
    latest.supersede();
    setProblem(null);
    entered(text);
  };
  const read = (file: File | null) => {
    setName(file);
    // Until the file is read there is no document: the one before must not be sent under its name.
    write("");
    if (file !== null) void latest.read(file, { read: entered, failed: setProblem });
  };
  return (
    <>
      <FileField
        label="ViNNSL document"
        hint="Drop an XML file here, choose one, or paste it below."
        file={name}
        accept=".xml,text/xml,application/xml"
        disabled={disabled}
        chosen={read}
      />
      {problem === null ? null : (
        <p class="note error" role="alert">
          {problem}
        </p>
      )}
      <label class="sr-only" for="document-text">
        Text of the document
      </label>
      <textarea
        id="document-text"
        rows={16}
        spellcheck={false}
        autocomplete="off"
        disabled={disabled}
        placeholder="<vinnsl> … </vinnsl>"
        value={xml}
        onInput={(event) => write(event.currentTarget.value)}
      />
    </>
  );
}

interface FindingsProps {
  readonly findings: readonly Finding[];
  readonly about: Finding["about"];
  /** Nothing has been entered yet: don't scold. */
  readonly silent: boolean;
}

function Findings({ findings, about, silent }: FindingsProps) {
  const shown = silent ? [] : findings.filter((finding) => finding.about === about);
  return (
    <div aria-live="polite">
      {shown.map(({ weight, text }) => (
        <p key={text} class={weight === "error" ? "note error" : "note hint"}>
          {text}
        </p>
      ))}
    </div>
  );
}
