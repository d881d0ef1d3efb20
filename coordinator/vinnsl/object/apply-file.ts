import { RingstrasseError } from "../../../shared/failure.js";
import { findChild, leafElement, type ObjectElement, parentElement, withChild } from "./object-element.js";
import { partOf, type VinnslObject, withPart } from "./vinnsl-object.js";

const definitionOrder = ["data", "instanceSchemaID"];
const definitionDataOrder = ["description", "dataSchemaID"];
const dataOrder = ["identifier", "creationdate", "data"];
const fileOrder = ["table", "file", "labels"];

/**
 * The object with a stored file as its data, as `PUT /vinnsl/{id}/addfile` does it: `data/identifier`, `data/data/file`
 * and `definition/data/dataSchemaID` are the file's id; everything else stays. A file whose name says that it holds IDX
 * labels becomes `data/data/labels` beside the data, before or after the images come. Pure.
 *
 * @param fileName as the file was uploaded, for telling labels from data.
 * @throws RingstrasseError DOCUMENT_INVALID when the object has no definition yet
 */
export function applyFile(object: VinnslObject, fileId: string, fileName: string): VinnslObject {
  const definition = partOf(object, "definition");
  if (definition === undefined) throw noDefinition();
  const data = partOf(object, "data") ?? parentElement("data", []);
  const inner = findChild(data, "data") ?? parentElement("data", []);
  if (isLabelsName(fileName)) {
    const labelled = withChild(inner, leafElement("labels", fileId), { order: fileOrder });
    return withPart(object, "data", withChild(data, labelled, { order: dataOrder }));
  }
  const kept = isImagesName(fileName) ? inner : withoutChild(inner, "labels");
  const filed = withChild(kept, leafElement("file", fileId), { order: fileOrder });
  const identified = withChild(data, leafElement("identifier", fileId), { order: dataOrder });
  const withData = withPart(object, "data", withChild(identified, filed, { order: dataOrder }));
  const named = withChild(
    findChild(definition, "data") ?? parentElement("data", []),
    leafElement("dataSchemaID", fileId),
    { order: definitionDataOrder },
  );
  return withPart(withData, "definition", withChild(definition, named, { order: definitionOrder }));
}

/** The ids of the files that {@link applyFile} gave the object; null where there is none. */
export function filesOf(object: VinnslObject): { readonly data: string | null; readonly labels: string | null } {
  const inner = findChild(partOf(object, "data"), "data");
  const idOf = (name: string) => {
    const [text] = findChild(inner, name)?.content ?? [];
    return typeof text === "string" && text.trim() !== "" ? text.trim() : null;
  };
  return { data: idOf("file"), labels: idOf("labels") };
}

/** MNIST's naming, e.g. `train-labels-idx1-ubyte.gz` or `train-labels.idx1-ubyte`. */
function isLabelsName(fileName: string): boolean {
  return /labels?[-_.]*idx\d|[-_.]idx1(?:[-_.]|$)/i.test(fileName);
}

function isImagesName(fileName: string): boolean {
  return /images?[-_.]*idx\d|[-_.]idx3(?:[-_.]|$)/i.test(fileName);
}

function withoutChild(element: ObjectElement, name: string): ObjectElement {
  return { ...element, content: element.content.filter((piece) => typeof piece === "string" || piece.name !== name) };
}

function noDefinition(): RingstrasseError {
  return new RingstrasseError({
    code: "DOCUMENT_INVALID",
    file: null,
    line: null,
    column: null,
    elementPath: "/vinnsl",
    problem: "the object has no definition that data could belong to",
    remedy: "Give it one first, by PUT /vinnsl/{id}/definition",
  });
}
