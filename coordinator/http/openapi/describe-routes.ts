import type { FastifyDynamicSwaggerOptions } from "@fastify/swagger";
import type { RouteOptions } from "fastify";
import { jsonSchemaTransform } from "fastify-type-provider-zod";
import type { HttpTokens } from "../http-app.js";
import { refusals } from "./answers.js";

/** How all routes together are described as OpenAPI 3.1; their own descriptions stand in their `schema` and `config.requestBody`. */
export function describeRoutes(version: string, tokens: HttpTokens): FastifyDynamicSwaggerOptions {
  const hasTokens = tokens.read !== null || tokens.write !== null;
  return {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Ringstrasse",
        version,
        description:
          "Distributed training of the networks that ViNNSL documents describe. The paths of the ViNNSL stack, and some more.",
      },
      ...(hasTokens
        ? { components: { securitySchemes: { token: { type: "http", scheme: "bearer" } } }, security: [{ token: [] }] }
        : {}),
    },
    transform: (document) => {
      const transformed = jsonSchemaTransform({ ...document, schema: withAllRefusals(document) });
      return { ...transformed, schema: withOwnParts(transformed.schema, document.route) };
    },
  };
}

type Source = Parameters<typeof jsonSchemaTransform>[0];

/** What every route may answer, whether it says so or not. */
function withAllRefusals({ schema, route }: Pick<Source, "schema" | "route">): Source["schema"] {
  if (schema === undefined || schema.hide === true) return schema;
  const { 401: unauthorised, ...always } = refusals();
  const all = route.config?.access === "public" ? always : { ...always, 401: unauthorised };
  return { ...schema, response: { ...all, ...Object(schema.response) } };
}

type Described = ReturnType<typeof jsonSchemaTransform>["schema"];

/** Bodies that reach the routes as bytes have no schema that checks them, and public routes need no token. */
function withOwnParts(schema: Described, { config, method }: RouteOptions): Described {
  const isHead = method === "HEAD";
  const body = config?.requestBody === undefined ? {} : { body: { content: config.requestBody } };
  const security = config?.access === "public" ? { security: [] } : {};
  return { ...schema, ...body, ...security, ...(isHead ? { hide: true } : {}) };
}
