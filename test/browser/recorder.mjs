// SPDX-License-Identifier: GPL-3.0-or-later
/** recorder: `flightstrip record` before a server of ours, and a device that asks it for things. */
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';

import { atEnd, begin } from './stage.mjs';

export class Recorder {
  /** Records into the file; web is where its page is to be, when that matters. */
  static async begin(t, file, web) {
    const origin = http.createServer((request, response) => response.end('here you are'));
    origin.listen(0, '127.0.0.1');
    await once(origin, 'listening');
    atEnd(t, () => origin.close());
    const recorder = new Recorder();
    recorder.file = file;
    recorder.args = ['record', '-o', file, '--proxy', '127.0.0.1:0', '--ports', 'any', '--connect-to', `::127.0.0.1:${origin.address().port}`];
    await recorder.start(t, web);
    return recorder;
  }

  async start(t, web) {
    this.server = await begin(t, this.args, web);
    this.proxyPort = Number((await this.server.hears(/proxy is to be \S+:(\d+)/))[1]);
  }

  /** So many requests through the proxy, each a flow of its own. */
  async ask(host, count = 1) {
    for (let i = 0; i < count; i++) {
      const path = `http://${host}/${i}`;
      const request = http.get({ host: '127.0.0.1', port: this.proxyPort, path, headers: { Host: host }, agent: false });
      const [response] = await once(request, 'response');
      response.resume();
      await once(response, 'end');
    }
  }

  /** These bytes, and whatever the proxy does with them until it ends. */
  async askRaw(bytes) {
    const socket = net.connect(this.proxyPort, '127.0.0.1');
    socket.on('error', () => {}); /* An end of any sort is one. */
    socket.resume();
    socket.end(bytes);
    await once(socket, 'close');
  }
}
