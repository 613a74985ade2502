// The signature of session tokens: of every worker, and of whoever explains where one leads.

import { createHmac } from 'node:crypto';

/** HMAC-SHA256 with the key of this waypoint: nobody else can make a session token. */
export function sessionSigner(key: string): (text: string) => string {
  return (text) => createHmac('sha256', key).update(text, 'latin1').digest('base64url');
}
