// What the conditions of many candidates ask of one request, looked up once each.

import { queryValue } from './query.ts';
import type { Fields, RequestHead } from './request.ts';

/** Reused from request to request: a look-up allocates nothing unless a candidate asks for a field or a parameter. */
export class Probe {
  host = '';
  path = '';
  method = '';
  private query = '';
  private fields: Fields | null = null;
  private readonly headers = new Map<string, string | null>();
  private readonly parameters = new Map<string, string | null>();

  aim(head: RequestHead): void {
    this.host = head.host;
    this.path = head.path;
    this.method = head.method;
    this.query = head.query;
    this.fields = head.fields;
  }

  /** Lets go of the request: filters edit its fields after the look-up, and nothing of it may outlive it here. */
  release(): void {
    this.fields = null;
    this.host = '';
    this.path = '';
    this.query = '';
    if (this.headers.size > 0) this.headers.clear();
    if (this.parameters.size > 0) this.parameters.clear();
  }

  /** All values of the field joined by ',', null when it is absent. */
  header(name: string): string | null {
    let value = this.headers.get(name);
    if (value === undefined) {
      value = this.fields?.get(name) ?? null;
      this.headers.set(name, value);
    }
    return value;
  }

  /** The first value of the query parameter, decoded; null when it is absent. */
  parameter(name: string): string | null {
    let value = this.parameters.get(name);
    if (value === undefined) {
      value = queryValue(this.query, name);
      this.parameters.set(name, value);
    }
    return value;
  }
}
