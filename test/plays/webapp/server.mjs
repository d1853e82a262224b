// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * server.mjs KEY CERTIFICATE: a small web application, over HTTP/1.1 and over TLS with HTTP/2.
 *
 * Both servers are on ports that the kernel picks and answer alike. On standard output stands what
 * they saw, a line of JSON each: first {ports}, then every {tls} connection, every {request} once
 * its answer has ended, and every {report} of a page. The end of standard input ends it.
 */
import crypto from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import zlib from 'node:zlib';

const FILES = new URL('.', import.meta.url);
const PIECE = Buffer.alloc(1 << 18, 'nothing but a large file');
const JSON_ROWS = JSON.stringify(Array.from({ length: 500 }, (_, row) => ({ row, text: 'a row' })));
const PULSE_MS = 200;
const ETAG = '"the-first-and-only"';
const PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" width="120" height="80">' +
    '<rect width="120" height="80" fill="teal"/><circle cx="60" cy="40" r="30" fill="gold"/></svg>';

const say = seen => process.stdout.write(JSON.stringify(seen) + '\n');

/* A second of silence at 48,000 samples a second. */
function wav() {
    const sound = Buffer.alloc(44 + 96000);
    sound.write('RIFF', 0);
    sound.writeUInt32LE(36 + 96000, 4);
    sound.write('WAVEfmt ', 8);
    sound.writeUInt32LE(16, 16);
    sound.writeUInt16LE(1, 20);
    sound.writeUInt16LE(1, 22);
    sound.writeUInt32LE(48000, 24);
    sound.writeUInt32LE(96000, 28);
    sound.writeUInt16LE(2, 32);
    sound.writeUInt16LE(16, 34);
    sound.write('data', 36);
    sound.writeUInt32LE(96000, 40);
    return sound;
}

/* Headers are set one by one: of those that writeHead is given, node does not tell later. */
function begin(res, status, headers) {
    res.statusCode = status;
    for (const [name, value] of Object.entries(headers))
        res.setHeader(name, value);
}

function send(res, status, type, body, headers = {}) {
    const bytes = Buffer.from(body);
    begin(res, status, { 'content-type': type, 'content-length': bytes.length, ...headers });
    res.end(res.req.method === 'HEAD' ? undefined : bytes);
}

function sendEmpty(res, status, headers = {}) {
    begin(res, status, headers);
    res.end();
}

function sendRange(req, res, type, bytes) {
    const range = /^bytes=(\d+)-(\d*)$/.exec(req.headers.range ?? '');
    if (!range)
        return send(res, 200, type, bytes, { 'accept-ranges': 'bytes' });
    const [first, last] = [Number(range[1]), Number(range[2] || bytes.length - 1)];
    return send(res, 206, type, bytes.subarray(first, last + 1),
        { 'content-range': `bytes ${first}-${last}/${bytes.length}`, 'accept-ranges': 'bytes' });
}

/* Each piece is sent in another turn of the loop, so each is a chunk, or a frame, of its own. */
async function sendPieces(res, type, pieces) {
    begin(res, 200, { 'content-type': type });
    for (const piece of pieces) {
        res.write(piece);
        await new Promise(setImmediate);
    }
}

function sendLarge(res, length) {
    let left = length;
    const more = () => {
        while (left > 0) {
            const piece = PIECE.subarray(0, Math.min(left, PIECE.length));
            left -= piece.length;
            if (!res.write(piece))
                return;
        }
        res.end();
    };
    begin(res, 200, { 'content-type': 'application/octet-stream', 'content-length': length,
        'access-control-allow-origin': '*' });
    res.on('drain', more);
    more();
}

const file = (name, type) => (req, res) =>
    send(res, 200, type, fs.readFileSync(new URL(name, FILES)));

