import type { components, operations, paths } from "./api";

type Answer = components["schemas"]["SearchAnswer"];
type Form = paths["/v1/uploads"]["post"]["responses"][201]["content"]["application/json"];
type Query = operations["list_images_v1_images_get"]["parameters"]["query"];

export const query: Query = { collection: "holidays", limit: 10 };

export function nearest(answer: Answer): string | undefined {
  const match = answer.matches[0];
  return match?.verdict === "near-duplicate" ? match.image_id : undefined;
}

export function target(form: Form): URL {
  return new URL(form.url);
}

// @ts-expect-error: a verdict that the API does not have
export const wrong: components["schemas"]["Verdict"] = "alike";
