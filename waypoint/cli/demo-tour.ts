// What there is to try in the demo: commands that work as printed, and what each of them shows.

export interface TourStep {
  readonly title: string;
  /** For a POSIX shell. */
  readonly command: string;
  /** What the reader should see. */
  readonly shows: string;
  /** The same for the test that runs the command. */
  readonly expected: RegExp;
  /** A program that not everybody has. */
  readonly needs?: string;
}

/** Everything the demo opens is an address of this /24, unless another is asked for. */
export const DEMO_NETWORK = '127.0.10';

/** Where the demo answers for names: at the usual address, or within the network that was asked for. */
export function demoDns(network: string): { readonly host: string; readonly port: number } {
  return { host: network === DEMO_NETWORK ? '127.0.0.1' : `${network}.1`, port: 15_053 };
}

const STATUS = `curl -s -o /dev/null -w '%{http_code} '`;

export interface DemoPlace {
  /** The loopback network of the demo (`127.0.10`). */
  readonly network: string;
  /** The command line that starts this program. */
  readonly waypoint: string;
  /** The folder of the demo's certificates. */
  readonly certificates: string;
}

export function demoTour(place: DemoPlace): readonly TourStep[] {
  const { network, waypoint } = place;
  const url = (host: number, path: string): string => `http://${network}.${host}:8880${path}`;
  const admin = `http://${network}.1:15000`;
  const dns = demoDns(network);
  const orders = 'orders.shop.svc.cluster.local';
  return [
    {
      title: 'A Service by its address',
      command: `curl -s ${url(2, '/orders/42')}`,
      shows: 'the order service, version v1 nine times of ten, and the fields it was sent',
      expected: /"service":"orders","version":"v[12]","method":"GET","path":"\/orders\/42"/,
    },
    {
      title: 'Canary by weight (manifests/demo/orders.yaml)',
      command: `for i in $(seq 50); do curl -s ${url(2, '/version')}; done | sort | uniq -c`,
      shows: 'about 45 × v1 and 5 × v2',
      expected: /[34][0-9] orders v1|50 orders v1/,
    },
    {
      title: 'Canary by header',
      command: `curl -s -H 'x-canary: always' ${url(2, '/version')}`,
      shows: 'always v2',
      expected: /^orders v2$/m,
    },
    {
      title: 'A Service by its name, on the shared port',
      command: `curl -s -H 'Host: orders.shop' http://${network}.1:15080/version`,
      shows: 'the same route as by its address',
      expected: /^orders v[12]$/m,
    },
    {
      title: 'A Service by its name, from DNS',
      command: `dig @${dns.host} -p ${dns.port} ${orders}`,
      shows: `${network}.2, for five seconds at a time`,
      expected: new RegExp(`^${RegExp.escape(orders)}\\.\\s+5\\s+IN\\s+A\\s+${RegExp.escape(network)}\\.2$`, 'm'),
      needs: 'dig',
    },
    {
      title: 'What such a name leads to',
      command: `curl -s --resolve ${orders}:8880:${network}.2 http://${orders}:8880/version`,
      shows: 'the same again; a client of that DNS server needs no --resolve',
      expected: /^orders v[12]$/m,
    },
    {
      title: 'An ordinary Gateway listener',
      command: `curl -s -H 'Host: shop.example.com' ${url(1, '/shoes')}`,
      shows: 'the catalog',
      expected: /"service":"catalog".*"path":"\/shoes"/,
    },
    {
      title: 'Header fields edited on the way',
      command: `curl -si -H 'x-debug: 1' ${url(5, '/catalog/shoes')}`,
      shows: 'x-served-by in the answer; x-shop and no x-debug in what the catalog was sent',
      expected: /x-served-by: waypoint(?![\s\S]*x-debug)[\s\S]*"x-shop":"demo"/i,
    },
    {
      title: 'A rewritten path',
      command: `curl -s ${url(5, '/items/shoes')}`,
      shows: 'the catalog was asked for /catalog/shoes',
      expected: /"path":"\/catalog\/shoes"/,
    },
    {
      title: 'A redirect',
      command: `curl -s -o /dev/null -w '%{http_code} %{redirect_url}\\n' ${url(5, '/products/shoes')}`,
      shows: `301 ${url(5, '/catalog/shoes')}`,
      expected: new RegExp(`^301 ${RegExp.escape(url(5, '/catalog/shoes'))}$`, 'm'),
    },
    {
      title: 'A mirrored request',
      command: `curl -s -d shoes ${url(2, '/orders')}; sleep 0.3; curl -s ${url(6, '/seen')}`,
      shows: 'the order, then what the audit service saw of it',
      expected: /"method":"POST"[\s\S]*"last":"POST \/orders shoes"/,
    },
    {
      title: 'A time limit',
      command: `curl -s -w '%{http_code} after %{time_total} s\\n' ${url(4, '/reports/yearly')}`,
      shows: '504 after one second, though the report takes three',
      expected: /504 after 1\.[0-9]+ s/,
    },
    {
      title: 'A flaky service (manifests/demo/payments.yaml)',
      command: `for i in 1 2 3 4 5 6; do ${STATUS} ${url(3, '/pay')}; done; echo`,
      shows: 'two of six are 503: without a retry stanza an answer is never asked for again',
      expected: /^(?=(?:\d+ )*503 (?:\d+ )*503 )(?:(?:200|503) ){6}$/m,
    },
    {
      title: 'The same with retries',
      command: `for i in 1 2 3 4 5 6; do ${STATUS} ${url(3, '/balance')}; done; echo`,
      shows: 'only 200; the log says 2 tries where the first failed',
      expected: /^(?:200 ){6}$/m,
    },
    {
      title: 'A broken pod is ejected (manifests/demo/policies.yaml)',
      command: `for i in $(seq 15); do ${STATUS} ${url(7, '/stock')}; done; echo; curl -s '${admin}/endpoints?backend=shop/stock:8880' | grep -E '"(address|cost|ejectedForMs|ejectionCause)"'`,
      shows: 'three times 500, then only 200; the last of three pods is left out for half a minute, and why',
      expected:
        /^(?:(?:200|500) )*(?:200 ){5}\n[\s\S]*\.109"[\s\S]*"ejectedForMs": [1-9]\d*,\s*"ejectionCause": "consecutive_5xx"/,
    },
    {
      title: 'A rate limit',
      command: `for user in anna anna anna anna anna anna otto; do ${STATUS} -H "x-user: $user" ${url(5, '/catalog/search')}; done; curl -si -H 'x-user: anna' ${url(5, '/catalog/search')} | grep -i retry-after`,
      shows: 'the sixth search of anna is 429, otto may still search; and when anna may come back',
      expected: /^(?:200 ){5}429 200 retry-after: [1-9]/,
    },
    {
      title: 'Faults on purpose',
      command: `for i in 1 2 3 4 5 6 7 8; do curl -s -o /dev/null -w '%{http_code} after %{time_total} s\\n' ${url(5, '/catalog/storm')}; done`,
      shows: 'each 200 ms late, and about half of them 503',
      expected: /^(?:(?:200|503) after (?:0\.[2-9]|[1-9]\.)[0-9]* s\n){8}$/,
    },
    ...accessTour(place),
    {
      title: 'No route matches',
      command: `curl -si ${url(2, '/nothing')}`,
      shows: '404: orders has routes, and none of them wants this path',
      expected: /^HTTP\/1\.1 404/,
    },
    {
      title: 'Why did it go there?',
      command: `${waypoint} explain GET ${url(2, '/orders/42')} -H x-canary:always --admin ${admin}`,
      shows: 'every candidate in order, the rule "testers" that wins, and its policies with their origins',
      expected: /testers[\s\S]*policy outlierDetection/,
    },
    {
      title: 'What it thinks of its configuration',
      command: `curl -s ${admin}/statuses`,
      shows: 'the conditions of every Gateway and route',
      expected: /Accepted/,
    },
    {
      title: 'Metrics',
      command: `curl -s ${admin}/metrics | grep -c http_server_request_duration`,
      shows: 'Prometheus text, how many lines of it speak of requests',
      expected: /^[1-9][0-9]*$/m,
    },
  ];
}

