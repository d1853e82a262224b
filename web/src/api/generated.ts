// SPDX-License-Identifier: GPL-3.0-or-later
// Written from the program's tables by `ninja -C build types`.

/** How a flow came to us. */
export const hows = {
  "connect": "a CONNECT tunnel through the proxy",
  "absolute-form": "a plain HTTP request through the proxy",
  "transparent": "redirected by the gateway",
  "packet": "seen on the wire",
  "socks": "a SOCKS tunnel through the proxy",
  "direct": "a request that an imported file tells of",
  "own": "a request to the proxy itself, such as for its PAC file",
} as const;
export type How = keyof typeof hows;

/** Why a flow was closed. */
export const whys = {
  "finished": "it came to its normal end",
  "device-closed": "the device closed it",
  "server-closed": "the server closed it",
  "device-reset": "the device reset it",
  "server-reset": "the server reset it",
  "device-aborted": "the device left before it was answered",
  "name-failed": "the host's name could not be resolved",
  "connect-failed": "the server could not be reached",
  "refused": "the proxy's policy does not serve this",
  "blocked": "a rule of the proxy blocks this host",
  "authentication": "the proxy asked for credentials",
  "bad-request": "the device's request was not valid HTTP",
  "bad-response": "the server's response was not valid HTTP",
  "upstream-failed": "the upstream proxy did not pass it on",
  "idle": "nothing moved for too long",
  "timeout": "an answer did not come in time",
  "too-many": "a ceiling of the proxy was reached",
  "shutdown": "the recorder was stopped",
  "unknown": "the source does not say",
} as const;
export type Why = keyof typeof whys;

/** Who sent or did it. */
export const bys = {
  "device": "the device",
  "server": "the server",
  "proxy": "this proxy, or the one whose log was imported",
  "upstream": "the upstream proxy",
} as const;
export type By = keyof typeof bys;

/** What saw it. */
export const sources = {
  "proxy": "the forward proxy",
  "gateway": "the gateway",
  "packets": "captured packets",
  "screen": "the screen",
  "logs": "a log of the device",
  "import": "an imported proxy log or HAR",
  "person": "a person",
  "recorder": "the recorder itself",
} as const;
export type Source = keyof typeof sources;

/** How a flow failed. */
export const failures = {
  "name": "its name could not be resolved",
  "connect": "the server could not be reached",
  "blocked": "a proxy refused it",
  "authentication": "a proxy asked the device for credentials",
  "proxy": "a proxy could not pass it on",
  "upstream": "the upstream proxy did not pass it on",
  "no-upstream": "the upstream proxy gave no answer",
  "reset": "the connection was reset after the device named the server",
  "handshake": "the device refused what the server showed in the TLS handshake",
  "silent": "the server never answered",
  "told": "flightstrip was told to refuse it",
  "slowed": "flightstrip was told to slow it down, and it was given up",
} as const;
export type Failure = keyof typeof failures;

/** How bad a finding is, the least first. */
export const severities = ["info", "warning", "error"] as const;
export type Severity = (typeof severities)[number];

/** How something is known, the least sure first. */
export const confidences = ["unknown", "inferred", "seen"] as const;
export type Confidence = (typeof confidences)[number];

/** How closely one has to look. */
export const levels = ["detail", "info", "warn"] as const;
export type Level = (typeof levels)[number];

/** What was seen: kinds of observation. */
export const kinds = {
  "device-seen": { level: "info", says: "a device was seen for the first time" },
  "source-started": { level: "info", says: "a source began to watch" },
  "source-lost": { level: "warn", says: "a source stopped watching" },
  "gap": { level: "warn", says: "nothing was recorded for a time, from here on" },
  "flow-opened": { level: "info", says: "a flow was opened" },
  "name-resolved": { level: "detail", says: "the host's name was resolved" },
  "name-failed": { level: "warn", says: "the host's name could not be resolved" },
  "connected": { level: "detail", says: "the server was reached" },
  "connect-failed": { level: "warn", says: "the server could not be reached" },
  "tls-hello": { level: "info", says: "the device said which TLS server it wants" },
  "tls-answer": { level: "detail", says: "the server answered the ClientHello" },
  "tls-alert": { level: "warn", says: "one side refused the TLS handshake" },
  "tls-certificate": { level: "detail", says: "the server showed its certificate in the clear" },
  "http-request": { level: "info", says: "the device sent an HTTP request" },
  "http-response": { level: "info", says: "an HTTP request was answered" },
  "flow-progress": { level: "detail", says: "bytes moved in a flow" },
  "flow-closed": { level: "info", says: "a flow ended" },
  "dns-query": { level: "detail", says: "the device asked for a name" },
  "dns-answer": { level: "detail", says: "a name server answered" },
  "dhcp": { level: "info", says: "the device asked for or got an address" },
  "screen-changed": { level: "detail", says: "the picture on the screen changed" },
  "screen-text": { level: "info", says: "text was read on the screen" },
  "log-event": { level: "info", says: "the device wrote a log line" },
  "note": { level: "info", says: "a person wrote a note" },
  "rule-applied": { level: "info", says: "a rule that the recorder was given changed this flow" },
} as const;
export type Kind = keyof typeof kinds;