const ROUTES = {
    '/': (req, res) => send(res, 200, 'text/html; charset=utf-8',
        fs.readFileSync(new URL('index.html', FILES)), { 'set-cookie': 'session=a-secret-word' }),
    '/style.css': file('style.css', 'text/css'),
    '/app.mjs': file('app.mjs', 'text/javascript'),
    '/steps.mjs': file('steps.mjs', 'text/javascript'),
    '/picture.svg': (req, res) => send(res, 200, 'image/svg+xml', PICTURE),
    '/sound.wav': (req, res) => sendRange(req, res, 'audio/wav', wav()),
    '/rows': (req, res) => send(res, 200, 'application/json', JSON_ROWS),
    '/zipped': (req, res) => send(res, 200, 'application/json', zlib.gzipSync(JSON_ROWS),
        { 'content-encoding': 'gzip' }),
    '/tile': (req, res, { query }) => send(res, 200, 'text/plain', 'tile '.repeat(query.get('n'))),
    '/old': (req, res) => sendEmpty(res, 302, { location: '/new' }),
    '/new': (req, res) => send(res, 200, 'text/plain', 'moved here'),
    '/temporarily': (req, res) => sendEmpty(res, 307, { location: '/echo' }),
    '/none': (req, res) => sendEmpty(res, 204),
    '/broken': (req, res) => send(res, 500, 'text/plain', 'this is broken'),
    '/echo': (req, res, { body }) => send(res, 200, 'application/octet-stream', body),
    '/form': (req, res) => sendEmpty(res, 303, { location: '/thanks' }),
    '/thanks': (req, res) => send(res, 200, 'text/html', '<!doctype html><title>Thanks</title>'),
    '/pieces': async (req, res) => {
        await sendPieces(res, 'text/plain', ['one ', 'two ', PIECE.subarray(0, 100000), ' three']);
        res.end();
    },
    /* It has no end: the page leaves when it has heard three. */
    '/events': async (req, res) => {
        const pulse = setInterval(() => res.write(': the server is still there\n\n'), PULSE_MS);
        res.on('close', () => clearInterval(pulse));
        await sendPieces(res, 'text/event-stream',
            [1, 2, 3].map(n => `id: ${n}\ndata: event ${n}\n\n`));
    },
    '/cached': (req, res) => {
        const headers = { etag: ETAG, 'cache-control': 'max-age=0' };
        if (req.headers['if-none-match'] === ETAG)
            sendEmpty(res, 304, headers);
        else
            send(res, 200, 'text/plain', 'kept by the browser', headers);
    },
    '/other-origin': (req, res) => {
        const headers = { 'access-control-allow-origin': '*', 'access-control-allow-methods': 'PUT',
            'access-control-allow-headers': 'x-of-the-page' };
        if (req.method === 'OPTIONS')
            sendEmpty(res, 204, headers);
        else
            send(res, 200, 'text/plain', `${req.method} from elsewhere`, headers);
    },
    '/large': (req, res, { query }) => sendLarge(res, Number(query.get('bytes'))),
    '/report': (req, res, { body }) => {
        send(res, 200, 'text/plain', 'good bye');
        say({ report: JSON.parse(body) });
    },
};

async function answer(scheme, req, res) {
    const url = new URL(req.url, `${scheme}://${req.headers[':authority'] ?? req.headers.host}`);
    const pieces = [];
    res.on('close', () => say({ request: {
        method: req.method, url: url.href, version: req.httpVersion,
        received: Buffer.concat(pieces).length, status: res.statusCode,
        type: res.getHeader('content-type') ?? null,
        length: res.getHeader('content-length') ?? null, ended: res.writableEnded,
    } }));
    for await (const piece of req)
        pieces.push(piece);
    const route = ROUTES[url.pathname] ??
        ((req, res) => send(res, 404, 'text/plain', 'there is no such thing'));
    await route(req, res, { query: url.searchParams, body: Buffer.concat(pieces) });
}

/* RFC 6455: takes one masked frame from the front of `data`; null while it is not whole. */
function takeFrame(data) {
    if (data.length < 2)
        return null;
    const short = data[1] & 127;
    const at = short === 126 ? 4 : short === 127 ? 10 : 2;
    if (data.length < at + 4)
        return null;
    const length = at === 4 ? data.readUInt16BE(2)
        : at === 10 ? Number(data.readBigUInt64BE(2)) : short;
    if (data.length < at + 4 + length)
        return null;
    const mask = data.subarray(at, at + 4);
    const payload = data.subarray(at + 4, at + 4 + length).map((byte, i) => byte ^ mask[i & 3]);
    return { opcode: data[0] & 15, payload, rest: data.subarray(at + 4 + length) };
}

/* The shortest form of a length that holds it; others are an error. */
function frameLength(n) {
    const bytes = Buffer.alloc(n < 126 ? 1 : n < 65536 ? 3 : 9);
    bytes[0] = n < 126 ? n : n < 65536 ? 126 : 127;
    if (bytes.length > 1)
        bytes.writeUIntBE(n, bytes.length === 3 ? 1 : 3, bytes.length === 3 ? 2 : 6);
    return bytes;
}

function frame(opcode, payload) {
    return Buffer.concat([Buffer.from([128 | opcode]), frameLength(payload.length), payload]);
}

/* A WebSocket that says everything back. After the closing frame it closes, as a server should. */
function echo(req, socket, early) {
    const accept = crypto.createHash('sha1')
        .update(req.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11')
        .digest('base64');
    let data = early;
    socket.on('data', more => {
        data = Buffer.concat([data, more]);
        for (let got; (got = takeFrame(data)); data = got.rest) {
            socket.write(frame(got.opcode, got.payload));
            if (got.opcode === 8)
                socket.end();
        }
    });
    socket.on('end', () => socket.end());
    socket.on('error', () => {});
    socket.write('HTTP/1.1 101 Switching Protocols\r\n' +
        'Upgrade: websocket\r\nConnection: Upgrade\r\n' +
        `Sec-WebSocket-Accept: ${accept}\r\n\r\n`);
}

const [key, cert] = process.argv.slice(2).map(path => fs.readFileSync(path));
const plain = http.createServer((req, res) => answer('http', req, res));
const secure = http2.createSecureServer({ key, cert, allowHTTP1: true },
    (req, res) => answer('https', req, res));
secure.on('secureConnection', socket =>
    say({ tls: { name: socket.servername, alpn: socket.alpnProtocol } }));
secure.on('sessionError', () => {}); // a browser that has left
for (const server of [plain, secure]) {
    server.on('upgrade', echo);
    await new Promise(ready => server.listen(0, '127.0.0.1', ready));
}
say({ ports: { http: plain.address().port, https: secure.address().port } });

process.stdin.resume().on('end', () => {
    plain.close();
    secure.close();
});
