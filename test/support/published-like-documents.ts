import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ROOT } from "./run-command.js";

/** A document that mutations start from. */
export interface SourceDocument {
  readonly name: string;
  readonly xml: string;
}

/**
 * The example documents, and documents of the shapes that are in use with the ViNNSL stack and its forks, rebuilt: lenient where the
 * schemas are not. Those for four inputs and three classes train a few epochs only.
 */
export async function sourceDocuments(): Promise<SourceDocument[]> {
  const names = ["iris", "wines", "digits", "mnist"];
  const examples = names.map(async (name) => {
    const xml = await readFile(join(ROOT, "examples", name, `${name}.xml`), "utf8");
    const iterations = /(<valueparameter name="(?:iterations|epochs)">)\d+/g;
    return { name: `examples/${name}`, xml: xml.replace(iterations, (_, open: string) => `${open}3`) };
  });
  return [...(await Promise.all(examples)), ...PUBLISHED_LIKE];
}

const PROBLEM = `<problemDomain>
    <propagationType type="feedforward"><learningType>supervised</learningType></propagationType>
    <applicationField>Operations</applicationField>
    <networkType>Backpropagation</networkType>
    <problemType>Classifiers</problemType>
  </problemDomain>`;

/** As the stack's own clients post it: metadata in the definition, a description without sizes, comments for connections. */
const STACK_IRIS = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<vinnsl xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="vinnsl.xsd">
<description>
  <identifier></identifier>
  <metadata><paradigm>classification</paradigm><name>Backpropagation Classification</name>
    <description>Iris Classification Example</description><version><major>1</major><minor>5</minor></version></metadata>
  <creator><name>A. N. Author</name><contact>author@example.org</contact></creator>
  ${PROBLEM}
  <endpoints><train>true</train></endpoints>
  <structure>
    <input><ID>Input1</ID><dimension><min>1</min><max>1</max></dimension><size><min>4</min><max>4</max></size></input>
    <hidden><ID>Hidden1</ID><dimension><min>1</min><max>1024</max></dimension></hidden>
    <hidden><ID>Hidden2</ID><dimension><min>1</min><max>1024</max></dimension></hidden>
    <output><ID>Output1</ID><dimension><min>1</min><max>1</max></dimension><size><min>3</min><max>3</max></size></output>
  </structure>
  <parameters/>
  <data><description>iris txt file with 3 classifications, 4 input vars</description>
    <tabledescription>no input as table possible</tabledescription><filedescription>CSV file</filedescription></data>
</description>
<definition>
  <identifier><!-- will be generated --></identifier>
  <metadata><paradigm>classification</paradigm><name>Workflow</name><description>Iris</description></metadata>
  <creator><name>A. N. Author</name><contact>author@example.org</contact></creator>
  ${PROBLEM}
  <endpoints><train>true</train></endpoints>
  <executionEnvironment><serial>true</serial></executionEnvironment>
  <structure>
    <input><ID>Input1</ID><size>4</size></input>
    <hidden><ID>Hidden1</ID><size>3</size></hidden>
    <hidden><ID>Hidden2</ID><size>3</size></hidden>
    <output><ID>Output1</ID><size>3</size></output>
    <connections>
      <!--<fullconnected><fromblock>Input1</fromblock><toblock>Hidden1</toblock></fullconnected>-->
    </connections>
  </structure>
  <resultSchema><instance>true</instance><training>true</training></resultSchema>
  <parameters>
    <valueparameter name="learningrate">0.1</valueparameter>
    <comboparameter name="activationfunction">tanh</comboparameter>
    <valueparameter name="iterations">5</valueparameter>
    <valueparameter name="seed">6</valueparameter>
    <valueparameter name="labelIndex">4</valueparameter>
  </parameters>
  <data><description>iris</description><dataSchemaID>name/iris.txt</dataSchemaID></data>
</definition>
</vinnsl>
`;

/** A bare definition that chooses workers by itself, with many more parameters. */
const PARALLEL = `<definition>
  <identifier>parallel</identifier>
  ${PROBLEM}
  <endpoints>train</endpoints>
  <executionEnvironment>
    <serial>true</serial>
    <parallel><software><data><structural><spmd><multicore version="1">yes</multicore></spmd></structural></data></software>
      <hardware><general><valueparameter name="workers">1</valueparameter><valueparameter name="replicas">2</valueparameter>
      </general></hardware></parallel>
  </executionEnvironment>
  <structure>
    <input><ID>Input1</ID><dimension>1</dimension><size>4</size></input>
    <hidden><ID>Hidden1</ID><dimension>1</dimension><size>8</size></hidden>
    <output><ID>Output1</ID><dimension>1</dimension><size>3</size></output>
    <connections><fullconnected><fromblock>Input1</fromblock><toblock>Hidden1</toblock>
      <fromblock>Hidden1</fromblock><toblock>Output1</toblock></fullconnected>
      <shortcuts><fromneuron/><toneuron/></shortcuts></connections>
  </structure>
  <resultSchema><instance>true</instance><training>true</training></resultSchema>
  <parameters>
    <valueparameter name="learningrate">0.05</valueparameter>
    <valueparameter name="momentum">0.5</valueparameter>
    <valueparameter name="biasInput">0.1</valueparameter>
    <valueparameter name="biasHidden">-0.1</valueparameter>
    <valueparameter name="threshold">0.0001</valueparameter>
    <valueparameter name="epochs">4</valueparameter>
    <valueparameter name="batchsize">32</valueparameter>
    <valueparameter name="testsplit">0.25</valueparameter>
    <valueparameter name="labelIndex">4</valueparameter>
    <comboparameter name="activationfunction">sigmoid</comboparameter>
  </parameters>
  <data><description>größe, 漢字, \u{1F600}</description><dataSchemaID></dataSchemaID></data>
  <instanceSchemaID>5ab91658e8cc45946600ea11</instanceSchemaID>
</definition>
`;

/** As the stack gives an object out: with identifier, data, and the results of an earlier run. */
const ANSWERED = STACK_IRIS.replace("<description>\n  <identifier></identifier>", (whole) => {
  return `<identifier>5ab91658e8cc45946600ea11</identifier>\n${whole}`;
}).replace(
  "</vinnsl>",
  `<data><identifier>5ab4e69c8f136a16bf81f093</identifier><data><file>5ab4e69c8f136a16bf81f093</file></data></data>
<trainingresult><identifier>1</identifier><creationdate>2018-03-26</creationdate><data><file>a</file></data>
  <weightmatrix>[]</weightmatrix><epochs>5</epochs><meanerror>0.1</meanerror></trainingresult>
<result><identifier>1</identifier><creationdate>2018-03-26</creationdate><file>5ab4e69c8f136a16bf81f094</file></result>
</vinnsl>`,
);

const PUBLISHED_LIKE: readonly SourceDocument[] = [
  { name: "stack iris", xml: STACK_IRIS },
  { name: "parallel definition", xml: PARALLEL },
  { name: "answered object", xml: ANSWERED },
];