/** What observations say, beside when and of whom. */
export const fields = {
  "client": "address of the device, as ADDR or ADDR:PORT; *:PORT is the one behind that port of the proxy",
  "name": "what a person calls the device or source; a DNS name",
  "host": "host name or address literal that was asked for, lower case",
  "port": "port that was asked for or connected to",
  "how": "how the flow came to us",
  "addresses": "addresses, separated by spaces, in the order they came",
  "address": "one address",
  "ms": "how long it took, milliseconds",
  "error": "why it failed, in words",
  "sni": "server name in the ClientHello (RFC 6066)",
  "alpn": "application protocols, separated by commas (RFC 7301)",
  "tls_versions": "TLS versions, separated by commas, best first",
  "cipher": "cipher suite",
  "ja4": "JA4 fingerprint of the ClientHello",
  "ech": "1 when the ClientHello carries encrypted_client_hello",
  "alert": "TLS alert number (RFC 8446, section 6)",
  "by": "who sent or did it",
  "subject": "certificate subject",
  "issuer": "certificate issuer",
  "not_before": "certificate valid from, seconds since 1970",
  "not_after": "certificate valid to, seconds since 1970",
  "method": "HTTP method",
  "url": "absolute URL; values of its query are cut",
  "user_agent": "HTTP User-Agent",
  "length": "bytes: of a body, or of a ClientHello with its record headers",
  "status": "HTTP status",
  "content_type": "HTTP Content-Type",
  "bytes_up": "bytes from device to server so far",
  "bytes_down": "bytes from server to device so far",
  "why": "why the flow ended",
  "type": "type of a record, a message or a rule",
  "text": "the words themselves; a rule as it was written",
  "component": "part of the device that wrote the log line",
  "device_time": "the device's own clock, microseconds since 1970",
  "frame": "reference to a screen frame",
  "place": "where on the screen, as X,Y,W,H in pixels",
} as const;
export type Field = keyof typeof fields;

/** One thing seen, at one moment. What it does not say is not there. */
export interface Observation {
  seq: number;
  at_us: number;
  kind: Kind;
  source?: Source;
  device?: number;
  flow?: number;
  client?: string;
  name?: string;
  host?: string;
  port?: number;
  how?: How;
  addresses?: string;
  address?: string;
  ms?: number;
  error?: string;
  sni?: string;
  alpn?: string;
  tls_versions?: string;
  cipher?: string;
  ja4?: string;
  ech?: number;
  alert?: number;
  by?: By;
  subject?: string;
  issuer?: string;
  not_before?: number;
  not_after?: number;
  method?: string;
  url?: string;
  user_agent?: string;
  length?: number;
  status?: number;
  content_type?: string;
  bytes_up?: number;
  bytes_down?: number;
  why?: Why;
  type?: string;
  text?: string;
  component?: string;
  device_time?: number;
  frame?: number;
  place?: string;
}

/** A flow, as the columns of rows say it. */
export interface Flow {
  /** its number */
  flow: number;
  /** the device's number */
  device: number;
  /** of the last observation of it */
  seq: number;
  /** when it was opened */
  opened_us: number;
  /** how long the name took; null when none was resolved */
  resolve_ms: number | null;
  /** how long connecting took; null when it was not connected */
  connect_ms: number | null;
  /** when the server was reached */
  connected_us: number | null;
  /** when the ClientHello passed */
  hello_us: number | null;
  /** when the answer came */
  answered_us: number | null;
  /** when it was closed; null while it is open */
  ended_us: number | null;
  /** how it came to us */
  how: How | '';
  /** what was asked for */
  host: string;
  /** what was asked for */
  port: number;
  /** of the ClientHello, where it is another than host; else empty */
  sni: string;
  /** index into the endpoints; null when the host is not known */
  endpoint: number | null;
  /** of plain HTTP; else empty */
  method: string;
  /** of plain HTTP; else empty */
  url: string;
  /** of plain HTTP's or the proxy's answer; 0 when none was seen */
  status: number;
  /** of plain HTTP */
  content_type: string;
  /** from the device, so far */
  bytes_up: number;
  /** to the device, so far */
  bytes_down: number;
  /** why it was closed; empty while it is open */
  why: Why | '';
  /** how it failed; empty when it did not */
  failure: Failure | '';
  /** what did not work, in words */
  error: string;
  /** of flightstrip's own, that changed it */
  rules: string;
  /** how its bytes grew: at_us, bytes_up, bytes_down, and so on */
  moved: number[];
}

/** The columns of rows, in their order. */
export const columns = [
  "flow",
  "device",
  "seq",
  "opened_us",
  "resolve_ms",
  "connect_ms",
  "connected_us",
  "hello_us",
  "answered_us",
  "ended_us",
  "how",
  "host",
  "port",
  "sni",
  "endpoint",
  "method",
  "url",
  "status",
  "content_type",
  "bytes_up",
  "bytes_down",
  "why",
  "failure",
  "error",
  "rules",
  "moved",
] as const satisfies readonly (keyof Flow)[];
export type Column = (typeof columns)[number];
