/** Who the page's requests are from: whoever has signed in, or nobody. */

export type Token = () => Promise<string>;

let token: Token | null = null;

/** From now on requests show what this gets. */
export function showBearer(source: Token | null): void {
  token = source;
}

/** A token that is good for a while; `null` where nobody has signed in. Raises what its source raises. */
export async function freshToken(): Promise<string | null> {
  return token === null ? null : await token();
}

/** Headers with the token, where there is one. Raises what its source raises. */
export async function withBearer(
  headers: Readonly<Record<string, string>> = {},
): Promise<Record<string, string>> {
  return token === null ? { ...headers } : { ...headers, authorization: `Bearer ${await token()}` };
}
