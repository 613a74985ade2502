// The signature of session tokens: of every worker, and of whoever explains where one leads.

/** HMAC-SHA256 with the key of this waypoint: nobody else can make a session token. */
export function sessionSigner(key: string): (text: string) => string {
  return (text) =>
    process.getBuiltinModule('node:crypto').createHmac('sha256', key).update(text, 'latin1').digest('base64url');
}
