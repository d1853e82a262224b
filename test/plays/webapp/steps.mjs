// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What the page does, a function each; what one returns is what came of it. The hosts of the secure
 * page are called as those of the plain one, with `secure-` before it.
 */
const secure = location.protocol === 'https:' ? 'secure-' : '';
const origin = (scheme, name) => `${secure ? scheme + 's' : scheme}://${secure}${name}.test`;
const text = async (...what) => (await fetch(...what)).text();

function style() {
    return getComputedStyle(document.body).color;
}

function picture() {
    return document.querySelector('#picture').naturalWidth;
}

function sound() {
    const audio = document.querySelector('#sound');
    return new Promise((done, failed) => {
        audio.onerror = () => failed(audio.error.message);
        if (audio.readyState === audio.HAVE_ENOUGH_DATA)
            done(audio.duration);
        audio.oncanplaythrough = () => done(audio.duration);
    });
}

async function rows() {
    return (await (await fetch('/rows?token=a-secret-word')).json()).length;
}

async function zipped() {
    return (await (await fetch('/zipped')).json()).length;
}

function xhr() {
    return new Promise((done, failed) => {
        const request = new XMLHttpRequest();
        request.onload = () =>
            done(`${request.status} ${request.getResponseHeader('Content-Type')}`);
        request.onerror = failed;
        request.open('GET', '/broken');
        request.send();
    });
}

async function tiles() {
    const all = await Promise.all(Array.from({ length: 40 }, (_, n) => text(`/tile?n=${n}`)));
    return all.reduce((sum, tile) => sum + tile.length, 0);
}

async function redirected() {
    return `${await text('/old?token=a-secret-word')}, ` +
        await text('/temporarily', { method: 'POST', body: 'kept' });
}

async function without_body() {
    const answers = [await fetch('/none'), await fetch('/rows', { method: 'HEAD' })];
    return answers.map(a => a.status);
}

async function range() {
    const answer = await fetch('/sound.wav', { headers: { Range: 'bytes=0-3' } });
    return `${answer.status} ${await answer.text()}`;
}

async function uploaded() {
    const body = new Uint8Array(3000000).map((_, i) => i * 7919 >> 5);
    const answer = await fetch('/echo', { method: 'PUT', body });
    const back = new Uint8Array(await answer.arrayBuffer());
    return back.length === body.length && back.every((byte, i) => byte === body[i]);
}

function form() {
    const frame = document.querySelector('iframe');
    return new Promise(done => {
        frame.onload = () => done(frame.contentDocument.title);
        document.querySelector('#form').submit();
    });
}

async function pieces() {
    return (await text('/pieces')).length;
}

function events() {
    const source = new EventSource('/events');
    const heard = [];
    return new Promise((done, failed) => {
        source.onerror = failed;
        source.onmessage = event => {
            if (heard.push(event.data) === 3) {
                source.close();
                done(heard);
            }
        };
    });
}

/* The second time the browser asks whether it has changed, and hears that it has not. */
async function cached() {
    return [await text('/cached'), await text('/cached')];
}

function other_origin() {
    return text(`${origin('http', 'api')}/other-origin`,
        { method: 'PUT', headers: { 'X-Of-The-Page': 'yes' }, body: 'x' });
}

function socket() {
    const sizes = [5, 300, 100000];
    const heard = [];
    return new Promise((done, failed) => {
        const socket = new WebSocket(`${origin('ws', 'socket')}/echo`);
        const next = () => socket.send('x'.repeat(sizes[heard.length]));
        socket.onopen = next;
        socket.onerror = () => failed('the socket broke');
        socket.onmessage = message => {
            heard.push(message.data.length);
            if (heard.length < sizes.length)
                next();
            else
                socket.close(1000);
        };
        socket.onclose = closed => done([...heard, closed.code]);
    });
}

/* Counted as it comes and thrown away. */
async function large() {
    const bytes = new URLSearchParams(location.search).get('large');
    const answer = await fetch(`${origin('http', 'large')}/large?bytes=${bytes}`);
    const reader = answer.body.getReader();
    let count = 0;
    for (let piece; !(piece = await reader.read()).done;)
        count += piece.value.length;
    return count;
}

export const STEPS = [style, picture, sound, rows, zipped, xhr, tiles, redirected, without_body,
    range, uploaded, form, pieces, events, cached, other_origin, socket, large];