/** Who may call: by certificate, by path and method, by token. */
function accessTour({ network, waypoint, certificates }: DemoPlace): readonly TourStep[] {
  const secure = `https://${network}.1:8443/ledger`;
  const trusted = `--cacert ${certificates}/ca.crt -H 'Host: ledger.shop'`;
  const till = `${trusted} --cert ${certificates}/till.pem`;
  return [
    {
      title: 'A client that shows its certificate (manifests/demo/access.yaml)',
      command: `curl -s ${till} ${secure}`,
      shows: 'the till may read the ledger, which is told who asks in x-forwarded-client-cert',
      expected: /"service":"ledger".*"x-forwarded-client-cert":".*URI=spiffe:\/\/cluster\.local\/ns\/shop\/sa\/till/,
    },
    {
      title: 'Another client, and one without a certificate',
      command: `${STATUS} ${trusted} --cert ${certificates}/guest.pem ${secure}; ${STATUS} ${trusted} ${secure}; echo`,
      shows: '403 for both: no policy allows them',
      expected: /^403 403 $/m,
    },
    {
      title: 'A path and a method that are not for everybody',
      command: `curl -s -w ' %{http_code}\\n' ${till} ${secure}/close; curl -s -w ' %{http_code}\\n' ${till} -X DELETE ${secure}`,
      shows: 'RBAC: access denied, twice: one policy denies the path, none allows the method',
      expected: /^RBAC: access denied 403\nRBAC: access denied 403$/m,
    },
    {
      title: 'No token, a bad one, a good one',
      command: `for token in '' nonsense $(curl -s http://${network}.111:8881/token); do ${STATUS} -H "authorization:\${token:+ Bearer $token}" http://${network}.8:8880/ledger; done; echo`,
      shows: '403 401 200',
      expected: /^403 401 200 $/m,
    },
    {
      title: 'Why may it not?',
      command: `${waypoint} explain GET ${secure}/close -H host:ledger.shop --principal spiffe://cluster.local/ns/shop/sa/till --admin http://${network}.1:15000`,
      shows: 'who asks, each policy with the rule that matches or the condition that fails, and which of them denies',
      expected:
        /Client +spiffe:.*till[\s\S]*=> DENY AuthorizationPolicy shop\/books[\s\S]*Answer +403 access_denied: denied by AuthorizationPolicy shop\/books, rule 0$/m,
    },
  ];
}
