// URLRewrite: forwards under another path or another authority than the client asked for.

import { checkHostname, decodePathEdit, describePathEdit, editPath, type PathEdit } from './path-edit.ts';
import type { DecodeReport, FilterContext, FilterKind, LocalReply } from './policy.ts';

export interface UrlRewrite {
  readonly kind: 'URLRewrite';
  /** Becomes the whole authority; null keeps the client's. */
  readonly hostname: string | null;
  readonly path: PathEdit | null;
}

const BAD_PATH: LocalReply = { status: 400, reason: 'rewritten_path_invalid', headers: [], body: 'bad request\n' };

export const urlRewrite: FilterKind<UrlRewrite> = {
  kind: 'URLRewrite',
  field: 'urlRewrite',
  decode(settings: unknown, path: string, report: DecodeReport): UrlRewrite | null {
    const { hostname, path: edit } = settings as { readonly hostname?: string; readonly path?: unknown };
    if (!checkHostname(hostname, `${path}.hostname`, report)) return null;
    if (edit === undefined) return { kind: 'URLRewrite', hostname: hostname ?? null, path: null };
    const decoded = decodePathEdit(edit, `${path}.path`, report);
    return decoded && { kind: 'URLRewrite', hostname: hostname ?? null, path: decoded };
  },
  request(filter: UrlRewrite, context: FilterContext): LocalReply | null {
    const { head } = context;
    if (filter.hostname !== null) head.forwardAuthority = filter.hostname;
    if (filter.path !== null) {
      const path = editPath(filter.path, head.path, context.matchedPrefix);
      if (path === null) return BAD_PATH;
      head.forwardPath = path;
    }
    return null;
  },
  describe(filter: UrlRewrite): string {
    const parts = [];
    if (filter.hostname !== null) parts.push(`host becomes ${filter.hostname}`);
    if (filter.path !== null) parts.push(describePathEdit(filter.path));
    return `URLRewrite: ${parts.join(', ') || 'nothing'}`;
  },
};
